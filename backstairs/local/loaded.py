"""A program written in Python that is loaded once and run often, each run in a process of its own.

The SAM CLI takes two seconds to load, and one start of ours runs it twice or more. A process loads
it, with the Python that the program names, and forks for each run, in which the program's own file
is then run as it would be otherwise: same arguments, variables, folder, output, status.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backstairs.runtime.process import Children

_FORKS = Path(__file__).with_name("forks.py")


class Loaded:
    """A program, loaded when it is first run.

    `modules` are loaded then: the first before that run begins, the others while it is on. It runs
    as it is, each time anew, where it does not name a Python of its own.
    """

    def __init__(self, program: str, modules: Sequence[str]) -> None:
        self._program, self._modules = program, modules
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._lock = Lock()

    def run(
        self,
        arguments: Sequence[str],
        *,
        children: Children,
        environment: Mapping[str, str],
        variables: Mapping[str, str],
        output: IO[bytes],
        folder: Path,
    ) -> int:
        """Run it to its end; returns its status, negative where a signal ended it.

        `environment` is that of all runs, `variables` of this one besides. `output` takes both of
        its streams; it may be run by several threads at once.
        """
        python = interpreter(self._program)
        if python is None:
            return children.start(
                [self._program, *arguments],
                environment={**environment, **variables},
                output=output,
                folder=folder,
            ).wait()
        order = json.dumps({"arguments": list(arguments), "variables": dict(variables)}).encode()
        reading, writing = os.pipe()
        try:
            with self._lock:
                server = self._server(python, children, environment, folder)
                socket.send_fds(server, [order], [output.fileno(), writing])
        finally:
            os.close(writing)
        # Nothing, where it was ended from outside.
        with os.fdopen(reading, "rb") as status:
            return int(status.read() or -signal.SIGKILL)

    def end(self) -> None:
        """Give back what it takes to have it loaded; runs that are on go on."""
        with self._lock:
            if self._orders is not None:
                self._orders.close()
                self._orders = None

    def _server(
        self, python: str, children: Children, environment: Mapping[str, str], folder: Path
    ) -> socket.socket:
        if self._orders is not None:
            if self._process is not None and self._process.poll() is None:
                return self._orders
            self._orders.close()
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        children.resources.enter_context(own)
        with other:
            try:
                self._process = children.start(
                    [python, str(_FORKS), self._program, str(other.fileno()), *self._modules],
                    environment=environment,
                    output=subprocess.DEVNULL,
                    folder=folder,
                    shared=(other.fileno(),),
                )
            except OSError:
                own.close()
                raise
        self._orders = own
        return own


def interpreter(program: str) -> str | None:
    """The Python that a program's first line names, without options; None where there is none."""
    with Path(program).open("rb") as file:
        first = os.fsdecode(file.readline(4096)).rstrip()
    python = Path(first.removeprefix("#!"))
    is_python = first.startswith("#!/") and python.name.startswith("python") and python.is_file()
    return str(python) if is_python else None
