"""A 403 of API Gateway is explained; anything else is left alone; nothing secret is shown."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
import requests
from signing import Credentials, PrivateApi, SigV4Auth, errors

from tests.signing.gateway import Gateway, response
from tests.signing.verifier import canonical_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.signing.verifier import Wire

ARN = "arn:aws:execute-api:eu-west-1:********9012:a1b2c3d4e5/dev/GET/members/1"
WHO = "arn:aws:sts::123456789012:assumed-role/notifier/session"
NOT_AUTHORIZED = f"User: {WHO} is not authorized to perform: execute-api:Invoke on resource: {ARN}"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
INCOMPLETE = "'x' not a valid key=value pair in Authorization header: 'AWS4 Signature=ab12'."
TOKEN_IS = "The security token included in the request is"
BECAUSE = "because no {}-based policy allows the execute-api:Invoke action"
REFUSALS: list[tuple[str, str, type[errors.AccessRefused], str]] = [
    (
        "MissingAuthenticationToken",
        "Missing Authentication Token",
        errors.Unsigned,
        "no such route",
    ),
    ("IncompleteSignature", INCOMPLETE, errors.Unsigned, "changed the Authorization"),
    ("InvalidSignature", MISMATCH, errors.SignatureMismatch, "does not say"),
    ("InvalidSignature", "Signature expired: 2020 < 2021", errors.SignatureExpired, "clocks"),
    ("InvalidSignature", "Signature not yet current: x", errors.SignatureExpired, "clocks"),
    ("UnrecognizedClient", f"{TOKEN_IS} invalid.", errors.UnknownCredentials, "unknown or"),
    ("ExpiredToken", f"{TOKEN_IS} expired", errors.UnknownCredentials, "has expired"),
    ("AccessDenied", NOT_AUTHORIZED, errors.NotGranted, "execute-api:Invoke"),
    (
        "AccessDenied",
        f"{NOT_AUTHORIZED} {BECAUSE.format('identity')}",
        errors.NotGranted,
        "identity-based",
    ),
    (
        "AccessDenied",
        f"{NOT_AUTHORIZED} {BECAUSE.format('resource')}",
        errors.NotGrantedByResourcePolicy,
        "resource-based",
    ),
    (
        "AccessDenied",
        f"{NOT_AUTHORIZED} with an explicit deny",
        errors.ExplicitlyDenied,
        "explicit deny",
    ),
    (
        "AccessDenied",
        "User: anonymous is not authorized to perform: execute-api:Invoke on resource: x",
        errors.NotGranted,
        "anonymous",
    ),
    ("Forbidden", "Forbidden", errors.Forbidden, "network or endpoint"),
]


@pytest.mark.parametrize(("kind", "message", "error", "words"), REFUSALS)
def test_explained(
    *,
    kind: str,
    message: str,
    error: type[errors.AccessRefused],
    words: str,
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
) -> None:
    """Each way to be refused is an exception of its own, which says what it was."""
    body = {"Message" if kind == "AccessDenied" else "message": message}
    gateway.answer = lambda _: response(403, body, {"x-amzn-ErrorType": f"{kind}Exception"})
    answer = api.session(credentials=keys).get("/members/1")
    assert answer.status_code == 403
    with pytest.raises(error, match=words) as caught:
        answer.raise_for_status()
    assert type(caught.value) is error
    assert caught.value.response is answer
    assert isinstance(caught.value, requests.HTTPError)
    assert "ab12" not in str(caught.value)


def test_what_was_not_granted(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A missing grant names who may not do what on what."""
    gateway.answer = lambda _: response(403, {"Message": NOT_AUTHORIZED})
    with pytest.raises(errors.NotGranted) as caught:
        api.session(credentials=keys).get("/members/1").raise_for_status()
    error = caught.value
    assert (error.principal, error.action, error.resource) == (WHO, "execute-api:Invoke", ARN)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b""),
        (403, b"<html>"),
        (403, b"\xff\xfe"),
        (403, b"[1]"),
        (403, b'{"message": null}'),
        (403, b'{"message": "members may not do that"}'),
        (404, b'{"message": "Forbidden"}'),
        (401, b'{"message": "Missing Authentication Token"}'),
        (500, b'{"message": "Internal server error"}'),
    ],
)
def test_other_answers_are_left_alone(
    status: int, body: bytes, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """An answer that is not API Gateway's 403 raises what `requests` raises."""
    gateway.answer = lambda _: response(status, body)
    answer = api.session(credentials=keys).get("/members/1")
    assert answer.content == body
    with pytest.raises(requests.HTTPError) as caught:
        answer.raise_for_status()
    assert type(caught.value) is requests.HTTPError


def expecting(change: tuple[bytes, bytes]) -> Callable[[Wire], bytes]:
    """Answer as API Gateway does to a wrong signature, with what it expected."""

    def answer(wire: Wire) -> bytes:
        names = wire.one("authorization").split("SignedHeaders=")[1].split(",")[0]
        expected = canonical_request(wire, names.encode().split(b";")).replace(*change).decode()
        text = (
            f"{MISMATCH}\n\nThe Canonical String for this request should have been\n'{expected}'"
            "\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n...'\n"
        )
        return response(403, {"message": text}, {"x-amzn-ErrorType": "InvalidSignatureException"})

    return answer


def test_the_difference(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A wrong signature shows which line of the canonical request differs."""
    gateway.answer = expecting((b"/dev/members/1", b"/prod/members/1"))
    answer = api.session(credentials=keys).post("/members/1", json={"a": 1})
    with pytest.raises(errors.SignatureMismatch) as caught:
        answer.raise_for_status()
    changed = [line for line in caught.value.difference.split("\n") if line[:1] in "+-"]
    assert changed == ["--- signed", "+++ expected", "-/dev/members/1", "+/prod/members/1"]
    assert caught.value.difference in str(caught.value)


def test_no_difference_is_the_key(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """If both canonical requests agree, only the secret can be wrong."""
    gateway.answer = expecting((b"", b""))
    with pytest.raises(errors.SignatureMismatch, match="secret access key is wrong"):
        api.session(credentials=keys).get("/x").raise_for_status()


@pytest.mark.filterwarnings("default")
def test_nothing_secret_is_shown(
    gateway: Gateway, keys: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    """No repr, log, exception, traceback or body has the token, the secret or the signature."""
    caplog.set_level(logging.DEBUG)
    gateway.answer = expecting((b"/dev", b"/prod"))
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="abc")
    session = api.session(credentials=keys)
    shown = [repr(keys), str(keys), f"{keys}", repr(api), repr(session), repr(vars(session))]
    answer = session.get("/members/1")
    auth = SigV4Auth(api, credentials=keys)
    plain = requests.get(f"{api.url}/members/1", auth=auth, timeout=5)
    try:
        answer.raise_for_status()
    except errors.SignatureMismatch as error:
        shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        shown += [str(error), repr(error), repr(vars(error)), error.difference]
    with pytest.raises(errors.SignatureMismatch) as caught:
        plain.raise_for_status()  # an auth alone explains as well
    shown += [plain.text, repr(vars(plain)), str(caught.value)]
    shown += [answer.text, json.dumps(answer.json()), repr(vars(answer))]
    for reply in (answer, plain):
        shown += [repr(reply.request.headers), repr(vars(reply.request))]
    shown += [repr(vars(auth)), caplog.text]
    signature = gateway.last.one("authorization").split("Signature=")[1]
    everything = "\n".join(shown)
    for secret in (keys.secret_access_key, keys.session_token, signature):
        assert secret
        assert str.__str__(secret) not in everything
    assert "redacted" in everything


def test_answers_can_be_pickled(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """As `requests`' own responses can."""
    assert pickle.loads(pickle.dumps(api.session(credentials=keys).get("/x"))).ok  # noqa: S301
    assert gateway.received
