"""Each provider's deliveries, in the shape that its documentation shows, signed as it signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from forwarder import signature
from forwarder.providers import PROVIDERS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhooks.conftest import SECRET, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.webhooks.conftest import Sender

    Headers = dict[str, Any]

PAYLOADS = Path(__file__).with_name("payloads")
NOW = 1_700_000_000  # where the tests' clock stands


def payload(name: str) -> bytes:
    """A payload as it is sent: JSON on one line."""
    said = json.loads((PAYLOADS / name).read_text("utf-8"))
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def digest(secret: str, text: bytes) -> str:
    """HMAC with SHA-256, in hex."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def by_github(body: bytes, secret: str = SECRET, _: int = NOW) -> Headers:
    """As GitHub sends a push."""
    return {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": sign(body, secret),
    }


def by_stripe(body: bytes, secret: str = SECRET, time: int = NOW) -> Headers:
    """As Stripe sends an event; v0 is its test scheme, which proves nothing."""
    proof = digest(secret, f"{time}.".encode() + body)
    return {"Stripe-Signature": f"t={time},v0={'6' * 64},v1={proof}"}


def by_slack(body: bytes, secret: str = SECRET, time: int = NOW) -> Headers:
    """As Slack sends an event."""
    proof = digest(secret, f"v0:{time}:".encode() + body)
    return {"X-Slack-Request-Timestamp": str(time), "X-Slack-Signature": f"v0={proof}"}


def by_shopify(body: bytes, secret: str = SECRET, _: int = NOW) -> Headers:
    """As Shopify sends an order."""
    proof = base64.b64encode(bytes.fromhex(digest(secret, body))).decode()
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "example.myshopify.com",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Hmac-Sha256": proof,
    }


def by_gitlab(_body: bytes, secret: str = SECRET, _: int = NOW) -> Headers:
    """As GitLab sends a push."""
    return {
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "Idempotency-Key": "f5e57c8a-4bd2-4f0c-8f3e-31ae5b4b5a1e",
        "X-Gitlab-Token": secret,
    }


SIGNED: dict[str, tuple[Callable[..., Headers], bytes]] = {
    "github": (by_github, b'{"ref":"refs/heads/main"}'),
    "stripe": (by_stripe, payload("stripe.json")),
    "slack": (by_slack, payload("slack-event.json")),
    "shopify": (by_shopify, payload("shopify.json")),
    "gitlab": (by_gitlab, payload("gitlab.json")),
}
TIMED = ["stripe", "slack"]
SIGNING = ["github", "stripe", "slack", "shopify"]

every = pytest.mark.parametrize("sender", sorted(PROVIDERS), indirect=True)


def one(sender: Sender) -> tuple[Callable[..., Headers], bytes]:
    """How the sender signs, and what it sends."""
    return SIGNED[sender.provider.name]


def test_the_table_is_tested_whole() -> None:
    """A row that is added needs its payload here."""
    assert SIGNED.keys() == PROVIDERS.keys()


@every
@pytest.mark.parametrize("kind", ["1.0", "2.0"])
def test_a_signed_delivery_is_forwarded_once(sender: Sender, kind: str) -> None:
    """Octet by octet, with what its sender says of it; sent again, it is answered again."""
    signs, body = one(sender)
    headers = signs(body)
    assert sender.post(body, headers, kind) == (202, {"accepted": True})
    sender.webhooks = sender.fresh()
    sender.clock.now += 60
    assert sender.post(body, signs(body, SECRET, NOW + 60), kind)[0] == 202
    (sent,) = sender.backend.sent
    assert sent.body == body
    for name, value in headers.items():
        if name != "X-Gitlab-Token":
            assert sent.header(name) == value


@every
def test_only_who_knows_the_secret_is_heard(sender: Sender) -> None:
    """401 without a proof, with another's, with another name for it, given twice or cut."""
    signs, body = one(sender)
    right = signs(body)
    name = next(one for one in right if one.lower() == sender.provider.header)
    for changed in (
        signs(body, "another-secret-of-16"),
        {**right, name: None},
        {**right, name: ""},
        {**right, name: [right[name], right[name]]},
        {**right, name: right[name][:-1]},
        {**right, name: f"{right[name]}0"},
        {**right, name: None, "X-Hub-Signature": right[name]},
    ):
        assert sender.post(body, changed)[0] == 401
    assert sender.has_seen_nothing()
    assert sender.post(body, right)[0] == 202


@pytest.mark.parametrize("sender", SIGNING, indirect=True)
def test_another_body_is_not_what_was_signed(sender: Sender) -> None:
    """Not even the same JSON, written otherwise."""
    signs, body = one(sender)
    assert sender.post(body + b"\n", signs(body))[0] == 401
    assert sender.post(b"{}", signs(body))[0] == 401
    assert sender.has_seen_nothing()


@pytest.mark.parametrize("sender", TIMED, indirect=True)
@pytest.mark.parametrize(
    ("off", "status"), [(-300, 202), (300, 202), (-301, 401), (301, 401), (-NOW, 401)]
)
def test_what_was_signed_long_ago_is_not_heard_again(
    sender: Sender, off: int, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Five minutes either way; the log tells it from a forgery, since a clock may be wrong."""
    signs, body = one(sender)
    assert sender.post(body, signs(body, SECRET, NOW + off))[0] == status
    assert ("signed too long ago" in caplog.text) is (status == 401)


@pytest.mark.parametrize("sender", TIMED, indirect=True)
@pytest.mark.parametrize("time", [None, "", "now", "-1", "1e9", f"{NOW}.0", f" {NOW}", "9" * 40])
def test_a_time_that_is_none_is_refused(sender: Sender, time: str | None) -> None:
    """Missing, or no number of seconds: never a crash, never now."""
    _, body = one(sender)
    if sender.provider.name == "slack":
        proof = digest(SECRET, f"v0:{time}:".encode() + body)
        headers = {"X-Slack-Request-Timestamp": time, "X-Slack-Signature": f"v0={proof}"}
    else:
        proof = digest(SECRET, f"{time}.".encode() + body)
        stamp = "" if time is None else f"t={time},"
        headers = {"Stripe-Signature": f"{stamp}v1={proof}"}
    assert sender.post(body, headers)[0] == 401


@pytest.mark.parametrize("sender", ["stripe"], indirect=True)
def test_one_of_several_signatures_is_enough(sender: Sender) -> None:
    """While Stripe rolls a secret it signs with both; the time is the same for all, given once."""
    _, body = one(sender)
    text = f"{NOW}.".encode() + body
    right, wrong = digest(SECRET, text), digest("the-secret-that-comes-next", text)
    for header, status in (
        (f"t={NOW},v1={wrong},v1={right}", 202),
        (f"t={NOW},v1={right},v1={wrong},v2=what-comes-later", 202),
        (f"v1={right},t={NOW}", 202),
        (f"t={NOW},v1={wrong},v1={wrong}", 401),
        (f"t={NOW},v0={right}", 401),
        (f"t={NOW},t={NOW},v1={right}", 401),
        (f"t={NOW},t={NOW + 1},v1={right}", 401),
        (f"t={NOW};v1={right}", 401),
    ):
        assert sender.post(body, {"Stripe-Signature": header})[0] == status, header


@pytest.mark.parametrize("sender", ["stripe"], indirect=True)
def test_a_retry_of_stripes_is_the_same_event(sender: Sender) -> None:
    """Signed anew, and with another count of endpoints that have not answered yet."""
    _, body = one(sender)
    retry = json.dumps(json.loads(body) | {"pending_webhooks": 2}).encode()
    other = json.dumps(json.loads(body) | {"id": "evt_1Pgc76LkdIwHu7ixYmPzQW3y"}).encode()
    assert sender.post(body, by_stripe(body))[0] == 202
    assert sender.post(retry, by_stripe(retry, time=NOW + 9))[0] == 202
    assert sender.post(other, by_stripe(other))[0] == 202
    assert [sent.body for sent in sender.backend.sent] == [body, other]


@pytest.mark.parametrize("sender", ["slack"], indirect=True)
def test_slack_is_shown_that_somebody_is_there(sender: Sender) -> None:
    """Its challenge comes back, signed alone, and goes no further."""
    body = json.dumps(
        {"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY", "type": "url_verification"}
    ).encode()
    assert sender.post(body, by_slack(body, "not-the-signing-secret"))[0] == 401
    status, said = sender.post(body, by_slack(body))
    assert (status, said) == (200, {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY"})
    assert sender.has_seen_nothing()


@pytest.mark.parametrize("sender", ["slack"], indirect=True)
def test_slacks_own_example_is_signed_as_slack_says(sender: Sender) -> None:
    """The request, secret and signature that its documentation works through; a form, no JSON."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    sender.write("8f742231b10e8888abcd99yyyzzz85a5")
    sender.clock.now = 1531420618.0
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    assert sender.post(body, headers)[0] == 202
    assert sender.backend.sent[0].body == body


@pytest.mark.parametrize("sender", ["slack"], indirect=True)
@pytest.mark.parametrize("body", [b"", b"[1]", b'"x"', b"{", b"[" * 20_000, b'{"type":["a"]}'])
def test_a_body_that_is_no_object_is_still_what_was_signed(sender: Sender, body: bytes) -> None:
    """It is forwarded as it is; what it says is not needed."""
    assert sender.post(body, by_slack(body))[0] == 202


@pytest.mark.parametrize("sender", ["gitlab"], indirect=True)
def test_gitlabs_token_stays_here(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    """It is the secret itself: neither the backend nor the log gets it."""
    caplog.set_level(logging.INFO)
    _, body = one(sender)
    assert sender.post(body, by_gitlab(body))[0] == 202
    assert sender.post(body, by_gitlab(body, "a-guess-at-the-token"))[0] == 401
    (sent,) = sender.backend.sent
    assert SECRET not in str(sent.headers)
    said = "".join(str(vars(record)) for record in caplog.records)
    assert SECRET not in said
    assert "a-guess-at-the-token" not in said


@pytest.mark.parametrize("sender", ["gitlab"], indirect=True)
def test_an_older_gitlabs_delivery_is_known_by_its_body(sender: Sender) -> None:
    """Before 17.4 there is no key; the UUID is that of a chain of events, not of a delivery."""
    _, body = one(sender)
    headers = {**by_gitlab(body), "Idempotency-Key": None}
    assert sender.post(body, headers)[0] == 202
    assert sender.post(body, headers)[0] == 202
    assert sender.post(body + b" ", headers)[0] == 202
    assert len(sender.backend.sent) == 2


@pytest.mark.parametrize("sender", ["shopify"], indirect=True)
@pytest.mark.parametrize("name", ["X-Shopify-Topic", "X-Shopify-Webhook-Id"])
def test_a_shop_says_what_it_delivers(sender: Sender, name: str) -> None:
    """Without topic or id it is refused, though signed."""
    _, body = one(sender)
    for value in (None, "", "a\nb", "x" * 101, ["a", "b"]):
        assert sender.post(body, {**by_shopify(body), name: value})[0] == 400
    assert sender.has_seen_nothing()


@every
def test_a_secret_is_changed_with_an_overlap(sender: Sender) -> None:
    """Old; both, at once; the new one alone."""
    signs, body = one(sender)
    bodies = [body.replace(b"main", b"b%d" % n) + b" " * n for n in range(6)]
    new = "sample-webhook-secret-0002"
    assert sender.post(bodies[0], signs(bodies[0]))[0] == 202
    sender.clock.now += 31
    sender.write(new, SECRET)
    assert sender.post(bodies[1], signs(bodies[1], new, NOW + 31))[0] == 202
    assert sender.post(bodies[2], signs(bodies[2], SECRET, NOW + 31))[0] == 202
    sender.write(new)
    sender.clock.now += 301
    assert sender.post(bodies[3], signs(bodies[3], new, NOW + 332))[0] == 202
    assert sender.post(bodies[4], signs(bodies[4], SECRET, NOW + 332))[0] == 401


@every
def test_what_is_logged_names_provider_event_and_id(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """And neither body, proof nor secret."""
    caplog.set_level(logging.INFO)
    signs, body = one(sender)
    sender.post(body, signs(body))
    sender.post(body, signs(body, "another-secret-of-16"))
    forwarded = next(record for record in caplog.records if record.getMessage() == "forwarded")
    assert vars(forwarded)["provider"] == sender.provider.name
    said = "".join(str(vars(record)) for record in caplog.records)
    proof = next(v for n, v in signs(body).items() if n.lower() == sender.provider.header)
    for word in (body.decode(), SECRET, proof[-40:]):
        assert word not in said


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(SIGNING),
    body=st.binary(max_size=100),
    secret=st.text(min_size=1, max_size=40),
    flip=st.integers(min_value=0),
)
def test_one_other_bit_of_a_body_is_another_body(
    name: str, body: bytes, secret: str, flip: int
) -> None:
    """For every provider that signs."""
    signs, _ = SIGNED[name]
    provider = PROVIDERS[name]
    proof = signature.given(provider, signs(body, secret).items())
    assert proof is not None
    secrets = (b"the other secret", secret.encode())
    assert signature.matches(provider, proof, body, secrets)
    assert not signature.matches(provider, proof, body, secrets[:1])
    assert not signature.matches(provider, proof, body, ())
    other = bytearray(body or b"\0")
    bit = flip % (len(other) * 8)
    other[bit // 8] ^= 1 << bit % 8
    if not body:
        other = bytearray(b"x")
    assert not signature.matches(provider, proof, bytes(other), secrets)
