"""Who called, as API Gateway found out, and the headers in which the backend hears of it.

    X-Caller-Key-Id   the id (not the value) of the API key: REST
    X-Caller-Arn      the ARN of the principal that signed
    X-Caller-Subject  whom an authorizer of the API made out: a token's `sub`, or `principalId`

Source: API Gateway Developer Guide, "Lambda proxy integrations" ($context.identity,
$context.authorizer) and "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADERS = ("X-Caller-Key-Id", "X-Caller-Arn", "X-Caller-Subject")
_LONGEST = 2048


class Caller(NamedTuple):
    """What is known; nothing where it is not."""

    key_id: str = ""
    arn: str = ""
    subject: str = ""

    def headers(self) -> list[tuple[str, str]]:
        """One header for each thing that is known."""
        return [pair for pair in zip(_HEADERS, self, strict=True) if pair[1]]


NOBODY = Caller()


def of_1_0(context: Mapping[str, Any]) -> Caller:
    """The caller of a REST API, from its request context."""
    identity, subject = context.get("identity") or {}, None
    if authorizer := context.get("authorizer"):
        claims = authorizer.get("claims") or {}
        subject = claims.get("sub") or authorizer.get("principalId")
    return Caller(
        _known(identity.get("apiKeyId")), _known(identity.get("userArn")), _known(subject)
    )


def of_2_0(context: Mapping[str, Any]) -> Caller:
    """The caller of an HTTP API, from its request context."""
    authorizer = context.get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    arn = (authorizer.get("iam") or {}).get("userArn")
    return Caller("", _known(arn), _known(claims.get("sub")))


def _known(value: object) -> str:
    if not value or not isinstance(value, str) or len(value) > _LONGEST:
        return ""
    # Of ASCII, what is printable and no space: `!` to `~`.
    return value if value.isascii() and value.isprintable() and " " not in value else ""
