"""What a request says, read from its API Gateway event (proxy format 1.0).

Every function raises what Powertools turns into a 4xx, worded for the client.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    RequestEntityTooLargeError,
    ServiceError,
)

from claims import cursor, version
from claims.claim import is_claim_id
from claims.idempotency import is_key

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

# Several times a claim with every field at its longest.
_LONGEST_BODY = 16 * 1024
_PAGE, _LONGEST_PAGE = 25, 100


def claim_id_of(segment: str) -> str:
    """A claim's id out of a path, which REST APIs hand on percent-encoded."""
    claim_id = unquote(segment)
    if not is_claim_id(claim_id):
        raise BadRequestError("The claim id is not a UUID in lower case")
    return claim_id


def body_of(event: APIGatewayProxyEvent) -> str:
    """The body as text; empty without one."""
    try:
        body = event.decoded_body or ""
    except ValueError:
        raise BadRequestError("The body is not a text") from None
    if len(body) > _LONGEST_BODY:
        raise RequestEntityTooLargeError(f"The body is longer than {_LONGEST_BODY} characters")
    return body


def idempotency_key_of(event: APIGatewayProxyEvent) -> str | None:
    """The Idempotency-Key, if there is one."""
    key = event.headers.get("Idempotency-Key")
    if key is not None and not is_key(key):
        raise BadRequestError("The Idempotency-Key is not 1 to 255 visible ASCII characters")
    return key


def expected_version_of(event: APIGatewayProxyEvent) -> int:
    """The version that If-Match names."""
    if_match = event.headers.get("If-Match")
    if if_match is None:
        raise ServiceError(
            HTTPStatus.PRECONDITION_REQUIRED, "If-Match must name the version: the claim's ETag"
        )
    expected = version.version_of(if_match)
    if expected is None:
        raise BadRequestError('If-Match is not one ETag of a claim, such as "1"')
    return expected


def limit_of(event: APIGatewayProxyEvent) -> int:
    """How many claims a page may have."""
    limit = (event.query_string_parameters or {}).get("limit", str(_PAGE))
    # Digits of other scripts are digits too, and so are a thousand of them.
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= _LONGEST_PAGE):
        raise BadRequestError(f"limit is not a number from 1 to {_LONGEST_PAGE}")
    return int(limit)


def place_of(event: APIGatewayProxyEvent) -> cursor.Place | None:
    """Where the page before ended; None for the first page."""
    text = (event.query_string_parameters or {}).get("cursor")
    if text is None:
        return None
    place = cursor.read(text)
    if place is None:
        raise BadRequestError("The cursor is not one that a list of claims ended with")
    return place
