"""The members route: requests in, answers out."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, NotFoundError

from members.settings import Settings
from members.storage import Members

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from members.storage import Member

_MEMBER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

logger = Logger(service="members")
app = APIGatewayRestResolver()


@app.get("/members/<member_id>")
def get_member(member_id: str) -> Member:
    member_id = unquote(member_id)  # REST APIs hand a path on percent-encoded
    if not _MEMBER_ID.fullmatch(member_id):
        raise BadRequestError(
            "The member id is not 1 to 64 letters, digits, hyphens and underscores"
        )
    members: Members = app.context["members"]
    member = members.find(member_id)
    if member is None:
        raise NotFoundError("There is no such member")
    return member


def handle(event: dict[str, Any], context: LambdaContext, members: Members) -> dict[str, Any]:
    """Answer an API Gateway proxy event (format 1.0) from the given members."""
    app.context["members"] = members
    return app.resolve(event, context)


@logger.inject_lambda_context(
    correlation_id_path='headers."X-Correlation-Id" || requestContext.requestId'
)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return handle(event, context, _deployed_members())


@cache
def _deployed_members() -> Members:
    # Imported here, so that whoever brings members of their own, as tests do, needs no boto3.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # Three attempts end within the function's ten seconds.
    patience = Config(
        connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3}
    )
    settings = Settings.from_environment(os.environ)
    return Members(boto3.client("dynamodb", config=patience), settings.table_name)
