"""Three ways of answering one event, each given the backend's URL and its authority's certificate.

The usual way and ours do the same work on the event; the floor is given a URL and makes nothing
of the answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
from forwarder.backend import Backend
from forwarder.handler import handle

if TYPE_CHECKING:
    from collections.abc import Callable

    Way = Callable[[], int]

EVENT = Path(__file__).parents[2] / "events" / "forwarder" / "rest-get.json"


def ours(url: str, authority: Path) -> Way:
    """The forwarder: from the event to the answer in API Gateway's form."""
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    backend = Backend.from_environment({"BACKEND_URL": url, "BACKEND_CA": authority.read_text()})
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 13_000)

    def call() -> int:
        status: int = handle(event, context, backend)["statusCode"]
        return status

    return call


def usual(url: str, authority: Path) -> Way:
    """A pool, and so a connection, for each call; path and query are not dropped here."""
    event = json.loads(EVENT.read_text(encoding="utf-8"))

    def call() -> int:
        with urllib3.PoolManager(ca_certs=str(authority)) as pool:
            response = pool.request(
                event["httpMethod"],
                _url(url, event),
                headers={name: value for name, value in event["headers"].items() if name != "Host"},
                redirect=False,
                retries=False,
            )
        answer: dict[str, Any] = {
            "statusCode": response.status,
            "headers": dict(response.headers),
            "body": response.data.decode(),
        }
        status: int = answer["statusCode"]
        return status

    return call


def floor(url: str, authority: Path) -> Way:
    """urllib3 alone, with connections that stay: no event is read, no answer is made."""
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    pool = urllib3.PoolManager(ca_certs=str(authority), maxsize=50, block=False)
    target = _url(url, event)
    headers = {name: value for name, value in event["headers"].items() if name != "Host"}

    def call() -> int:
        response = pool.request("GET", target, headers=headers, redirect=False, retries=False)
        return response.status if response.data else 0

    return call


def _url(base: str, event: Any) -> str:
    query = urlencode(event["multiValueQueryStringParameters"], doseq=True)
    return f"{base}/{event['pathParameters']['path']}?{query}"
