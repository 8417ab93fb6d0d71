"""Starting and ending: nothing is left, and what goes wrong is said."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from backstairs.cli.project import function_python, python_version
from tests.local.application import Application, copy_application, members

if TYPE_CHECKING:
    from pathlib import Path


def started(folder: Path) -> tuple[Application, int]:
    """A run whose first children are there, with their process group."""
    application = Application(copy_application(folder))
    until = time.monotonic() + 30
    while not (folder / ".backstairs" / "logs" / "account.log").exists():
        assert time.monotonic() < until, application.output
        time.sleep(0.05)
    # The file is there a moment before the process.
    while len(members(application.group())) == 1:
        assert time.monotonic() < until, application.output
        time.sleep(0.05)
    return application, application.group()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_nothing_is_left(tmp_path: Path, number: int, status: int) -> None:
    """However it is ended, and even by SIGKILL, none of its processes lives on."""
    application, group = started(tmp_path)
    assert len(members(group)) > 1

    ended = application.end(number)

    until = time.monotonic() + 10
    while members(group) and time.monotonic() < until:
        time.sleep(0.05)
    assert members(group) == []
    assert ended == status
    assert "Traceback" not in application.output


def test_a_second_run_is_refused(application: Application, tmp_path: Path) -> None:
    """Two runs in one folder would take each other's files, from the first moment on."""
    starting, _ = started(tmp_path)

    while_starting = starting.command("up", "--once")
    while_up = application.command("up", "--once")
    starting.end()

    for second in (while_starting, while_up):
        assert second.returncode == 1
        assert "already running here" in second.stderr
    assert application.call("GET", "/claim-types").status == 200


def test_the_tour_is_shown(application: Application) -> None:
    """The run says what it did, shows the tour's calls and what to try next."""
    output = application.output

    for line in ("sam build", "sam deploy", "wrong signature", "another account", "curl"):
        assert line in output
    assert f"Functions run on {python_version(function_python())} (" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("Type: AWS::Serverless::Api\n", "Typ: x\n", "template.yaml: ClaimsApi has no Type"),
        ("RestApiId: !Ref ClaimsApi", "RestApiId: !Ref NoApi", "template.yaml: SAM cannot"),
        ("Resources:\n", "Resources: {\n", "template.yaml: is not YAML"),
        ("Resources:\n", "Resource:\n", "template.yaml: has no Resources"),
    ],
)
def test_a_template_that_cannot_be_loaded(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """The file, the logical id and what is not understood are named before anything starts."""
    template = copy_application(tmp_path) / "template.yaml"
    text = template.read_text("utf-8")
    assert old in text
    template.write_text(text.replace(old, new, 1), "utf-8")

    application = Application(tmp_path)
    try:
        status = application.process.wait(timeout=60)
    finally:
        application.end()
    assert status == 1
    assert problem in application.output
    assert "Traceback" not in application.output
