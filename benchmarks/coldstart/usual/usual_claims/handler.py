"""The create route of the claims service, to compare with."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from pydantic import BaseModel, ConfigDict, Field, ValidationError

logger = Logger(service="claims")
app = APIGatewayRestResolver()
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


class Claim(BaseModel):
    """What a client may say of a claim."""

    model_config = ConfigDict(extra="forbid", strict=False)

    policyId: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")  # noqa: N815 - JSON's name
    memberName: str = Field(min_length=1, max_length=200)  # noqa: N815
    claimType: str = Field(pattern=r"^[a-z][a-z-]{0,31}$")  # noqa: N815
    amount: int = Field(ge=1, le=1_000_000_000_000)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    occurredOn: date  # noqa: N815
    description: str | None = Field(default=None, min_length=1, max_length=2000)


@app.post("/claims/<member_id>")
def create_claim(member_id: str) -> Response[Any]:
    """Store a claim."""
    try:
        claim = Claim.model_validate_json(app.current_event.decoded_body or "")
    except ValidationError as error:
        return Response(400, content_types.APPLICATION_JSON, error.json(include_input=False))
    now = datetime.now(UTC).isoformat()
    stored = claim.model_dump(mode="json", exclude_none=True) | {
        "memberId": member_id,
        "claimId": str(uuid4()),
        "version": 1,
        "createdAt": now,
        "updatedAt": now,
    }
    key = {"PK": f"MEMBER#{member_id}", "SK": f"CLAIM#{stored['claimId']}"}
    table.put_item(Item=key | stored, ConditionExpression="attribute_not_exists(PK)")
    logger.info("claim created", claim_id=stored["claimId"])
    return Response(201, content_types.APPLICATION_JSON, stored)


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return app.resolve(event, context)
