"""What API Gateway means by a 403, in words a developer can act on.

Texts: AWS re:Post and API Gateway Developer Guide on 403 errors; see each rule.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast

import requests

from . import errors
from .payload import payload_hash
from .sigv4 import canonical_request

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_FORBIDDEN = 403
_TOKEN = re.compile(r"(?i)(x-amz-security-token:)[^\n\\'\"]+")
_CANONICAL = re.compile(r"Canonical String for this request should have been\n'(.*?)'\n", re.DOTALL)
_NOT_AUTHORIZED = re.compile(
    r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>\S+)"
    r"(?: on resource: (?P<resource>\S+))?"
)
_SIGNED = re.compile(r"SignedHeaders=([^,]+)")


class Answer(requests.Response):
    """A response whose `raise_for_status` explains API Gateway's own 403s."""

    def raise_for_status(self) -> None:
        """Raise an AccessRefused for a 403 by API Gateway, else what `requests` raises."""
        refusal = explain(self)
        if refusal is not None:
            raise refusal
        super().raise_for_status()


def as_answer(response: Response) -> Response:
    """Give a response the explaining `raise_for_status`, and take echoed tokens out of it."""
    response.__class__ = Answer
    if response.status_code == _FORBIDDEN:
        content = response.content
        token = response.request.headers.get("X-Amz-Security-Token")
        if token and token.encode() in content:
            response._content = content.replace(token.encode(), b"<redacted>")  # noqa: SLF001
    return response


def clock_offset(response: Response) -> float | None:
    """Return how many seconds API Gateway's clock is ahead, if it refused for the date."""
    if response.status_code != _FORBIDDEN or "Date" not in response.headers:
        return None
    message = _message(response)
    if not message.startswith(("Signature expired", "Signature not yet current")):
        return None
    try:
        return parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()
    except ValueError:
        return None


def explain(response: Response) -> errors.AccessRefused | None:
    """Return the error a 403 of API Gateway stands for; None for any other answer."""
    if response.status_code != _FORBIDDEN:
        return None
    message = _message(response)
    if message == "Missing Authentication Token":
        return errors.Unsigned(
            f"no signature arrived, or the API has no such method and path: {_target(response)}",
            response=response,
        )
    if message == "Forbidden":
        return errors.WrongEndpoint(
            "the API is not reachable from this network or endpoint, or an API key is missing",
            response=response,
        )
    if message.startswith(("Signature expired", "Signature not yet current")):
        return errors.SignatureExpired(message, response=response)
    if message.startswith("The request signature we calculated does not match"):
        return _mismatch(message, response)
    if message.startswith("The security token included in the request is"):
        return errors.UnknownCredentials(
            f"{message} The access key or the session token is unknown or expired.",
            response=response,
        )
    if found := _NOT_AUTHORIZED.search(message):
        return _not_granted(message, found, response)
    return None


def _mismatch(message: str, response: Response) -> errors.SignatureMismatch:
    from difflib import unified_diff  # noqa: PLC0415  only when something went wrong

    found = _CANONICAL.search(message)
    difference = ""
    if found:
        theirs = _TOKEN.sub(r"\1<redacted>", found.group(1)).splitlines()
        ours = _TOKEN.sub(r"\1<redacted>", _ours(response.request)).splitlines()
        difference = "\n".join(
            unified_diff(ours, theirs, "signed here", "expected by API Gateway", lineterm="")
        )
    reason = difference or (
        "the canonical requests are the same: the secret access key is wrong"
        if found
        else "API Gateway did not say what it expected"
    )
    error = errors.SignatureMismatch(f"wrong signature: {reason}", response=response)
    error.difference = difference
    return error


def _not_granted(message: str, found: re.Match[str], response: Response) -> errors.NotGranted:
    if "explicit deny" in message:
        kind: type[errors.NotGranted] = errors.ExplicitlyDenied
    elif "resource-based policy" in message:
        kind = errors.NotGrantedByResourcePolicy
    else:
        kind = errors.NotGranted
    error = kind(message, response=response)
    error.principal = found["principal"]
    error.action = found["action"]
    error.resource = found["resource"] or ""
    return error


def _message(response: Response) -> str:
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    return str(body.get("message") or body.get("Message") or "")


def _ours(request: PreparedRequest) -> str:
    names = _SIGNED.search(str(request.headers.get("Authorization", "")))
    signed = names.group(1).split(";") if names else []
    path, _, query = request.path_url.partition("?")
    return canonical_request(
        method=cast("str", request.method),
        path=path,
        query=query,
        headers=[(name, request.headers[name]) for name in signed if name in request.headers],
        payload_hash=request.headers.get("X-Amz-Content-Sha256") or payload_hash(request.body),
    )


def _target(response: Response) -> str:
    return f"{response.request.method} {response.request.path_url.partition('?')[0]}"
