"""The claims routes: requests in, answers out.

Every refusal is a JSON object with `statusCode` and `message`, and with `errors` where fields are
at fault.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
    RequestEntityTooLargeError,
)

from claims.claim import InvalidClaimError, is_claim_id, is_member_id, opened, parse
from claims.settings import Settings
from claims.storage import Claims

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from claims.claim import Claim

# Several times a claim with every field at its longest.
_LONGEST_BODY = 16 * 1024

logger = Logger(service="claims")
app = APIGatewayRestResolver()


@app.get("/claims/<member_id>")
def list_claims(member_id: str) -> dict[str, list[Claim]]:
    return {"claims": _claims().newest(_member(member_id))}


@app.post("/claims/<member_id>")
def create_claim(member_id: str) -> Response[Claim]:
    member_id = _member(member_id)
    claim = opened(
        parse(_body()),
        member_id=member_id,
        claim_id=str(uuid4()),
        at=datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    )
    _claims().add(claim)
    logger.info("claim created", claim_id=claim["claimId"])
    # With the stage, as the client sees it; `path` is without.
    location = f"{app.current_event.request_context.path}/{claim['claimId']}"
    return Response(
        status_code=201,
        content_type=content_types.APPLICATION_JSON,
        headers={"Location": location},
        body=claim,
    )


@app.get("/claims/<member_id>/<claim_id>")
def get_claim(member_id: str, claim_id: str) -> Claim:
    member_id, claim_id = _member(member_id), unquote(claim_id)
    if not is_claim_id(claim_id):
        raise BadRequestError("The claim id is not a UUID in lower case")
    claim = _claims().find(member_id, claim_id)
    if claim is None:
        raise NotFoundError("There is no such claim")
    return claim


@app.exception_handler(InvalidClaimError)  # type: ignore[untyped-decorator]  # Powertools'
def refuse_claim(error: InvalidClaimError) -> Response[dict[str, Any]]:
    answer = {"statusCode": 400, "message": error.message, "errors": error.errors}
    return Response(status_code=400, content_type=content_types.APPLICATION_JSON, body=answer)


def handle(event: dict[str, Any], context: LambdaContext, claims: Claims) -> dict[str, Any]:
    """Answer an API Gateway proxy event (format 1.0) from the given claims."""
    app.context["claims"] = claims
    return app.resolve(event, context)


@logger.inject_lambda_context(
    correlation_id_path='headers."X-Correlation-Id" || requestContext.requestId'
)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return handle(event, context, _deployed_claims())


@cache
def _deployed_claims() -> Claims:
    # Imported here, so that whoever brings claims of their own, as tests do, needs no boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # Three attempts end within the function's ten seconds.
    patience = Config(
        connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3}
    )
    settings = Settings.from_environment(os.environ)
    return Claims(boto3.client("dynamodb", config=patience), settings.table_name)


def _claims() -> Claims:
    claims: Claims = app.context["claims"]
    return claims


def _member(text: str) -> str:
    """A member's id out of a path, which REST APIs hand on percent-encoded."""
    member_id = unquote(text)
    if not is_member_id(member_id):
        raise BadRequestError(
            "The member id is not 1 to 64 letters, digits, hyphens and underscores"
        )
    return member_id


def _body() -> str:
    try:
        body = app.current_event.decoded_body or ""
    except ValueError:
        raise BadRequestError("The body is not a text") from None
    if len(body) > _LONGEST_BODY:
        raise RequestEntityTooLargeError(f"The body is longer than {_LONGEST_BODY} characters")
    return body
