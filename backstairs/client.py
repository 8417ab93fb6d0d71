"""A client of the doors that signs with botocore, so that our signer is not its own judge."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from botocore.credentials import Credentials

TIMEOUT_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it was admitted and answered."""
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def request_id(self) -> str:
        """The id under which the door keeps its decision."""
        return self.headers.get("x-amzn-requestid", self.headers.get("apigw-requestid", ""))


def call(
    port: int,
    method: str,
    path: str,
    *,
    host: str,
    region: str,
    credentials: Credentials | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> Answer:
    """Send one request to a door on 127.0.0.1.

    `path` starts with the stage and may have a query, both percent-encoded already. `headers` in
    pairs may repeat a name. Signed if there are credentials. Raises OSError when nothing answers.
    """
    request = AWSRequest(method, f"https://{host}{path}", data=body)
    for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
        request.headers.add_header(name, value)
    if credentials is not None:
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        given = {name.lower() for name in request.headers}
        connection.putrequest(
            method, path, skip_host=True, skip_accept_encoding="accept-encoding" in given
        )
        connection.putheader("Host", host)
        for name, value in request.headers.items():
            if name.lower() != "host":
                connection.putheader(name, value)
        if "content-length" not in given and (body or method in ("POST", "PUT", "PATCH")):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read())
    finally:
        connection.close()
