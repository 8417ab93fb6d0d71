"""What a run consists of ends in the middle: one line says what, and what to do."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from backstairs.local.running import OpenApi, OpenOrigin, OpenRoute, Running
from tests.local.application import BACKSTAIRS, Application, copy_application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = {
    "call": ["call", "GET", "/members/m-1001", "--as", "notifier"],
    "unsigned call": ["call", "GET", "/members/m-1001"],
    "invoke": ["invoke", "notifier", "--event", "event.json"],
    "redrive": ["redrive"],
    "credentials": ["credentials", "notifier"],
}


def backstairs(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project's folder."""
    return subprocess.run(
        [*BACKSTAIRS, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed said, which is one line."""
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stderr.startswith("backstairs: ")
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "make up" in ran.stderr
    return ran.stderr


def test_the_account_dies(tmp_path: Path) -> None:
    """`up` notices within seconds, says so and ends; then the commands say that nothing runs."""
    application = Application(copy_application(tmp_path))
    try:
        application.wait_until_up()
        port = application.running.account_url.rpartition(":")[2]
        (tmp_path / "event.json").write_text("{}", "utf-8")
        os.kill(account_process(port), signal.SIGKILL)
        during = [backstairs(tmp_path, *COMMANDS[name]) for name in ("call", "redrive")]
        status = application.process.wait(timeout=30)
    finally:
        application.end()
    assert status == 1, application.output
    assert "the emulated account has ended" in application.output.splitlines()[-1]
    assert "Traceback" not in application.output
    for ran in (*during, *(backstairs(tmp_path, *given) for given in COMMANDS.values())):
        one_line(ran)


def account_process(port: str) -> int:
    """The process that serves the emulated account on a port."""
    # Without -ww, ps cuts its lines at COLUMNS.
    listed = ["ps", "-ww", "-eo", "pid=,args="]
    shown = subprocess.run(listed, capture_output=True, text=True, check=True)
    wanted = re.compile(rf"\s*(\d+) .*-m backstairs\.emulator --port {port}\b")
    return next(
        int(found[1]) for line in shown.stdout.splitlines() if (found := wanted.match(line))
    )


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def control() -> Iterator[int]:
    """The port of a run that answers the first question and hangs up on what is asked of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self) -> None:
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("call", "the emulated account (port "),
        ("unsigned call", "the door of endpoint (port "),
        ("invoke", "no answer came: "),
        ("redrive", "the emulated account (port "),
        ("credentials", "the emulated account (port "),
    ],
)
def test_a_part_is_gone(name: str, says: str, control: int, tmp_path: Path) -> None:
    """The part that a command needed is named, be it the account, a door or the run itself."""
    is_account_there = name in ("unsigned call", "invoke")
    account = control if is_account_there else free_port()
    door = control if name == "invoke" else free_port()
    running = Running(
        account_url=f"http://127.0.0.1:{account}",
        region="us-east-1",
        control=control,
        origins=[OpenOrigin("endpoint", door, None)],
        apis=[OpenApi("members", "abc123", "dev", [OpenRoute("GET", "/members/{id}")])],
        roles={"notifier": "arn:aws:iam::123456789012:role/notifier"},
    )
    (tmp_path / "template.yaml").touch()
    (tmp_path / "event.json").write_text("{}", "utf-8")
    (tmp_path / ".backstairs").mkdir()
    running.write(tmp_path / ".backstairs" / "run.json")

    assert says in one_line(backstairs(tmp_path, *COMMANDS[name]))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_run_is_gone(name: str, tmp_path: Path) -> None:
    """What SIGKILL leaves behind is no running application."""
    running = Running(
        account_url=f"http://127.0.0.1:{free_port()}",
        region="us-east-1",
        control=free_port(),
        origins=[],
        apis=[],
        roles={},
    )
    (tmp_path / "template.yaml").touch()
    (tmp_path / "event.json").write_text("{}", "utf-8")
    (tmp_path / ".backstairs").mkdir()
    running.write(tmp_path / ".backstairs" / "run.json")

    assert "nothing is running here" in one_line(backstairs(tmp_path, *COMMANDS[name]))
