"""What API Gateway means by a 403, in words to act on.

Texts: AWS re:Post, "How do I troubleshoot HTTP 403 errors from API Gateway?" and "How do I
troubleshoot signature mismatch errors ..."; IAM User Guide, "Troubleshoot access denied error
messages" and "Troubleshoot signed requests for AWS APIs"; public reports where they are named. Any
other answer may be that of what is behind the API.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests
from requests.utils import rewind_body

from . import errors
from .payload import payload_hash
from .sigv4 import canonical_request

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_FORBIDDEN = 403
_SCOPED = "Credential should be scoped to"  # both sentences, of the region and of the service
_BY_DATE = ("Signature expired", "Signature not yet current")
_INCOMPLETE = (
    "Incomplete signature",
    "Authorization header requires",
    "Credential must have",
    "'Host' must be a 'SignedHeader'",
    "'Host' or ':authority' must be a 'SignedHeader'",
)
_REPEATING = " in Authorization header"
_MISMATCH = "The request signature we calculated does not match"
_MEANINGS: tuple[tuple[str | tuple[str, ...], type[errors.AccessRefused], str], ...] = (
    (_BY_DATE, errors.SignatureExpired, "the clocks differ, or it was signed long before it went"),
    (
        "The security token included in the request is",
        errors.UnknownCredentials,
        "the access key or the session token is unknown or has expired",
    ),
    (
        "User is not authorized to access this resource",
        errors.NotAuthorized,
        "the API's Lambda authorizer does not allow it",
    ),
    # Kong/insomnia 713, aws/aws-sdk-js 792; the last by the IAM User Guide alone.
    ((_SCOPED, "Date in Credential scope does not match"), errors.WrongScope, ""),
    # aws/chalice 828, AnWeber/httpyac 769: of an Authorization that is not a signature, also where
    # there is no such route (HumanCellAtlas/data-store 328); aws-cognito-angular-quickstart 50: of
    # one with a line feed; NetSPI/AWSSigner 3 and aws/aws-sdk-php 2469: Host is not signed.
    (_INCOMPLETE, errors.Unsigned, "something changed the Authorization header, or no such route"),
    ("Missing Authentication Token\0", errors.Unsigned, "no signature arrived, or no such route"),
    (
        "Forbidden\0",
        errors.Forbidden,
        "not from this network or endpoint, or not without an API key",
    ),
)
# Compiled when first needed: a function that is never refused does not pay for them.
_SECRETS = rb"(?i)(x-amz-security-token:\s*|Signature=)[^\s\\'\",]+"
_EXPECTED = r"(?s)Canonical String for this request should have been\s*'(.*?)'"
_SCOPE = r"Credential=[^/]+/\d+/([^/]*)/([^/]*)/"
_SIGNED = r"SignedHeaders=([^,]+)"
_NOT_AUTHORIZED = (
    r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>\S+)"
    r"(?: on resource: (?P<resource>\S+))?"
)


class Answer(requests.Response):
    """A response whose `raise_for_status` explains API Gateway's own 403s."""

    def raise_for_status(self) -> None:
        """Raise an AccessRefused for a 403 of API Gateway, else what `requests` does."""
        refusal = explain(self)
        if refusal is not None:
            raise refusal
        super().raise_for_status()


def as_answer(response: Response) -> Response:
    """Let a response explain itself, without the token and signature that a 403 may echo."""
    content = response.content if response.status_code == _FORBIDDEN else None
    answer = Answer()
    vars(answer).update(vars(response))
    if content is not None:
        content = re.sub(_SECRETS, rb"\1<redacted>", content)
        token = response.request.headers.get("X-Amz-Security-Token")
        if token:
            content = content.replace(token.encode(), b"<redacted>")
        answer._content = content
    return answer


def clock_offset(response: Response) -> float | None:
    """Return by how many seconds API Gateway's clock is ahead, if it refused for the date."""
    if response.status_code != _FORBIDDEN or not _message(response).startswith(_BY_DATE):
        return None
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None


def explain(response: Response) -> errors.AccessRefused | None:
    """Return the error that a 403 of API Gateway stands for; None for any other answer."""
    if response.status_code != _FORBIDDEN:
        return None
    message = _message(response)
    if found := re.match(_NOT_AUTHORIZED, message):
        return _not_granted(message, found, response)
    if message.startswith(_MISMATCH):
        return _mismatch(message, response)
    if (
        response.headers.get("x-amzn-ErrorType", "").startswith("IncompleteSignature")
        or _REPEATING in message
        or message.startswith(_INCOMPLETE)
    ):
        message = "Incomplete signature"  # the original repeats the Authorization header
    for start, error, meaning in _MEANINGS:
        if f"{message}\0".startswith(start):
            route = f"{response.request.method} {response.request.path_url.partition('?')[0]}"
            if error is errors.WrongScope:
                return _wrong_scope(route, message, response)
            return error(f"{route}: {message.rstrip('. ')}: {meaning}", response=response)
    return None


def _wrong_scope(route: str, message: str, response: Response) -> errors.WrongScope:
    found = re.search(_SCOPE, str(response.request.headers.get("Authorization", "")))
    region, service = found.groups() if found else ("?", "?")
    error = errors.WrongScope(
        f"{route}: {message.rstrip('. ')}: signed for the region {region} and the service "
        f"{service}; give PrivateApi those of the API, mostly CLAIMS_API_REGION and execute-api",
        response=response,
    )
    error.region, error.service = region, service
    return error


def _not_granted(message: str, found: re.Match[str], response: Response) -> errors.NotGranted:
    if "explicit deny" in message:
        kind: type[errors.NotGranted] = errors.ExplicitlyDenied
    elif "no resource-based policy" in message:
        kind = errors.NotGrantedByResourcePolicy
    else:
        kind = errors.NotGranted
    error = kind(message, response=response)
    error.principal = found["principal"]
    error.action = found["action"]
    error.resource = found["resource"] or ""
    return error


def _mismatch(message: str, response: Response) -> errors.SignatureMismatch:
    from difflib import unified_diff

    expected = re.search(_EXPECTED, message)
    difference = ""
    if expected is None:
        reason = "API Gateway does not say what it expected; is the secret access key right?"
    else:
        ours, theirs = _redacted(_ours(response.request)), _redacted(expected[1])
        difference = "\n".join(
            unified_diff(ours.split("\n"), theirs.split("\n"), "signed", "expected", lineterm="")
        )
        reason = difference or "the canonical requests agree: the secret access key is wrong"
    error = errors.SignatureMismatch(f"wrong signature: {reason}", response=response)
    error.difference = difference
    return error


def _ours(request: PreparedRequest) -> str:
    signed = re.search(_SIGNED, str(request.headers.get("Authorization", "")))
    names = signed[1].split(";") if signed else []
    path, _, query = request.path_url.partition("?")
    return canonical_request(
        method=request.method or "",
        path=path,
        query=query,
        headers=[(name, request.headers[name]) for name in names if name in request.headers],
        payload_hash=request.headers.get("X-Amz-Content-Sha256") or _sent_hash(request),
    )


def _sent_hash(request: PreparedRequest) -> str:
    try:
        if hasattr(request.body, "seek"):
            rewind_body(request)
        return payload_hash(request)
    except (OSError, ValueError):  # closed by now, or never to be rewound
        return "(not known any more)"


def _redacted(canonical: str) -> str:
    return re.sub(_SECRETS, rb"\1<redacted>", canonical.encode("utf-8", "replace")).decode()


def _message(response: Response) -> str:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    return str(body.get("message") or body.get("Message") or "") if isinstance(body, dict) else ""
