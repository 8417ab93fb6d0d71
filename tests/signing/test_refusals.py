"""A 403 of API Gateway is explained; anything else is left alone; nothing secret is shown."""

from __future__ import annotations

import io

import pytest
import requests
from signing import Credentials, PrivateApi, SigV4Auth, errors

from tests.signing.gateway import Gateway, response
from tests.signing.mismatch import MISMATCH, expecting

ARN = "arn:aws:execute-api:eu-west-1:********9012:a1b2c3d4e5/dev/GET/members/1"
WHO = "arn:aws:sts::123456789012:assumed-role/notifier/session"
NOT_AUTHORIZED = f"User: {WHO} is not authorized to perform: execute-api:Invoke on resource: {ARN}"
INCOMPLETE = "'x' not a valid key=value pair in Authorization header: 'AWS4 Signature=ab12'."
TOKEN_IS = "The security token included in the request is"
REGION_ = "Credential should be scoped to a valid region, not 'x-1'."
SERVICE_ = "Credential should be scoped to correct service: 'execute-api'."
REQUIRES = "Authorization header requires 'Credential' parameter."
HOST_UNSIGNED = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
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
    ("", f"{REQUIRES} Authorization=AWS4 Signature=ab12", errors.Unsigned, "no such route"),
    (
        "InvalidSignature",
        f"{REGION_} {SERVICE_} ",
        errors.WrongScope,
        "eu-west-1 and .* execute-api",
    ),
    ("InvalidSignature", REGION_, errors.WrongScope, "valid region, not 'x-1': signed for"),
    ("InvalidSignature", SERVICE_, errors.WrongScope, "correct service: 'execute-api': signed"),
    (
        "InvalidSignature",
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
        errors.WrongScope,
        "signed for",
    ),
    (
        "AccessDenied",
        "User is not authorized to access this resource with an explicit deny",
        errors.NotAuthorized,
        "Lambda authorizer",
    ),
    ("", HOST_UNSIGNED, errors.Unsigned, "something changed"),
    ("", "Credential must have exactly 5 slash-delimited elements", errors.Unsigned, "changed"),
    ("AccessDenied", f"{TOKEN_IS} invalid.", errors.UnknownCredentials, "unknown or"),
    ("AccessDenied", f"{TOKEN_IS} expired", errors.UnknownCredentials, "has expired"),
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


def test_what_it_was_signed_for(gateway: Gateway, keys: Credentials) -> None:
    """A wrong region or service tells both that were signed for, with a plain auth as well."""
    api = PrivateApi(url=f"{gateway.url}/dev", region="us-east-1", service="lambda")
    gateway.answer = lambda _: response(403, {"message": f"{REGION_} {SERVICE_} "})
    auth = SigV4Auth(api, credentials=keys)
    for answer in (
        api.session(credentials=keys).get("/members/1"),
        requests.get(f"{api.url}/members/1", auth=auth, timeout=5),
    ):
        with pytest.raises(errors.WrongScope, match="CLAIMS_API_REGION") as caught:
            answer.raise_for_status()
        assert (caught.value.region, caught.value.service) == ("us-east-1", "lambda")


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


def test_the_difference(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A wrong signature shows which line of the canonical request differs."""
    gateway.answer = expecting((b"/dev/members/1", b"/prod/members/1"))
    answer = api.session(credentials=keys).post("/members/1", json={"a": 1})
    with pytest.raises(errors.SignatureMismatch) as caught:
        answer.raise_for_status()
    changed = [line for line in caught.value.difference.split("\n") if line[:1] in "+-"]
    assert changed == ["--- signed", "+++ expected", "-/dev/members/1", "+/prod/members/1"]
    assert caught.value.difference in str(caught.value)


def test_the_difference_with_a_file(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A file that was sent is hashed again for the comparison; one that is closed is not."""
    gateway.answer = expecting((b"/dev", b"/prod"))
    body = io.BytesIO(b"x" * 1000)
    answer = api.session(credentials=keys).post("/x", data=body)
    with pytest.raises(errors.SignatureMismatch) as caught:
        answer.raise_for_status()
    assert caught.value.difference.count("\n-") == 1
    body.close()
    with pytest.raises(errors.SignatureMismatch, match="not known any more"):
        answer.raise_for_status()


def test_no_difference_is_the_key(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """If both canonical requests agree, only the secret can be wrong."""
    gateway.answer = expecting((b"", b""))
    with pytest.raises(errors.SignatureMismatch, match="secret access key is wrong"):
        api.session(credentials=keys).get("/x").raise_for_status()


@pytest.mark.parametrize(
    "message",
    [
        "Forbidden: member 12 is not yours",
        "Missing Authentication Token for partner",
        "Order refused: User: bob is not authorized to perform: approve",
    ],
)
def test_a_backends_own_403(
    message: str, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A 403 of what is behind the API is not explained as API Gateway's."""
    gateway.answer = lambda _: response(403, {"message": message})
    answer = api.session(credentials=keys).get("/x")
    with pytest.raises(requests.HTTPError) as refused:
        answer.raise_for_status()
    assert not isinstance(refused.value, errors.AccessRefused)


@pytest.mark.parametrize("body", [b"[" * 200_000, b"1" * 5000])
def test_an_odd_body(body: bytes, gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A 403 whose body no parser takes is an answer like any other."""
    gateway.answer = lambda _: response(403, body)
    answer = api.session(credentials=keys).get("/x")
    with pytest.raises(requests.HTTPError):
        answer.raise_for_status()
