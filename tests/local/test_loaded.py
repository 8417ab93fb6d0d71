"""Programs that are loaded once and run often."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.local.loaded import Loaded
from backstairs.runtime.process import Children

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROGRAM = f"""#!{sys.executable}
import json, os, signal, sys, time
import heavy, project
what, *more = sys.argv[1:]
if what == "die":
    os.kill(os.getpid(), signal.SIGKILL)
while what == "wait" and not os.path.exists(more[0]):
    time.sleep(0.01)
if what == "say":
    child = os.spawnlp(os.P_WAIT, "true", "true")
    said = {{"program": sys.argv[0], "folder": os.getcwd(), "own": os.environ.get("OWN")}}
    print(json.dumps({{**said, "project": project.WHOSE, "child": child, "pid": os.getpid()}}))
print("to stderr", file=sys.stderr)
sys.exit(int(more[0]) if what == "fail" else 0)
"""


class Program:
    """One that says where and how it runs, and tells in a file when it is loaded."""

    def __init__(self, folder: Path, children: Children) -> None:
        self.folder, self.children = folder, children
        (folder / "bin").mkdir()
        (folder / "project").mkdir()
        path = folder / "bin" / "program"
        path.write_text(_PROGRAM, "utf-8")
        path.chmod(0o755)
        loading = f"open({str(folder / 'loads')!r}, 'a').write('x')\n"
        (folder / "bin" / "heavy.py").write_text(loading, "utf-8")
        (folder / "bin" / "project.py").write_text("WHOSE = 'the program'\n", "utf-8")
        (folder / "project" / "project.py").write_text("WHOSE = 'the user'\n", "utf-8")
        self.loaded = Loaded(str(path), ["heavy", "no_such_module"])

    def run(self, *arguments: str, log: str = "log", **variables: str) -> int:
        with (self.folder / log).open("wb") as output:
            return self.loaded.run(
                arguments,
                children=self.children,
                environment={"PATH": os.environ["PATH"]},
                variables=variables,
                output=output,
                folder=self.folder / "project",
            )

    def said(self, log: str = "log") -> Any:
        return json.loads((self.folder / log).read_text("utf-8").splitlines()[-1])

    @property
    def loads(self) -> int:
        return len((self.folder / "loads").read_text("utf-8"))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    children = Children()
    try:
        yield Program(tmp_path, children)
    finally:
        children.close()


def test_a_program_runs_as_it_does_alone_but_is_loaded_once(program: Program) -> None:
    """Its arguments, variables, folder, output; its children; each time a process of its own."""
    assert program.run("say", OWN="first") == 0
    first = program.said()
    assert program.run("say") == 0
    second = program.said()
    alone = subprocess.run(
        [program.folder / "bin" / "program", "say"],
        cwd=program.folder / "project",
        capture_output=True,
        check=True,
    )
    own = json.loads(alone.stdout)
    assert first == {**own, "own": "first", "pid": first["pid"]}
    assert second == {**own, "pid": second["pid"]}
    assert own["project"] == "the program"
    assert own["child"] == 0
    assert len({one["pid"] for one in (first, second, own)}) == 3
    # Once for both runs, and once alone.
    assert program.loads == 2


def test_a_program_s_status_is_told(program: Program) -> None:
    assert program.run("fail", "3") == 3
    assert (program.folder / "log").read_text("utf-8") == "to stderr\n"
    assert program.run("die") == -signal.SIGKILL
    assert program.run("say") == 0


def test_two_runs_may_overlap(program: Program) -> None:
    """One waits for what comes after the other."""
    gone = program.folder / "gone"
    statuses: list[int] = []
    waiting = threading.Thread(
        target=lambda: statuses.append(program.run("wait", str(gone), log="waiting"))
    )
    waiting.start()
    assert program.run("fail", "4") == 4
    gone.touch()
    waiting.join(60)
    assert statuses == [0]


def test_a_program_is_loaded_again_after_its_end(program: Program) -> None:
    program.run("say")
    program.children.end()
    assert program.run("say") == 0
    program.loaded.end()
    assert program.run("say") == 0
    assert program.loads == 3


@pytest.mark.parametrize("first", ["#!/bin/sh", "#!/usr/bin/env python3"])
def test_what_names_no_python_of_its_own_runs_as_it_is(program: Program, first: str) -> None:
    path = program.folder / "bin" / "program"
    text = "echo $1; exit 5" if first.endswith("sh") else "import sys; sys.exit(5)"
    path.write_text(f"{first}\n{text}\n", "utf-8")
    assert program.run("hello") == 5


def test_what_is_started_while_all_is_ended_does_not_outlive_it() -> None:
    """Steps go on in threads of their own while another one has failed."""
    for _ in range(20):
        children, refused = Children(), threading.Event()

        def start(children: Children = children, refused: threading.Event = refused) -> None:
            try:
                while True:
                    children.start(["sleep", "60"], environment={}, output=subprocess.DEVNULL)
            except ChildProcessError:
                refused.set()

        thread = threading.Thread(target=start)
        thread.start()
        time.sleep(0.02)
        closing = threading.Thread(target=children.close)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()
        thread.join(30)
        assert refused.is_set()
