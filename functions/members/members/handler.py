"""The members route: requests in, answers out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from insurance.rest import correlation_id, member_id_of, resolver
from insurance.table import Table

from members.storage import Members

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from members.storage import Member

logger = Logger(service="members")
app = resolver()


@app.get("/members/<member_id>")
def get_member(member_id: str) -> Member:
    members: Members = app.context["members"]
    member = members.find(member_id_of(member_id))
    if member is None:
        raise NotFoundError("There is no such member")
    return member


def handle(event: dict[str, Any], context: LambdaContext, members: Members) -> dict[str, Any]:
    """Answer an API Gateway proxy event (format 1.0) from the given members."""
    app.context["members"] = members
    return app.resolve(event, context)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.set_correlation_id(correlation_id(event))
    return handle(event, context, _deployed_members())


@cache
def _deployed_members() -> Members:
    return Members(Table.deployed())
