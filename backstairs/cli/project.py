"""The project a command works on: where things are, and what is running."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.local.running import OpenApi, OpenOrigin, Running


class ProblemError(Exception):
    """Something the user can mend; the message says what and how."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a SAM application, and the folder for what a local run leaves."""

    root: Path

    @classmethod
    def here(cls) -> Project:
        """The project of the working directory. Raises ProblemError when there is none."""
        root = Path.cwd()
        if not (root / "template.yaml").is_file():
            raise ProblemError(f"no template.yaml in {root}: run this in the project's folder")
        return cls(root)

    @property
    def state(self) -> Path:
        """What a local run writes: logs, unpacked code, where things are."""
        return self.root / ".backstairs"

    @property
    def run_file(self) -> Path:
        """Where a running `backstairs up` says what is where."""
        return self.state / "run.json"

    def running(self) -> Running:
        """The running application. Raises ProblemError when there is none."""
        from backstairs.local.running import Running

        try:
            running = Running.read(self.run_file)
            ask(running, "GET", "/")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ProblemError("nothing is running here: start it with `make up`") from error
        return running


def tool(name: str) -> str:
    """A program of the project's own environments, or of PATH. Raises ProblemError."""
    environments = Path(sys.prefix).parent
    places = [str(place) for place in environments.glob("*/bin")]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if found is None:
        raise ProblemError(f"{name} is not installed: `make up` and `make test` install it")
    return found


def function_python() -> Path:
    """The interpreter of the environment that holds what Lambda's image holds.

    It is Lambda's own Python where `make` found one.
    """
    python = Path(sys.prefix).parent / "runtime" / "bin" / "python"
    if not python.exists():
        raise ProblemError(f"{python} is missing: `make up` installs it")
    return python


def python_version(python: Path) -> str:
    """What an interpreter says that it is: `Python 3.13.0`."""
    return subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()


def ask(
    running: Running, method: str, path: str, body: bytes | None = None
) -> tuple[Any, Mapping[str, str]]:
    """Ask the running application's control port; returns its JSON and headers."""
    connection = http.client.HTTPConnection("127.0.0.1", running.control, timeout=930)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return json.load(answer), dict(answer.getheaders())
    finally:
        connection.close()


def answers(port: int) -> bool:
    """Whether something listens on a port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def reaching(running: Running) -> Iterator[None]:
    """Say in one line what of a running application no longer answers. Raises ProblemError."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except (OSError, http.client.HTTPException, BotoCoreError) as error:
        ports = {
            "the emulated account": urlsplit(running.account_url).port or 80,
            "`backstairs up`": running.control,
            **{f"the door of {origin.name}": origin.port for origin in running.origins},
        }
        for name, port in ports.items():
            if not answers(port):
                said = f"{name} (port {port}) is gone"
                break
        else:
            if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
                raise
            said = f"no answer came: {type(error).__name__}"
        raise ProblemError(f"{said}; end what runs here (Ctrl-C), start it: `make up`") from error


def assume(running: Running, function: str) -> Mapping[str, Any]:
    """Temporary credentials of a function's role, as STS returns them. Raises ProblemError."""
    from backstairs.account.client import Account

    return Account(running.account_url, running.region).assume(
        running.roles[known_function(running, function)], function
    )


def known_function(running: Running, name: str) -> str:
    """A function's short name, if there is such a function. Raises ProblemError."""
    if name not in running.roles:
        names = ", ".join(running.roles)
        raise ProblemError(f"there is no function {name}: there are {names}")
    return name


def origin_of(running: Running, name: str) -> OpenOrigin:
    """An origin by its name."""
    for origin in running.origins:
        if origin.name == name:
            return origin
    names = ", ".join(origin.name for origin in running.origins)
    raise ProblemError(f"there is no origin {name}: there are {names}")


def api_of(running: Running, name: str) -> OpenApi:
    """An API by its name or id."""
    for api in running.apis:
        if name in (api.name, api.api_id):
            return api
    names = ", ".join(api.name for api in running.apis)
    raise ProblemError(f"there is no API {name}: there are {names}")
