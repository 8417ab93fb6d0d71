"""The floor: uvicorn, a Runtime API and an HTTP front, and nothing that decides anything."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

WORKERS = 4
waiting: deque[asyncio.Future[None]] = deque()
events: deque[tuple[str, bytes]] = deque()
results: dict[str, asyncio.Future[bytes]] = {}
counter = iter(range(10**9))


async def body_of(receive: Any) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    return body


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def app(scope: Any, receive: Any, send: Any) -> None:
    loop = asyncio.get_running_loop()
    parts = scope["path"].split("/")
    if parts[1] != "2018-06-01":
        await body_of(receive)
        request_id = f"request-{next(counter)}"
        results[request_id] = loop.create_future()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        event = {"httpMethod": scope["method"], "path": scope["path"], "headers": headers}
        events.append((request_id, json.dumps(event).encode()))
        if waiting:
            waiting.popleft().set_result(None)
        said = json.loads(await results[request_id])
        await answer(send, said["statusCode"], said["body"].encode())
    elif parts[-1] == "next":
        while not events:
            turn: asyncio.Future[None] = loop.create_future()
            waiting.append(turn)
            await turn
        request_id, event_body = events.popleft()
        await answer(
            send,
            200,
            event_body,
            # The runtime client crashes without one.
            (b"content-type", b"application/json"),
            (b"lambda-runtime-aws-request-id", request_id.encode()),
            (b"lambda-runtime-deadline-ms", b"9999999999999"),
            (b"lambda-runtime-invoked-function-arn", b"arn"),
            (b"lambda-runtime-trace-id", b""),
        )
    else:
        results.pop(parts[-2]).set_result(await body_of(receive))
        await answer(send, 202, b"")


async def serve(port: int, python: str) -> None:
    config = uvicorn.Config(
        app,
        port=port,
        interface="asgi3",
        http="httptools",
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    environment = {
        "PATH": os.defpath,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "_HANDLER": "handler.lambda_handler",
        "LAMBDA_TASK_ROOT": str(Path(__file__).parent),
    }
    workers = [
        subprocess.Popen(
            [python, "-m", "awslambdaric", "handler.lambda_handler"],
            env=environment,
            cwd=Path(__file__).parent,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(WORKERS)
    ]
    try:
        await uvicorn.Server(config).serve()
    finally:
        for worker in workers:
            worker.kill()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
