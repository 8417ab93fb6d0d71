"""From outside to a backend of the network, with curl: through both kinds of public API."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
from botocore.credentials import Credentials

from backstairs.local.deploy import StepError
from tests.local.edge import (
    OF_WEBHOOKS,
    PARTNER,
    SECRET,
    STACKS,
    WEBHOOKS,
    WITHOUT_KEYS,
    Edge,
    message,
    signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from backstairs.client import Answer
    from backstairs.local.deploy import Stack

ROOT_USER = Credentials("test", "test")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Both stacks, deployed once; nothing of them lives afterwards."""
    edge = Edge(tmp_path_factory.mktemp("edge"))
    try:
        yield edge
    finally:
        edge.close()


@pytest.fixture
def edge(deployed: Edge) -> Edge:
    """Both stacks, before a backend that has seen nothing."""
    deployed.backend.reset()
    return deployed


def admitted(edge: Edge, kind: str) -> tuple[Credentials | None, dict[str, str]]:
    """What a partner shows: a signature or a key."""
    return (ROOT_USER, {}) if kind == "http" else (None, {"x-api-key": edge.key})


def fetch(edge: Edge, kind: str, path: str, verb: str = "GET", body: bytes = b"") -> Answer:
    """What a partner is answered."""
    credentials, headers = admitted(edge, kind)
    return edge.call(kind, verb, path, credentials=credentials, headers=headers, body=body)


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_verb_arrives(edge: Edge, kind: str, verb: str) -> None:
    """With the path below /partner behind the backend's own, and the body."""
    body = b"" if verb in ("GET", "OPTIONS", "DELETE") else b'{"a": 1}'

    answer = fetch(edge, kind, "/partner/things/7", verb, body)

    (seen,) = edge.backend.arrived
    assert (answer.status, answer.body) == (200, b"from the backend")
    assert (seen.method, seen.path, seen.body) == (verb, "/base/things/7", body)


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_head_has_no_body(edge: Edge, kind: str) -> None:
    """And the status and headers of the backend."""
    edge.backend.headers = [(b"etag", b'"7"')]

    said = edge.curl(kind, "/partner/things", "--head")

    assert said.startswith("HTTP/1.1 200")
    assert 'etag: "7"' in said.lower()
    assert edge.backend.arrived[0].method == "HEAD"


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_query_keeps_all_values(edge: Edge, kind: str) -> None:
    """Repeated, empty and encoded ones."""
    fetch(edge, kind, "/partner/things?tag=a&tag=b%20c&tag=&eq=1%3D2&u=%C3%A9")

    pairs = sorted(edge.backend.arrived[0].query.replace("+", "%20").split("&"))
    assert pairs == ["eq=1%3D2", "tag=", "tag=a", "tag=b%20c", "u=%C3%A9"]


def test_a_path_arrives_as_it_was_sent(edge: Edge) -> None:
    """Encoded slashes, spaces and Unicode, a slash at the end, what looks like a host."""
    paths = [
        "/a%2Fb",
        "/a%20b/",
        "/caf%C3%A9",
        "//evil.example/x",
        "/@evil.example",
        "/a;v=1",
        "/%40",
    ]
    for path in paths:
        edge.curl("rest", f"/partner{path}")

    assert [seen.path for seen in edge.backend.arrived] == [f"/base{path}" for path in paths]
    assert {seen.values("host")[0] for seen in edge.backend.arrived} == {"backend.example.internal"}


def test_an_http_api_decodes_the_path_and_the_forwarder_encodes_it_again(edge: Edge) -> None:
    """Which encoded slash was which is lost there, and documented."""
    for path in ("/a%20b/", "/caf%C3%A9", "/100%25", "/a%3Fb"):
        fetch(edge, "http", f"/partner{path}")

    seen = [one.path for one in edge.backend.arrived]
    assert seen[:3] == ["/base/a%20b/", "/base/caf%C3%A9", "/base/100%25"]


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize(
    "path", ["/../admin", "/a/../../admin", "/%2e%2e/admin", "/a/%2E%2E%2Fadmin"]
)
def test_dot_segments_go_nowhere(edge: Edge, kind: str, path: str) -> None:
    """400, and the backend hears nothing."""
    status = edge.curl(
        kind, f"/partner{path}", "--output", "/dev/null", "--write-out", "%{http_code}"
    )

    # 501: refused by the allowlist if the dots are resolved before it is asked.
    assert status in ("400", "403", "404", "501")
    assert edge.backend.arrived == []


def test_four_megabytes_arrive_and_come_back(edge: Edge, tmp_path: Path) -> None:
    """With curl, compared by hash, both ways."""
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(os.urandom(4 * 1024 * 1024))
    edge.backend.body = os.urandom(4 * 1024 * 1024)
    binary = ("--header", "Content-Type: application/octet-stream", "--data-binary", f"@{sent}")

    edge.curl("rest", "/partner/blobs", *binary, "--output", str(got))

    (seen,) = edge.backend.arrived
    assert hashlib.sha256(seen.body).digest() == hashlib.sha256(sent.read_bytes()).digest()
    assert got.read_bytes() == edge.backend.body


def test_four_megabytes_by_an_http_api(edge: Edge) -> None:
    """As by a REST API."""
    sent, edge.backend.body = os.urandom(4 * 1024 * 1024), os.urandom(4 * 1024 * 1024)

    answer = fetch(edge, "http", "/partner/blobs", "POST", sent)

    assert edge.backend.arrived[0].body == sent
    assert answer.body == edge.backend.body


def test_what_lambda_could_not_take_is_too_long(edge: Edge) -> None:
    """413 for a request, 502 for an answer; both in JSON."""
    long = os.urandom(5 * 1024 * 1024)
    answer = fetch(edge, "rest", "/partner/blobs", "POST", long)
    assert (answer.status, message(answer)) == (413, "Request Too Long")
    assert edge.backend.arrived == []

    edge.backend.body = long
    answer = fetch(edge, "rest", "/partner/blobs")
    assert answer.status == 502
    assert "too large" in message(answer)


def test_a_form_with_a_file_arrives(edge: Edge, tmp_path: Path) -> None:
    """Multipart, its boundary in the header as in the body."""
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(range(256)))

    edge.curl("rest", "/partner/forms", "--form", "name=value", "--form", f"file=@{file}")

    (seen,) = edge.backend.arrived
    boundary = seen.values("content-type")[0].partition("boundary=")[2]
    assert seen.body.count(f"--{boundary}".encode()) == 3
    assert bytes(range(256)) in seen.body


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_gzip_stays_gzip(edge: Edge, kind: str, tmp_path: Path) -> None:
    """In neither direction does anybody unpack it."""
    packed = gzip.compress(b"x" * 10_000)
    edge.backend.body, edge.backend.headers = packed, [(b"content-encoding", b"gzip")]
    got = tmp_path / "got"

    edge.curl(kind, "/partner/packed", "--header", "Accept-Encoding: gzip", "--output", str(got))

    assert got.read_bytes() == packed
    assert edge.backend.arrived[0].values("accept-encoding") == ["gzip"]


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_redirects_and_cookies_are_the_clients(edge: Edge, kind: str) -> None:
    """Passed on, each cookie by itself; nothing is followed."""
    edge.backend.status = 302
    edge.backend.headers = [
        (b"location", b"https://elsewhere.example.com/"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
    ]

    said = edge.curl(kind, "/partner/moved", "--include", "--header", "Cookie: c=3; d=4").lower()

    assert said.startswith("http/1.1 302")
    assert "location: https://elsewhere.example.com/" in said
    assert said.count("set-cookie:") == 2
    assert len(edge.backend.arrived) == 1
    assert edge.backend.arrived[0].values("cookie") == ["c=3; d=4"]


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_who_calls_is_what_the_api_saw(edge: Edge, kind: str) -> None:
    """Whatever the client says; neither key nor hop-by-hop headers go on."""
    edge.curl(
        kind,
        "/partner/things",
        *("--header", "X-Forwarded-For: 10.0.0.1"),
        *("--header", "X-Forwarded-Host: evil.example"),
        *("--header", "X-Forwarded-Proto: http"),
        *("--header", "Forwarded: for=10.0.0.1"),
        *("--header", "Via: 1.0 evil"),
        *("--header", "Connection: x-drop-me"),
        *("--header", "X-Drop-Me: 1"),
        *("--header", "X-Kept: a"),
    )

    (seen,) = edge.backend.arrived
    assert seen.values("x-forwarded-for") == ["203.0.113.10"]
    assert seen.values("x-forwarded-proto") == ["https"]
    assert seen.values("x-forwarded-host") == [edge.host(kind)]
    assert "evil" not in str(seen.headers)
    assert seen.values("forwarded") == seen.values("x-drop-me") == seen.values("x-api-key") == []
    assert seen.values("x-kept") == ["a"]


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_partner_is_who_the_api_says_and_nobody_else(edge: Edge, kind: str) -> None:
    """By the key's id or the signer's ARN; what a partner says of itself does not arrive."""
    said = {
        "X-Caller-Key-Id": "forged",
        "X-Caller-Arn": "forged",
        "X-Caller-Subject": "forged",
        "X_Remote_User": "forged",
        "X-Auth-Request-Email": "forged",
        "X-SSL-Client-Verify": "forged",
        "X-Amzn-Oidc-Identity": "forged",
        "X-Consumer-Username": "forged",
    }
    edge.curl(kind, "/partner/x", *(o for n, v in said.items() for o in ("-H", f"{n}: {v}")))

    (seen,) = edge.backend.arrived
    assert "forged" not in str(seen.headers)
    if kind == "rest":
        assert seen.values("x-caller-key-id") == [key_id(edge, STACKS["rest"])]
    else:
        assert seen.values("x-caller-arn") == ["arn:aws:iam::123456789012:root"]


def test_partners_are_told_apart_by_the_backend(edge: Edge) -> None:
    """Each has its own key's id, which its stack's outputs name."""
    for stack in (STACKS["rest"], PARTNER):
        edge.call("rest", "GET", "/partner/x", headers={"x-api-key": edge.key_of(stack)})
    seen = [one.values("x-caller-key-id") for one in edge.backend.arrived]
    assert seen == [[key_id(edge, STACKS["rest"])], [key_id(edge, PARTNER)]]


def key_id(edge: Edge, stack: Stack) -> str:
    """The id of the key that a stack hands out."""
    return edge.account.outputs(stack.name)["PartnerKeyId"]


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize("status", [201, 302, 307])
def test_where_the_backend_sends_a_partner_it_can_go(edge: Edge, kind: str, status: int) -> None:
    """The backend's own name and base path become the public stage and route."""
    edge.backend.status = status
    edge.backend.headers = [
        (b"location", b"https://backend.example.internal/base/things/8?x=1"),
        (b"set-cookie", b"a=1; Domain=backend.example.internal; Path=/base/things"),
        (b"via", b"1.1 backend.example.internal"),
    ]
    said = edge.curl(kind, "/partner/things", "--include").lower()
    assert "location: /dev/partner/things/8?x=1" in said
    assert "set-cookie: a=1; path=/dev/partner/things" in said
    assert "internal" not in said

    edge.backend.reset()
    assert fetch(edge, kind, "/partner/things/8?x=1").status == 200
    assert (edge.backend.arrived[0].path, edge.backend.arrived[0].query) == (
        "/base/things/8",
        "x=1",
    )


def test_a_missing_wrong_or_other_key_is_forbidden(edge: Edge) -> None:
    """All alike, and the backend hears nothing."""
    wrong = "x" * 40
    for headers in ({}, {"x-api-key": wrong}, {"x-api-key": ""}):
        answer = edge.call("rest", "GET", "/partner/things", headers=headers)
        assert (answer.status, message(answer)) == (403, "Forbidden")
        assert answer.headers["x-amzn-errortype"] == "ForbiddenException"
    assert edge.backend.arrived == []


def test_an_http_api_refuses_who_does_not_sign(edge: Edge) -> None:
    """In the words of an HTTP API."""
    answer = edge.call("http", "GET", "/partner/things")
    assert (answer.status, message(answer)) == (403, "Forbidden")
    assert edge.backend.arrived == []


@pytest.mark.parametrize(
    ("verb", "path", "origin", "status"),
    [
        ("GET", "/partner/things", "github", 403),
        ("POST", "/webhooks/github", "internet", 403),
        ("POST", "/webhooks/stripe", "github", 403),
        ("POST", "/webhooks/github/", "github", 501),
        ("POST", "//webhooks/github", "github", 403),
        ("POST", "/webhooks/github/", "internet", 403),
        ("POST", "/webhooks/github/partner/x", "internet", 403),
    ],
)
def test_each_path_has_its_own_addresses(
    edge: Edge, verb: str, path: str, origin: str, status: int
) -> None:
    """A key and a right signature do not help from elsewhere, nor another way of writing the path.

    501 where nobody knows which way of writing it AWS compares with the allowlist, and the answer
    depends on that: not admitted, and nothing is claimed. The backend hears of none.
    """
    body = b"{}"
    headers = {
        "x-api-key": edge.key,
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": signature(body),
    }
    stacks = STACKS if path.startswith("/partner") else WEBHOOKS
    answer = edge.call("rest", verb, path, origin=origin, headers=headers, body=body, stacks=stacks)
    assert answer.status == status
    assert edge.backend.arrived == []


def test_another_providers_path_is_none_of_an_http_api(edge: Edge) -> None:
    """It has no policy; the function says so."""
    body = b"{}"
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"}
    headers |= {"X-Hub-Signature-256": signature(body)}
    assert edge.post("http", "/webhooks/gitlab", headers, body).status == 404
    assert edge.post("http", "/webhooks/github", headers, body).status == 200
    assert len(edge.backend.arrived) == 1


def test_stripes_events_arrive_once_beside_githubs(edge: Edge) -> None:
    """By its own stack and path, from anywhere, signed with the time; a retry is signed anew."""
    body = json.dumps({"id": f"evt_{uuid.uuid4().hex}", "type": "charge.succeeded"}).encode()

    def event(seconds: float, secret: str = SECRET) -> int:
        now = int(time.time() + seconds)
        proof = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={now},v1={proof}"}
        return edge.post("stripe", "/webhooks/stripe", headers, body, origin="internet").status

    assert event(-600) == 401
    assert event(0, "another-secret-of-16") == 401
    assert edge.backend.arrived == []
    edge.backend.status = 202
    assert [event(0), event(1)] == [202, 202]
    (seen,) = edge.backend.arrived
    assert (seen.path, seen.body) == ("/hooks", body)


def test_sixty_deliveries_at_once_are_all_taken(edge: Edge) -> None:
    """As GitHub sends them when a large workflow begins: none is one too many."""
    edge.backend.status = 202
    bodies = [json.dumps({"job": number}).encode() for number in range(60)]
    with ThreadPoolExecutor(60) as threads:
        answers = list(threads.map(lambda body: edge.deliver("rest", body).status, bodies))
    assert 429 not in answers
    assert sorted(seen.body for seen in edge.backend.arrived) == sorted(
        body for body, status in zip(bodies, answers, strict=True) if status == 202
    )


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_webhook_arrives_once(edge: Edge, kind: str) -> None:
    """Delivered again it is answered again, and the backend hears nothing of it."""
    delivery = str(uuid.uuid4())
    edge.backend.status = 202
    body = json.dumps({"zen": "Design for failure. é"}, ensure_ascii=False).encode()

    first = edge.deliver(kind, body, X_GitHub_Delivery=delivery)
    second = edge.deliver(kind, body, X_GitHub_Delivery=delivery)

    assert (first.status, second.status) == (202, 202)
    (seen,) = edge.backend.arrived
    assert (seen.path, seen.body) == ("/hooks", body)


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_forged_webhook_does_not_arrive(edge: Edge, kind: str) -> None:
    """401, whether the signature is wrong, missing or of another body."""
    body = b'{"a": 1}'
    for forged in (signature(b"{}"), signature(body, "guessed-secret-0001"), "sha256=", ""):
        assert edge.deliver(kind, body, X_Hub_Signature_256=forged).status == 401
    assert edge.backend.arrived == []


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_failed_delivery_may_come_again(edge: Edge, kind: str) -> None:
    """Under the same id, as GitHub's redelivery does."""
    delivery, body = str(uuid.uuid4()), b'{"a": 2}'
    edge.backend.status = 503
    assert edge.deliver(kind, body, X_GitHub_Delivery=delivery).status == 503
    edge.backend.status = 200
    assert edge.deliver(kind, body, X_GitHub_Delivery=delivery).status == 200
    assert len(edge.backend.arrived) == 2


def test_the_logs_hold_no_secret(edge: Edge) -> None:
    """Neither key nor signature nor body, nor what a partner asks for."""
    body = b'{"mark": "mark-in-a-body"}'
    proof = signature(body)
    edge.deliver("rest", body)
    edge.call(
        "rest", "GET", "/partner/mark-in-a-path?q=mark-in-a-query", headers={"x-api-key": edge.key}
    )
    logs = edge.log("forwarder") + edge.log("webhooks") + edge.log("backstairs")
    assert "mark-in-a" not in logs
    assert edge.key not in logs
    assert proof not in logs


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PartnerAllowlist": "203.0.113.0/24"}, "PartnerAllowlist"),
        ({"PartnerQuota": "1000"}, "PartnerQuota"),
        ({"PartnerRate": "50"}, "PartnerRate"),
    ],
)
def test_what_an_http_api_cannot_keep_is_refused(
    edge: Edge, changed: dict[str, str], said: str
) -> None:
    """At deployment, saying which parameter and what to do; the stack stays as it was."""
    before = edge.account.physical_ids(STACKS["http"].name)
    with pytest.raises(StepError, match=said):
        edge.sam.deploy(
            edge.account, STACKS["http"], {**edge.parameters, **WITHOUT_KEYS, **changed}
        )
    assert edge.account.physical_ids(STACKS["http"].name) == before


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        ("http", {"WebhookAllowlist": "192.30.252.0/22"}, "would not be kept"),
        ("rest", {"Provider": "slack"}, "WebhookAllowlist is GitHub"),
    ],
)
def test_an_allowlist_that_would_be_wrong_is_refused(
    edge: Edge, kind: str, changed: dict[str, str], said: str
) -> None:
    """One that an HTTP API cannot keep, and GitHub's for somebody else; the stack stays."""
    stack = WEBHOOKS[kind]
    before = edge.account.physical_ids(stack.name)
    with pytest.raises(StepError, match=said):
        edge.sam.deploy(edge.account, stack, {**edge.webhooks, **OF_WEBHOOKS[kind], **changed})
    assert edge.account.physical_ids(stack.name) == before


def test_each_partner_has_a_key_of_its_own(edge: Edge) -> None:
    """Both get in, each by its own; they are told apart."""
    assert edge.key != edge.key_of(PARTNER)
    assert status_with(edge, edge.key) == status_with(edge, edge.key_of(PARTNER)) == 200


def test_a_key_is_changed_with_an_overlap_and_nothing_stays_behind(edge: Edge) -> None:
    """Old; both; the new one alone. With the stack go the keys and where they were kept."""
    stack = STACKS["rest"]
    for one, parameters in (
        (PARTNER, {"ApiStackName": stack.name}),
        (stack, edge.parameters),
    ):
        old = edge.key_of(one)
        edge.sam.deploy(edge.account, one, {**parameters, "PartnerKeys": "first-second"})
        new = edge.key_of(one)
        assert new != old
        eventually(partial(admits, edge, new))
        assert status_with(edge, old) == 200
        edge.sam.deploy(edge.account, one, {**parameters, "PartnerKeys": "second"})
        assert edge.key_of(one) == new
        eventually(partial(refuses, edge, old))
        assert status_with(edge, new) == 200

    for one in (PARTNER, stack):
        client = edge.account.client("cloudformation")
        client.delete_stack(StackName=one.name)
        client.get_waiter("stack_delete_complete").wait(
            StackName=one.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        ssm = edge.account.client("ssm")
        kept = [found["Name"] for found in ssm.describe_parameters()["Parameters"]]
        assert f"/{one.name}/partner-api-key" not in kept
    assert edge.account.client("apigateway").get_api_keys()["items"] == []


def status_with(edge: Edge, key: str) -> int:
    """What a partner with a key is answered."""
    return edge.call("rest", "GET", "/partner/things", headers={"x-api-key": key}).status


def admits(edge: Edge, key: str) -> bool:
    """Whether a key lets in."""
    status = status_with(edge, key)
    assert status in (200, 403)
    return status == 200


def refuses(edge: Edge, key: str) -> bool:
    """Whether a key does not let in any more."""
    return not admits(edge, key)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until the door has heard of a change, for ten seconds at most."""
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)
