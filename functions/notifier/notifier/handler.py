"""The notifier: given a member's id, what that member is told."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from signing import PrivateApi, deadline

from notifier.members import find
from notifier.notification import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from requests import Session

logger = Logger(service="notifier")


class InvalidEventError(ValueError):
    """The function was not given what it works on."""


class UnknownMemberError(LookupError):
    """There is nobody to notify."""


def handle(event: object, api: Session) -> Mapping[str, str]:
    """Compose a notification for the member of `{"memberId": ...}`.

    Raises InvalidEventError, UnknownMemberError and requests.RequestException.
    """
    member_id = event.get("memberId") if isinstance(event, dict) else None
    if not isinstance(member_id, str) or member_id.strip(".") == "":
        raise InvalidEventError('the event must be {"memberId": "..."}')
    member = find(api, member_id)
    if member is None:
        raise UnknownMemberError("the members service does not know this member")
    return compose(member)


@logger.inject_lambda_context(correlation_id_path="correlationId")
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, str]:
    with deadline(context):
        notification = handle(event, _claims_api())
    logger.info("notification composed")
    return notification


@cache
def _claims_api() -> Session:
    return PrivateApi.from_environment("CLAIMS_API").session(
        correlation_id=logger.get_correlation_id
    )
