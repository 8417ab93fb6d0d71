"""What API Gateway answers when it refuses: status, body, and the name of the error.

Wording as AWS documents and public reports quote it; the account in a resource ARN is masked as
API Gateway masks it. A body says `Message` for policy refusals and `message` for all others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backstairs.access.sigv4 import SignatureProblem


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that ends a call: HTTP status, JSON body, `x-amzn-ErrorType`."""

    status: int
    body: bytes
    error_type: str


def _refusal(status: int, error_type: str, message: str, key: str = "message") -> Refusal:
    return Refusal(status, json.dumps({key: message}, separators=(",", ":")).encode(), error_type)


MISSING_TOKEN = _refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
FORBIDDEN = _refusal(403, "ForbiddenException", "Forbidden")
NOT_FOUND = _refusal(404, "NotFoundException", "Not Found")
TOO_MANY = _refusal(429, "TooManyRequestsException", "Too Many Requests")
QUOTA_EXCEEDED = _refusal(429, "LimitExceededException", "Limit Exceeded")
HEADERS_TOO_LARGE = _refusal(
    431, "RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large"
)
TOO_LONG = _refusal(413, "RequestTooLongException", "Request Too Long")
INTERNAL_ERROR = _refusal(502, "InternalServerErrorException", "Internal server error")
HTTP_TOO_LONG = _refusal(413, "RequestTooLongException", "Request Entity Too Large")
HTTP_INTERNAL_ERROR = _refusal(500, "InternalServerErrorException", "Internal Server Error")
HTTP_TIMED_OUT = _refusal(503, "ServiceUnavailableException", "Service Unavailable")
TIMED_OUT = _refusal(504, "InternalServerErrorException", "Endpoint request timed out")
BAD_BODY = _refusal(400, "BadRequestException", "Invalid request body")
BAD_REQUEST = _refusal(400, "BadRequestException", "Bad Request")
REQUEST_TIMED_OUT = _refusal(408, "RequestTimeoutException", "Request Timeout")
CODING = _refusal(501, "NotImplementedException", "Transfer coding not implemented")
VERSION = _refusal(505, "HttpVersionException", "HTTP version not supported")


def missing_parameters(names: list[str]) -> Refusal:
    """Request validation: required parameters that are missing or blank."""
    listed = ", ".join(names)
    return _refusal(400, "BadRequestException", f"Missing required request parameters: [{listed}]")


def signature(problem: SignatureProblem) -> Refusal:
    """The Authorization header proves nothing: 403 with what is wrong about it."""
    return _refusal(403, problem.error_type, problem.message)


@dataclass(frozen=True, slots=True)
class Denied:
    """A policy refuses: who, on which resource, and which kind of policy; worded when asked."""

    user: str | None
    resource: str
    because: str

    @property
    def refusal(self) -> Refusal:
        """The answer in API Gateway's words."""
        arn = self.resource.split(":")
        if len(arn) > 4 and arn[4]:  # noqa: PLR2004 - an ARN's fifth field is its account
            arn[4] = "********" + arn[4][-4:]
        return _refusal(
            403,
            "AccessDeniedException",
            f"User: {self.user or 'anonymous'} is not authorized to perform: execute-api:Invoke on "
            f"resource: {':'.join(arn)} {self.because}",
            key="Message",
        )


UNDECIDED = 501
"""The status of what `undecided` says."""


def undecided(why: str) -> Refusal:
    """Not an answer of API Gateway: the decision could not be modelled, so nothing is claimed."""
    return _refusal(
        UNDECIDED, "BackstairsUnknown", f"Backstairs cannot tell what AWS would do: {why}"
    )


def unworded(why: str) -> Refusal:
    """AWS refuses the call for sure; which gate answers, and so in which words, is not known."""
    return _refusal(
        403,
        "BackstairsRefused",
        f"AWS refuses this call. Backstairs cannot tell in which words: {why}",
    )
