"""Requests that nobody should send: a clear 4xx with a JSON body, never a 5xx."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.credentials import Credentials

    from tests.local.application import Application

MEMBER = "/members/m-1001"
CLAIM = {
    "policyId": "POL-1",
    "memberName": "Ada Lovelace",
    "claimType": "dental",
    "amount": 12000,
    "currency": "EUR",
    "occurredOn": "2026-11-01",
}


@pytest.fixture(scope="module")
def writer(application: Application) -> Iterator[Credentials]:
    """Credentials of a role that may do everything with claims."""
    iam = application.account.client("iam")
    role = application.running.roles["claim-types"].rpartition("/")[2]
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:us-east-1:123456789012:*/dev/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="everything", PolicyDocument=document)
    credentials = application.credentials("claim-types")
    for _ in range(100):
        if application.call("GET", "/claims/m-1001", credentials=credentials).status == 200:
            break
        time.sleep(0.1)
    yield credentials
    iam.delete_role_policy(RoleName=role, PolicyName="everything")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"{}", 400),
        (b"[" * 100_000, 400),
        (json.dumps(CLAIM | {"amount": "12000"}).encode(), 400),
        (json.dumps(CLAIM | {"amount": True}).encode(), 400),
        (json.dumps(CLAIM | {"memberName": {"$ne": 1}}).encode(), 400),
        (json.dumps(CLAIM | {"PK": "MEMBER#other"}).encode(), 400),
        (json.dumps(CLAIM | {"claimId": "mine", "version": 9}).encode(), 400),
        (b'"' + b"x" * (7 * 1024 * 1024) + b'"', 400),
        (b'"' + b"x" * (11 * 1024 * 1024) + b'"', 413),
        (b'"' + b"x" * (60 * 1024 * 1024) + b'"', 413),
    ],
)
def test_bad_bodies(
    application: Application, writer: Credentials, body: bytes, status: int
) -> None:
    """A body that is not a claim is refused with a message, whatever it is."""
    answer = application.call(
        "POST",
        "/claims/m-1001",
        credentials=writer,
        headers={"Content-Type": "application/json"},
        body=body,
    )

    assert answer.status == status
    said = json.loads(answer.body)
    assert said["message"]
    assert status != 400 or said["statusCode"] == 400  # as the template words it


def test_a_refusal_after_admission_is_explained(
    application: Application, writer: Credentials
) -> None:
    """`backstairs call` ends with the reason of the answer, not with those of the admission."""
    assert writer
    called = application.command(
        "call", "POST", "/claims/m-1001", "--as", "claim-types", "--data", "{}"
    )

    assert called.stdout.startswith("400\n")
    assert called.stderr.splitlines()[-1].startswith("- the body does not fit its model [request-")


def test_a_good_body(application: Application, writer: Credentials) -> None:
    """The same request with a claim in it makes one."""
    answer = application.call(
        "POST", "/claims/m-1001", credentials=writer, body=json.dumps(CLAIM).encode()
    )

    assert answer.status == 201
    claim = json.loads(answer.body)
    location = answer.headers["location"]
    assert location.endswith(f"/claims/m-1001/{claim['claimId']}")


@pytest.mark.parametrize(
    ("member_id", "status"),
    [
        ("a%2Fb", 400),
        ("a%252Fb", 400),
        ("%2E%2E", 400),
        ("%00", 400),
        ("%FF", 400),
        ("%", 400),
        ("m%C3%A9", 400),
        ("a+b", 400),
        ("x" * 300, 400),
        ("m-1001;v=1", 400),
        ("m-1001?x=2&x=1&blank=&y=%20%2B", 200),
        ("m-9999", 404),
        ("a/b/c", 403),
        ("", 403),
    ],
)
def test_odd_ids(
    application: Application, writer: Credentials, member_id: str, status: int
) -> None:
    """An id in the path that no member can have is a 400, and no other route's business."""
    answer = application.call("GET", f"/members/{member_id}", credentials=writer)

    assert answer.status == status
    body = json.loads(answer.body)
    if status == 200:
        assert body["memberId"] == "m-1001"
    else:
        assert body.keys() & {"message", "Message"}


def raw(application: Application, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; returns status, headers, body."""
    address = ("127.0.0.1", application.port("endpoint"))
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }
        while len(body) < int(headers["content-length"]):
            body += connection.recv(65536)
    return int(lines[0].split()[1]), headers, body


def signed_headers(
    application: Application, credentials: Credentials, at: datetime | None = None
) -> dict[str, str]:
    """The headers of a signed GET of the member, signed at a time of our choice."""
    host = application.host(MEMBER)
    request = AWSRequest("GET", f"https://{host}/dev{MEMBER}")
    signer = SigV4Auth(credentials, "execute-api", "us-east-1")
    signer.add_auth(request)
    if at is not None:
        request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
        del request.headers["Authorization"]
        request.headers.replace_header("X-Amz-Date", request.context["timestamp"])
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        signer._inject_signature_to_request(request, signer.signature(to_sign, request))  # noqa: SLF001
    return {"Host": host, **dict(request.headers.items())}


def get(headers: dict[str, str], *more: str) -> bytes:
    """A GET of the member as bytes."""
    lines = [f"{name}: {value}" for name, value in headers.items()] + list(more)
    return "\r\n".join([f"GET /dev{MEMBER} HTTP/1.1", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("minutes", "message"), [(-6, "Signature expired"), (6, "Signature not yet current")]
)
def test_dates(application: Application, writer: Credentials, minutes: int, message: str) -> None:
    """A signature older or younger than five minutes is refused as such."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    status, headers, body = raw(application, get(signed_headers(application, writer, at)))

    assert status == 403
    assert headers["x-amzn-errortype"] == "InvalidSignatureException"
    assert json.loads(body)["message"].startswith(message)


def test_dates_within_five_minutes(application: Application, writer: Credentials) -> None:
    """A signature four minutes old is good."""
    at = datetime.now(UTC) - timedelta(minutes=4)

    status, _, _ = raw(application, get(signed_headers(application, writer, at)))

    assert status == 200


@pytest.mark.parametrize("length", [0, 5, 16, 30, 60, 120, -1, -40])
def test_truncated_authorization(
    application: Application, writer: Credentials, length: int
) -> None:
    """An Authorization header that is cut off is refused, wherever it is cut."""
    headers = signed_headers(application, writer)
    headers["Authorization"] = headers["Authorization"][:length]

    status, headers, body = raw(application, get(headers))

    assert status == 403
    assert headers["x-amzn-errortype"] in {
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
    assert json.loads(body)["message"]


def test_a_trailer_is_no_header(application: Application) -> None:
    """What follows a chunked body does not address an API, or change how one is addressed."""
    api = application.running.api_with("/claim-types")
    head = f"GET /{api.stage}/claim-types HTTP/1.1\r\n"
    chunks = "Transfer-Encoding: chunked\r\n\r\n0\r\n"

    addressed = f"{head}Host: x\r\n{chunks}x-apigw-api-id: {api.api_id}\r\n\r\n"
    changed = f"{head}Host: {application.host('/claim-types')}\r\n{chunks}Host: x\r\n\r\n"

    assert raw(application, addressed.encode())[0] == 403
    assert raw(application, changed.encode())[0] == 200


def test_options_of_the_server(application: Application) -> None:
    """OPTIONS * names no API."""
    status, _, body = raw(application, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")

    assert status in {400, 403}
    assert json.loads(body)["message"]


def test_duplicated_authorization(application: Application, writer: Credentials) -> None:
    """Two Authorization headers are refused, even two equal ones."""
    headers = signed_headers(application, writer)

    status, _, body = raw(application, get(headers, f"Authorization: {headers['Authorization']}"))

    assert status == 403
    assert "more than once" in json.loads(body)["message"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /dev/members/m-1001\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /dev HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /dev HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /dev HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    ],
)
def test_malformed_http(application: Application, request_bytes: bytes) -> None:
    """What is not HTTP is a 400 with a JSON body."""
    status, _, body = raw(application, request_bytes)

    assert status == 400
    assert json.loads(body)["message"] == "Bad Request"


@pytest.mark.parametrize(
    "authorization",
    ["Bearer abc", "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 =,=,=", "\xe9" * 9],
)
def test_other_authorization(application: Application, authorization: str) -> None:
    """Another kind of Authorization is no signature."""
    headers = {"Host": application.host(MEMBER), "Authorization": authorization}

    status, answer_headers, body = raw(application, get(headers))

    assert status == 403
    assert answer_headers["x-amzn-errortype"] == "IncompleteSignatureException"
    assert json.loads(body)["message"]
