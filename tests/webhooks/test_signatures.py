"""Only what GitHub has signed gets through."""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, Any

import pytest
from forwarder import signature
from forwarder.providers import GITHUB
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhooks.conftest import SECRET, event_of, sample, sign

if TYPE_CHECKING:
    from tests.webhooks.conftest import Sender

BODY = b'{"a":1}'


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_signed_delivery_is_forwarded_as_it_came(github: Sender, kind: str) -> None:
    """Body and GitHub's headers reach the backend, its answer GitHub."""
    event = sample(f"{kind}-push")
    assert github.send(event) == (202, {"accepted": True})
    (sent,) = github.backend.sent
    assert sent.target == "/hooks"
    assert sent.body == event["body"].encode()
    for name, value in event["headers"].items():
        if name.lower().startswith(("x-github", "x-hub", "user-agent", "content-type")):
            assert sent.header(name) == value


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_a_ping_is_answered_and_not_forwarded(github: Sender, kind: str) -> None:
    """200, and nothing is stored of it."""
    status, body = github.send(sample(f"{kind}-ping"))
    assert (status, body["message"]) == (200, "pong")
    assert github.has_seen_nothing()


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_the_wrong_secrets_signature_is_refused(github: Sender, kind: str) -> None:
    """401; nothing reaches the backend or the table."""
    status, body = github.send(sample(f"{kind}-bad-signature"))
    assert status == 401
    assert set(body) == {"message", "requestId"}
    assert github.has_seen_nothing()


GOOD = sign(BODY)


@pytest.mark.parametrize("payload", ["1.0", "2.0"])
@pytest.mark.parametrize(
    "claimed",
    [
        None,
        "",
        "sha256=",
        GOOD.removeprefix("sha256="),
        GOOD.replace("sha256", "sha1"),
        GOOD.replace("sha256", "SHA256"),
        GOOD[:-1],
        GOOD + "0",
        f" {GOOD}",
        f"{GOOD} ",
        f"{GOOD}\n",
        GOOD[:-1] + "g",
        GOOD.replace("=", ":"),
        "sha256=" + "\uff10" * 64,
        "sha256=" + "é" * 64,
        "x" * 10_000,
        sign(b""),
        sign(BODY + b" "),
        [GOOD, GOOD],
        [GOOD, sign(b"")],
        [],
    ],
)
def test_what_is_no_signature_of_the_body_is_refused(
    github: Sender, claimed: Any, payload: str
) -> None:
    """Missing, malformed, repeated, of something else: 401, and never a crash."""
    if claimed == [] and payload == "2.0":
        claimed = None
    headers = {"X_Hub_Signature_256": claimed}
    if claimed == []:
        headers = {"X_Hub_Signature_256": None}
    status, _ = github.deliver(BODY, payload=payload, **headers)
    assert status == 401
    assert github.has_seen_nothing()


def test_a_sha1_signature_alone_is_none(github: Sender) -> None:
    """GitHub still sends the old header; it is not what counts."""
    status, _ = github.deliver(BODY, X_Hub_Signature_256=None, X_Hub_Signature=GOOD)
    assert status == 401


def test_the_body_is_what_came_not_what_it_means(github: Sender) -> None:
    """The same JSON written otherwise is another body."""
    assert github.deliver(b'{ "a": 1 }', X_Hub_Signature_256=GOOD)[0] == 401
    assert github.deliver(b'{"a":1}\n', X_Hub_Signature_256=GOOD)[0] == 401
    assert github.deliver(BODY, X_Hub_Signature_256=GOOD)[0] == 202


def test_hex_digits_may_be_capitals(github: Sender) -> None:
    """They are the same digest."""
    claimed = "sha256=" + GOOD.removeprefix("sha256=").upper()
    assert github.deliver(BODY, X_Hub_Signature_256=claimed)[0] == 202


@pytest.mark.parametrize("body", [b"", b"payload=%7B%7D", bytes(range(256)) * 5000])
def test_any_body_that_is_signed_gets_through(github: Sender, body: bytes) -> None:
    """Empty, a form, 1.25 MB of octets that are no text, as a binary API hands them over."""
    values = {"X-Hub-Signature-256": sign(body), "X-GitHub-Delivery": "d-1"}
    event = event_of(b"", values, "1.0")
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert github.send(event)[0] == 202
    assert github.backend.sent[0].body == body


@pytest.mark.parametrize("payload", ["1.0", "2.0"])
@pytest.mark.parametrize("name", ["X_GitHub_Event", "X_GitHub_Delivery"])
@pytest.mark.parametrize("value", [None, "", " a", "a\nb", "x" * 101, "é", "$(id)", ["a", "b"]])
def test_a_delivery_says_what_it_is(github: Sender, payload: str, name: str, value: Any) -> None:
    """Without a sane event and id it is refused, though signed; unsigned, that comes first."""
    headers = {name: value}
    assert github.deliver(BODY, payload=payload, **headers)[0] == 400
    assert github.has_seen_nothing()
    refused = github.deliver(BODY, payload=payload, secret="another-webhook-secret", **headers)
    assert refused[0] == 401


def test_no_line_tells_of_a_body_a_signature_or_a_secret(
    github: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever comes of a delivery."""
    caplog.set_level(logging.INFO)
    body = b'{"word":"B0DYSECRET"}'
    github.deliver(body)
    github.deliver(body, secret="another-webhook-secret")
    github.deliver(body, X_GitHub_Delivery=None)
    github.backend.status = 500
    github.deliver(body)
    github.dynamodb.is_down = True
    github.deliver(body)
    github.write("short")
    github.webhooks = github.fresh()
    github.deliver(body)
    assert len(caplog.records) >= 6
    said = "".join(str(vars(record)) for record in caplog.records)
    for word in ("B0DYSECRET", sign(body)[7:], SECRET, "short'"):
        assert word not in said


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200), secret=st.text(min_size=1, max_size=80), flip=st.integers(0))
def test_one_other_bit_is_another_signature(body: bytes, secret: str, flip: int) -> None:
    """Of any body under any secret, of two secrets either."""
    proof = signature.given(GITHUB, [("x-hub-signature-256", sign(body, secret))])
    assert proof is not None
    secrets = (b"the other secret", secret.encode())
    assert signature.matches(GITHUB, proof, body, secrets)
    assert signature.matches(GITHUB, proof, body, secrets[::-1])
    assert not signature.matches(GITHUB, proof, body, secrets[:1])
    assert not signature.matches(GITHUB, proof, body, ())
    (digest,) = proof.claimed
    bit = flip % (len(digest) * 8)
    other = bytearray(digest)
    other[bit // 8] ^= 1 << bit % 8
    forged = proof._replace(claimed=(bytes(other),))
    assert not signature.matches(GITHUB, forged, body, secrets)
