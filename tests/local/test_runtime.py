"""Functions that fail, on the real runtime client behind the door's own pool."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.gateway import proxy_response
from backstairs.http.servers import Servers
from backstairs.runtime.pool import Function, Pool, Result, Worker
from backstairs.runtime.process import Children, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

PYTHON = Path(sys.prefix).parent / "runtime" / "bin" / "python"

HANDLERS = """
import os, sys, time

def echo(event, context):
    return {"event": event, "pid": os.getpid(), "left": context.get_remaining_time_in_millis()}

def raises(event, context):
    raise ValueError("no such luck")

def raises_at_length(event, context):
    raise ValueError("x" * 500_000)

def leaves(event, context):
    os._exit(3)

def sleeps(event, context):
    time.sleep(60)

def once(event, context):
    if event["die"]:
        os._exit(3)
    return os.getpid()

def large(event, context):
    return "x" * (7 * 1024 * 1024)

def slow(event, context):
    time.sleep(0.3)
    return os.getpid()
"""


@asynccontextmanager
async def pool_of(
    folder: Path, handler: str, *, seconds: int = 5, workers: int = 2, lifetime: int = 3600
) -> AsyncIterator[Pool]:
    """A pool for one of the handlers above, with nothing of an account around it."""
    (folder / "handlers.py").write_text(HANDLERS, "utf-8")
    children, servers = Children(), Servers()
    following: set[asyncio.Task[None]] = set()
    log = (folder / "log").open("ab")

    async def start(function: Function, worker: Worker) -> WorkerProcess:
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{worker.port}",
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(function.code),
            "PYTHONPATH": str(function.code),
        }
        command = [str(PYTHON), "-m", "awslambdaric", function.handler]
        process = children.start(
            command, environment=environment, output=subprocess.PIPE, folder=function.code
        )
        expires = datetime.now(UTC) + timedelta(seconds=lifetime)
        started = WorkerProcess(process, expires)
        following.add(asyncio.create_task(started.follow(log)))
        return started

    slots = [Worker(servers.add) for _ in range(workers)]
    function = Function(
        name=handler,
        label=handler,
        arn=f"arn:aws:lambda:us-east-1:123456789012:function:{handler}",
        runtime="python3.13",
        handler=f"handlers.{handler}",
        role_arn="",
        timeout=seconds,
        memory=128,
        vpc_id=None,
        environment={},
        code=folder,
    )
    pool = Pool(function, slots, start)
    serving = asyncio.create_task(servers.run())
    await servers.started()
    try:
        yield pool
    finally:
        pool.stop()
        servers.stop()
        await serving
        children.close()
        await asyncio.gather(*following)
        log.close()


def using(
    folder: Path, handler: str, use: Callable[[Pool], Coroutine[Any, Any, Any]], **options: int
) -> Any:
    """Run a coroutine function on a pool."""

    async def run() -> Any:
        async with pool_of(folder, handler, **options) as pool:
            return await use(pool)

    return asyncio.run(run())


def invoke(folder: Path, handler: str, event: object = None, **options: int) -> Result:
    """Invoke once."""
    payload = json.dumps(event).encode()
    result: Result = using(folder, handler, lambda pool: pool.invoke(payload), **options)
    return result


def test_an_answer(tmp_path: Path) -> None:
    """The event arrives as it is, with a deadline, and the answer comes back."""
    result = invoke(tmp_path, "echo", {"é": [1]}, seconds=5)

    answer = json.loads(result.payload)
    assert result.error is None
    assert answer["event"] == {"é": [1]}
    assert 0 < answer["left"] <= 15_000


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        ("raises", "ValueError"),
        ("raises_at_length", "ValueError"),
        ("leaves", "Runtime.ExitError"),
        ("missing", "Runtime.HandlerNotFound"),
        ("large", "Function.ResponseSizeTooLarge"),
    ],
)
def test_failures(tmp_path: Path, handler: str, error: str) -> None:
    """A function that raises, leaves, is not there or says too much fails by Lambda's own name."""
    result = invoke(tmp_path, handler)

    assert result.error is not None
    assert json.loads(result.payload)["errorType"] == error


def test_time_out(tmp_path: Path) -> None:
    """A function that takes longer than its timeout is ended; the next call gets a new process."""

    async def twice(pool: Pool) -> list[Result]:
        await pool.warm()
        return [await pool.invoke(b"{}"), await pool.invoke(b"{}")]

    results = using(tmp_path, "sleeps", twice, seconds=1, workers=1)

    assert [result.error for result in results] == ["Sandbox.Timedout"] * 2


def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    """The call after one that ended the process is served by another process."""

    async def calls(pool: Pool) -> list[Result]:
        events = (b'{"die": false}', b'{"die": true}', b'{"die": false}')
        return [await pool.invoke(event) for event in events]

    first, dead, second = using(tmp_path, "once", calls, workers=1)

    assert dead.error == "Runtime.ExitError"
    assert first.error is second.error is None
    assert first.payload != second.payload


def test_workers_are_used_again(tmp_path: Path) -> None:
    """Calls one after another need one process; calls at once need more, up to the slots."""

    async def calls(pool: Pool) -> tuple[set[bytes], set[bytes]]:
        alone = {(await pool.invoke(b"{}")).payload for _ in range(3)}
        together = await asyncio.gather(*(pool.invoke(b"{}") for _ in range(6)))
        return alone, {result.payload for result in together}

    alone, together = using(tmp_path, "slow", calls, workers=2)

    assert len(alone) == 1
    assert len(together) == 2


def test_credentials_are_renewed(tmp_path: Path) -> None:
    """A worker whose credentials end soon is replaced before it serves again."""

    async def calls(pool: Pool) -> list[Result]:
        return [await pool.invoke(b"{}") for _ in range(2)]

    first, second = using(tmp_path, "slow", calls, workers=1, lifetime=60)

    assert first.error is second.error is None
    assert first.payload != second.payload


def test_a_caller_who_leaves(tmp_path: Path) -> None:
    """When a caller goes away its worker is not given to another with the old call in it."""

    async def calls(pool: Pool) -> tuple[Result, Result]:
        first = await pool.invoke(b"{}")
        left = asyncio.create_task(pool.invoke(b"{}"))
        await asyncio.sleep(0.1)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        return first, await pool.invoke(b"{}")

    first, last = using(tmp_path, "slow", calls, workers=1)

    assert last.error is None
    assert last.payload != first.payload


def test_a_cold_start_is_not_the_functions_time(tmp_path: Path) -> None:
    """The function's own timeout begins when it gets the event, cold or warm."""
    (tmp_path / "sitecustomize.py").write_text("import time; time.sleep(1.5)", "utf-8")

    result = invoke(tmp_path, "echo", seconds=1)

    assert result.error is None
    assert json.loads(result.payload)["left"] <= 1000


def test_a_stranger_gets_no_event(tmp_path: Path) -> None:
    """Who asks a worker's port for events while the worker waits is turned away."""

    async def calls(pool: Pool) -> tuple[bytes, Result]:
        await pool.invoke(b"{}")
        await asyncio.sleep(0.2)
        port = pool.ports[-1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n")
        writer.close()
        return head, await pool.invoke(b"{}")

    head, result = using(tmp_path, "echo", calls, workers=1)

    assert head.startswith(b"HTTP/1.1 409 ")
    assert result.error is None


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"statusCode": "ok"},
        {"statusCode": 42},
        {"statusCode": 101},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"": "c"}},
        {"statusCode": 200, "headers": {"a\r\nb": "c"}},
        {"statusCode": 200, "headers": {"a": "\x7f"}},
        {"statusCode": 200, "headers": {"a": None}},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "body": "\ud800"},
        {"statusCode": float("inf")},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"x": "a\r\nb: c"}},
        {"statusCode": 200, "multiValueHeaders": {"x": "a"}},
        {"statusCode": 200, "unknown": 1},
    ],
)
def test_malformed_answers(answer: object) -> None:
    """An answer that is not a proxy answer is refused, which a caller sees as 502."""
    with pytest.raises(proxy_response.MalformedAnswerError):
        proxy_response.answer(json.dumps(answer).encode())


def test_answers_as_responses() -> None:
    """Status, repeated headers and body are passed on; what API Gateway owns is renamed."""
    said = {
        "statusCode": "201",
        "headers": {
            "Location": "/x",
            "Server": "mine",
            "Transfer-Encoding": "chunked",
            "Set-Cookie": "c=3",
        },
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "Location": ["/x"]},
        "body": "é",
    }

    answer = proxy_response.answer(json.dumps(said).encode())

    assert answer.status == 201
    assert answer.body == "é".encode()
    assert answer.headers == [
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"Location", b"/x"),
        (b"x-amzn-Remapped-server", b"mine"),
        (b"Set-Cookie", b"c=3"),
        (b"content-type", b"application/json"),
    ]


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(status: int) -> None:
    """A 204 or 304 carries no body, whatever the function says: it would be the next answer."""
    answer = proxy_response.answer(json.dumps({"statusCode": status, "body": "HELLO"}).encode())

    assert (answer.body, answer.headers) == (b"", [])
