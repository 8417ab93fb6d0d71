"""A request to forward, and a backend with the forwarder that leads to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from forwarder.event import Request

if TYPE_CHECKING:
    from forwarder.answer import Answer
    from forwarder.backend import Backend

    from tests.forwarder.scripted import Scripted


class Pair(NamedTuple):
    server: Scripted
    backend: Backend
    environment: dict[str, str]

    def ask(self, method: str = "GET", path: str = "/a", seconds: float = 5, **more: Any) -> Answer:
        """Forward a request."""
        return self.backend.forward(request(method, path, **more), seconds)


def request(
    method: str = "GET",
    path: str = "/a",
    query: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    *,
    source_ip: str | None = "203.0.113.7",
) -> Request:
    return Request(
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=body,
        source_ip=source_ip,
        domain="api.example.com",
        request_id="request-1",
        payload="1.0",
    )


def said(answer: Answer) -> str:
    """The message of an answer of the forwarder's own."""
    content = json.loads(answer.body)
    assert content["requestId"] == "request-1"
    text: str = content["message"]
    return text


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
