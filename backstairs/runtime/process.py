"""Child processes that never outlive us, and the workers among them.

All children share one process group, led by a reaper that waits for the end of a pipe. We hold the
other end: however we end, the pipe closes, and the reaper kills the group, itself included.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from threading import Lock
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_REAPER = "import os, signal; os.read(0, 1); os.killpg(0, signal.SIGKILL)"


class Children:
    """The process group of everything that we start."""

    def __init__(self) -> None:
        # -I -S: the reaper needs nothing, and must be there before anything else.
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _REAPER],
            stdin=subprocess.PIPE,
            process_group=0,
        )
        self._started: list[subprocess.Popen[bytes]] = []
        # What joined the group while it is being killed would be waited for without end.
        self._lock = Lock()
        self._is_closed = False
        self.resources = contextlib.ExitStack()
        """What is closed with the group."""

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        output: IO[bytes] | int,
        folder: Path | None = None,
        shared: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a program in the group; `output` takes both of its streams.

        `shared` are open files that it has too, by the same numbers. Raises ChildProcessError once
        the group is closed.
        """
        with self._lock:
            if self._is_closed:
                raise ChildProcessError(f"{command[0]}: everything is being ended")
            self._started = [child for child in self._started if child.poll() is None]
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=self._reaper.pid,
                pass_fds=shared,
            )
            self._started.append(process)
        return process

    def end(self) -> None:
        """End what has been started until now; more can be started."""
        for process in self._started:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End the whole group; nothing starts in it any more."""
        with self._lock:
            self._is_closed = True
        self.resources.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._reaper.pid, signal.SIGKILL)
        self._reaper.communicate()
        for process in self._started:
            process.wait()


class WorkerProcess:
    """A process whose output goes to a log, and whose end is a future."""

    def __init__(self, process: subprocess.Popen[bytes], expires: datetime) -> None:
        self.expires = expires
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._process = process

    async def follow(self, log: IO[bytes]) -> None:
        """Copy the output until the process ends."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        stream = self._process.stdout
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
        try:
            while chunk := await reader.read(65536):
                log.write(chunk)
                log.flush()
        finally:
            pipe.close()
            await loop.run_in_executor(None, self._process.wait)
            if not self.ended.done():
                self.ended.set_result(None)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
