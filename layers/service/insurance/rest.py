"""Requests of API Gateway (proxy format 1.0) and the refusals every service shares.

A refusal is a JSON object with `statusCode` and `message`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import BadRequestError

from insurance.member_id import is_member_id
from insurance.table import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What may stand in a log line whoever sent it.
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:=-]{1,128}")


def resolver() -> APIGatewayRestResolver:
    """A router whose routes answer 503 with Retry-After where the table is unavailable."""
    app = APIGatewayRestResolver()
    app.exception_handler(UnavailableError)(_refuse_for_now)
    return app


def member_id_of(segment: str) -> str:
    """A member's id out of a path, which REST APIs hand on percent-encoded.

    Raises BadRequestError.
    """
    member_id = unquote(segment)
    if not is_member_id(member_id):
        raise BadRequestError(
            "The member id is not 1 to 64 letters, digits, hyphens and underscores"
        )
    return member_id


def correlation_id(event: Mapping[str, Any]) -> str:
    """What ties this call to its caller's: X-Correlation-Id, or else the API's request id."""
    for name, value in (event.get("headers") or {}).items():
        if name.lower() == "x-correlation-id" and _CORRELATION_ID.fullmatch(value):
            return str(value)
    return str((event.get("requestContext") or {}).get("requestId"))


def _refuse_for_now(_error: UnavailableError) -> Response[dict[str, Any]]:
    return Response(
        status_code=503,
        content_type=content_types.APPLICATION_JSON,
        headers={"Retry-After": "1"},
        body={"statusCode": 503, "message": "The data cannot be reached; try again"},
    )
