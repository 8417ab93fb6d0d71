"""`backstairs up` on a copy of the application, as a user runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from backstairs.account.client import Account
from backstairs.client import Answer, call
from backstairs.local.running import Running

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
APPLICATION = ("template.yaml", "samconfig.toml", "stacks", "functions", "layers", "events")
BACKSTAIRS = [sys.executable, "-m", "backstairs"]
SECONDS_TO_START = 400


def copy_application(folder: Path) -> Path:
    """Copy what `sam build` needs, so that a run disturbs nobody's own."""
    for name in APPLICATION:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    return folder


class Application:
    """A running `backstairs up`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._output = (folder / "output.txt").open("wb")
        self.process = subprocess.Popen(
            [*BACKSTAIRS, "up"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200"},
        )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.folder / "output.txt").read_text("utf-8")

    def wait_until_up(self) -> None:
        """Wait for the end of the tour."""
        until = time.monotonic() + SECONDS_TO_START
        while "Ctrl-C ends everything" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < until, self.output
            time.sleep(0.1)

    @property
    def running(self) -> Running:
        """Where things are."""
        return Running.read(self.folder / ".backstairs" / "run.json")

    @property
    def account(self) -> Account:
        """The emulated account, as its root."""
        return Account(self.running.account_url, self.running.region)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self._output.close()
        return status

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `backstairs` in the same folder."""
        return subprocess.run(
            [*BACKSTAIRS, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def credentials(self, function: str) -> Credentials:
        """Fresh credentials of a function's role."""
        found = self.account.assume(self.running.roles[function], function)
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def port(self, origin: str) -> int:
        """The port of an origin."""
        return next(one.port for one in self.running.origins if one.name == origin)

    def host(self, path: str) -> str:
        """The name of the API that has a path."""
        api_id = self.running.api_with(path).api_id
        return f"{api_id}.execute-api.{self.running.region}.amazonaws.com"

    def call(
        self,
        method: str,
        path: str,
        *,
        credentials: Credentials | None = None,
        origin: str = "endpoint",
        stage: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Call an API by a path below its stage, signed by botocore if there are credentials."""
        stage = stage or self.running.api_with(path).stage
        return call(
            self.port(origin),
            method,
            f"/{stage}{path}",
            host=self.host(path),
            region=self.running.region,
            credentials=credentials,
            headers=headers,
            body=body,
        )

    def group(self) -> int:
        """The process group of everything that the run has started."""
        return next(group for pid, parent, group in _processes() if parent == self.process.pid)


def members(group: int) -> list[int]:
    """The processes of a group that still live."""
    return [pid for pid, _, its_group in _processes() if its_group == group]


def _processes() -> list[tuple[int, int, int]]:
    """Every process that has not ended: its id, its parent's, its group's."""
    found = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split() for line in found.splitlines())
    return [
        (int(pid), int(parent), int(group))
        for pid, parent, group, state in rows
        if not state.startswith("Z")
    ]
