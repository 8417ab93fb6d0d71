"""A client of the doors that signs with botocore, so that our signer is not its own judge."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Send one request to a door on 127.0.0.1.

    `path` starts with the stage and may have a query, both percent-encoded already. Signed if
    there are credentials. Raises OSError when nothing answers.
    """
    request = AWSRequest(method, f"https://{host}{path}", data=body, headers=dict(headers or {}))
    if credentials is not None:
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        sent = {**dict(request.headers.items()), "Host": host}
        connection.request(method, path, body=body or None, headers=sent)
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read())
    finally:
        connection.close()
