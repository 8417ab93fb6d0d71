"""Functions on the real runtime client: the Lambda Runtime API, and a pool of workers for each.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API". Each worker has a port of its
own, so that its requests, its invocation and its death are never another's.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from backstairs.http.asgi import (
    App,
    BodyTooLongError,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    send_response,
)
from backstairs.http.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

MAXIMUM_PAYLOAD = 6 * 1024 * 1024
INIT_SECONDS = 10

# A function's error comes in a header as well, which the runtime client bounds by 1 MB.
_LIMITS = Limits(head=2 * 1024 * 1024)

_API = "/2018-06-01/runtime/"
_RENEW_BEFORE = timedelta(minutes=15)


def unqualified(arn: str) -> str:
    """A function's ARN without the alias or version that it may end with."""
    return ":".join(arn.split(":")[:7])


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function as Lambda describes it, its code and layers unpacked in folders.

    `label` is what people call it: `claims` for ClaimsFunction. `runtime` is Lambda's name of it
    (`python3.13`), empty for a container image. `timeout` in seconds, `memory` in MB; `log_format`
    and `log_level` as its LoggingConfig has them.
    """

    name: str
    label: str
    arn: str
    runtime: str
    handler: str
    role_arn: str
    timeout: int
    memory: int
    vpc_id: str | None
    environment: Mapping[str, str]
    code: Path
    layers: tuple[Path, ...] = ()
    log_format: str | None = None
    log_level: str | None = None

    @property
    def why_not_run(self) -> str | None:
        """Why it has no workers here, or None: whatever it is, it is not run as Python."""
        if self.runtime.startswith("python"):
            return None
        what = f"its runtime {self.runtime}" if self.runtime else "a container image"
        return f"function {self.label}: {what} is not run here, Python is"


class NotRunError(OSError):
    """A function is of a kind that is not run here; the message says which, and what is."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an invocation came to: the function's JSON, or Lambda's error object and its type."""

    payload: bytes
    error: str | None = None


class Process(Protocol):
    """A running worker: `ended` is done when it has ended, `expires` bounds its credentials."""

    ended: asyncio.Future[None]
    expires: datetime

    def kill(self) -> None:
        """End it at once."""


@dataclass(slots=True)
class _Invocation:
    payload: bytes
    function_arn: str
    trace_id: str
    seconds: int
    result: asyncio.Future[Result]
    taken: asyncio.Future[None]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def finish(self, result: Result) -> None:
        if not self.result.done():
            self.result.set_result(result)


def _failure(kind: str, message: str) -> Result:
    return Result(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind)


class Worker:
    """The server that one process at a time talks to.

    It has two ports in turn, one for this process and one for the next, so that a request that an
    ended process left behind is not taken for its successor's.
    """

    def __init__(self, serve: Callable[[App, Limits], int]) -> None:
        self._ports = deque((serve(self, _LIMITS), serve(self, _LIMITS)))
        self.process: Process | None = None
        self._invocation: _Invocation | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._closed = False
        self._init_error: Result | None = None

    @property
    def port(self) -> int:
        """Where the current process, or the next to be started, finds its Runtime API."""
        return self._ports[0]

    def started(self, process: Process) -> None:
        """Take a new process into the slot."""
        self.process, self._init_error = process, None
        process.ended.add_done_callback(lambda _: self._ended(process))

    def _ended(self, process: Process) -> None:
        if self.process is not process:
            return
        self._forget()
        if self._invocation is not None:
            exited = _failure("Runtime.ExitError", "Runtime exited before it answered")
            self._invocation.finish(self._init_error or exited)
        self._wake()

    def _forget(self) -> None:
        self.process = None
        self._ports.rotate()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def stop(self) -> None:
        """End the process; the slot is free for another at once."""
        if self.process is not None:
            self.process.kill()
            self._forget()
        self._wake()

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        self.stop()

    async def run(self, invocation: _Invocation) -> Result:
        """Run one invocation.

        The process has ten seconds to begin, as Lambda gives its init phase, then the function's
        own timeout to answer; one that does not is ended.
        """
        self._invocation = invocation
        self._wake()
        try:
            begun: set[asyncio.Future[Any]] = {invocation.taken, invocation.result}
            await asyncio.wait(begun, timeout=INIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not invocation.taken.done() and not invocation.result.done():
                self.stop()
                return _failure("Sandbox.Timedout", f"Init timed out after {INIT_SECONDS} seconds")
            async with asyncio.timeout(invocation.seconds):
                return await invocation.result
        except TimeoutError:
            self.stop()
            message = f"Task timed out after {invocation.seconds}.00 seconds"
            return _failure("Sandbox.Timedout", message)
        except asyncio.CancelledError:
            # The caller is gone and the outcome unknown: the worker may not serve another.
            self.stop()
            raise
        finally:
            self._invocation = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the Runtime API to this worker's process."""
        if scope["server"][1] != self.port:
            await send_response(send, 410)
            return
        match scope["path"].removeprefix(_API).split("/"):
            case ["invocation", "next"]:
                await self._next(send)
            case ["invocation", request_id, ("response" | "error") as kind]:
                await self._report(scope, receive, request_id, kind)
                await send_response(send, 202)
            case ["init", "error"]:
                kind = header(scope, b"lambda-runtime-function-error-type") or "Runtime.InitError"
                self._init_error = Result(await read_body(receive, MAXIMUM_PAYLOAD), kind)
                await send_response(send, 202)
            case _:
                await send_response(send, 404)

    async def _next(self, send: Send) -> None:
        if self._waiting is not None and not self._waiting.done():
            # Only a stranger asks while the worker's own process waits.
            await send_response(send, 409)
            return
        port = self.port
        if not self._closed and (self._invocation is None or self._invocation.taken.done()):
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        invocation = self._invocation
        ended = self._closed or port != self.port
        if ended or invocation is None or invocation.taken.done():
            await send_response(send, 410)
            return
        invocation.taken.set_result(None)
        deadline = time.time() + invocation.seconds
        headers = [
            (b"content-type", b"application/json"),
            (b"lambda-runtime-aws-request-id", invocation.request_id.encode()),
            (b"lambda-runtime-deadline-ms", b"%d" % (deadline * 1000)),
            (b"lambda-runtime-invoked-function-arn", invocation.function_arn.encode()),
            (b"lambda-runtime-trace-id", invocation.trace_id.encode()),
        ]
        await send_response(send, 200, invocation.payload, headers)

    async def _report(self, scope: Scope, receive: Receive, request_id: str, kind: str) -> None:
        error = None
        if kind == "error":
            error = header(scope, b"lambda-runtime-function-error-type") or "Unhandled"
        try:
            result = Result(await read_body(receive, MAXIMUM_PAYLOAD), error)
        except BodyTooLongError:
            result = _failure(
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({MAXIMUM_PAYLOAD})",
            )
        if self._invocation is not None and self._invocation.request_id == request_id:
            self._invocation.finish(result)


class Pool:
    """A function's workers: started when needed, as many as there are slots, used again.

    `start` starts a worker's process. Beyond the last worker invocations wait in turn.
    """

    def __init__(
        self,
        function: Function,
        workers: Sequence[Worker],
        start: Callable[[Function, Worker], Awaitable[Process]],
    ) -> None:
        self.function = function
        self._workers = workers
        self._start = start
        self._free = list(workers)
        self._starting = {worker: asyncio.Lock() for worker in workers}
        # What each worker's process was started with.
        self._runs: dict[Worker, Function] = {}
        self._queue: deque[asyncio.Future[Worker]] = deque()

    @property
    def ports(self) -> list[int]:
        """The ports of the workers."""
        return [worker.port for worker in self._workers]

    async def warm(self) -> None:
        """Start one worker ahead of the first invocation, if there is none."""
        if self._free and self.function.why_not_run is None:
            await self._begin(self._free[-1])

    def renew(self, function: Function) -> None:
        """Run this from the next invocation on; those under way end with what they have."""
        self.function = function
        for worker in self._free:
            worker.stop()

    async def invoke(self, payload: bytes, trace_id: str = "") -> Result:
        """Run the function once with a JSON payload. Raises NotRunError."""
        why = self.function.why_not_run
        if why is not None:
            raise NotRunError(why)
        loop = asyncio.get_running_loop()
        worker = await self._acquire()
        try:
            if worker.process is not None and self._is_stale(worker, worker.process):
                worker.stop()
            await self._begin(worker)
            invocation = _Invocation(
                payload=payload,
                function_arn=self.function.arn,
                trace_id=trace_id,
                seconds=self.function.timeout,
                result=loop.create_future(),
                taken=loop.create_future(),
            )
            return await worker.run(invocation)
        finally:
            self._release(worker)

    def _is_stale(self, worker: Worker, process: Process) -> bool:
        expires_soon = process.expires < datetime.now(UTC) + _RENEW_BEFORE
        return expires_soon or self._runs.get(worker) is not self.function

    async def _begin(self, worker: Worker) -> None:
        """Start a worker's process, if it has none."""
        async with self._starting[worker]:
            while worker.process is None:
                function = self.function
                process = await self._start(function, worker)
                worker.started(process)
                self._runs[worker] = function
                if function is not self.function:
                    worker.stop()  # renewed in the meantime

    async def _acquire(self) -> Worker:
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(turn.result())
            raise

    def _release(self, worker: Worker) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(worker)
                return
        # Last used, first reused: the warm ones stay warm, the others are never started.
        self._free.append(worker)

    def stop(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()
