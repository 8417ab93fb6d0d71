"""Ways of answering one event, each given the backend's URL and its authority's certificate.

ours         the forwarder
http.client  the same work (event, headers, answer, line of the log) with the standard client
raw          a socket that sends ready bytes and reads until the answer is there: no way is less
usual        a urllib3 pool, and so a connection, for each call, as it is usually written
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from forwarder import settings
from forwarder.answer import Answer, render
from forwarder.backend import Backend
from forwarder.event import read
from forwarder.handler import handle
from forwarder.headers import to_backend, to_caller
from forwarder.report import Report
from forwarder.target import check

if TYPE_CHECKING:
    from collections.abc import Callable

    Way = Callable[[], int]

EVENT = Path(__file__).parents[2] / "events" / "forwarder" / "rest-get.json"


def ours(url: str, authority: Path) -> Way:
    """The forwarder: from the event to the answer in API Gateway's form."""
    event, environment = _event(), _environment(url, authority)
    backend = Backend.from_environment(environment)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 13_000)

    def call() -> int:
        status: int = handle(event, context, backend)["statusCode"]
        return status

    return call


def standard(url: str, authority: Path) -> Way:
    """The same, but for the exchange, on a connection that stays."""
    event, configured = _event(), settings.read(_environment(url, authority))
    report = Report("function")
    connection = http.client.HTTPSConnection(
        configured.host, configured.port, timeout=10, context=configured.tls
    )

    def call() -> int:
        began = time.monotonic()
        request = read(event)
        check(request.path)
        target = f"{configured.path}{request.path}?{request.query}"
        connection.putrequest("GET", target, skip_accept_encoding=True)
        for name, value in to_backend(request, configured.dropped):
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        headers = to_caller(tuple(response.getheaders()))
        headers = configured.inside.outside(headers, target, request.domain, request.prefix)
        answer = Answer(response.status, headers, response.read())
        report.answered(request, answer.status, began)
        status: int = render(answer, request)["statusCode"]
        return status

    return call


def raw(url: str, authority: Path) -> Way:
    """What went over the wire for `ours`, byte for byte, and no look at what comes back."""
    recorded = _Recorded(url, authority)
    parts = urlsplit(url)
    plain = socket.create_connection((str(parts.hostname), int(parts.port or 0)))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    context = ssl.create_default_context(cafile=str(authority))
    connected = context.wrap_socket(plain, server_hostname=str(parts.hostname))
    sent, length = recorded.sent, recorded.length

    def call() -> int:
        connected.sendall(sent)
        left = length
        while left > 0:
            left -= len(connected.recv(65536))
        return 200

    return call


def usual(url: str, authority: Path) -> Way:
    """A pool, and so a connection, for each call; path and query are not dropped here."""
    import urllib3  # noqa: PLC0415 - of this way alone

    event = _event()

    def call() -> int:
        with urllib3.PoolManager(ca_certs=str(authority)) as pool:
            query = urlencode(event["multiValueQueryStringParameters"], doseq=True)
            response = pool.request(
                event["httpMethod"],
                f"{url}/{event['pathParameters']['path']}?{query}",
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


WAYS = {"ours": ours, "http.client": standard, "raw": raw, "usual": usual}


@dataclass
class _Recorded:
    """The bytes of one exchange of ours."""

    url: str
    authority: Path

    def __post_init__(self) -> None:
        from forwarder.connection import Connection  # noqa: PLC0415 - only here looked into

        send, receive = Connection.send, Connection.receive
        self.sent, self.length = b"", 0

        def sends(connection: Connection, data: bytes) -> None:
            self.sent = data
            send(connection, data)

        def receives(connection: Connection) -> bytes:
            received = receive(connection)
            self.length += len(received)
            return received

        Connection.send, Connection.receive = sends, receives  # type: ignore[method-assign,assignment]
        ours(self.url, self.authority)()
        Connection.send, Connection.receive = send, receive  # type: ignore[method-assign]


def _event() -> Any:
    return json.loads(EVENT.read_text(encoding="utf-8"))


def _environment(url: str, authority: Path) -> dict[str, str]:
    return {
        "BACKEND_URL": url,
        "BACKEND_CA": authority.read_text(),
        "AWS_LAMBDA_FUNCTION_NAME": "function",
    }
