"""The notifier: changes of claims in, one notification for each out.

Records come from the table's stream at least once and, of one member, in order. The first one that
cannot be dealt with now ends the batch: Lambda comes again from there, and once its patience is
over puts the record's address into the queue of the undelivered. A notification is stored under
its change's id, so that a record that comes again changes nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from requests import RequestException
from service.table import Table, UnavailableError
from signing import PrivateApi, deadline

from notifier.change import InvalidRecordError, read
from notifier.members import UnknownMemberError, find
from notifier.notification import compose
from notifier.storage import Notifications

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from requests import Session

# Everything else fails the batch as a whole.
_EXPECTED = (InvalidRecordError, UnknownMemberError, UnavailableError, RequestException)

logger = Logger(service="notifier")


class InvalidEventError(ValueError):
    """The function was not given a batch of records."""


def handle(event: object, api: Session, notifications: Notifications) -> dict[str, Any]:
    """Deal with a batch of stream records; answers which one to come again from, if any.

    Raises InvalidEventError.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise InvalidEventError('the event must be {"Records": [...]}, from a stream')
    for record in records:
        try:
            _notify(record, api, notifications)
        except _EXPECTED as error:
            # Not the error's text: a URL or an answer in it may say whose claim it is.
            logger.warning("record not dealt with", reason=type(error).__name__)
            return {"batchItemFailures": [{"itemIdentifier": _sequence_number(record)}]}
    return {"batchItemFailures": []}


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    with deadline(context):
        return handle(event, _claims_api(), _deployed_notifications())


def _notify(record: Mapping[str, Any], api: Session, notifications: Notifications) -> None:
    change = read(record)
    # From here to the services that are asked: one id for one change, in every log.
    logger.set_correlation_id(change.change_id)
    is_new = notifications.add(change, compose(change, find(api, change.member_id)))
    logger.info("member notified" if is_new else "member was notified", claim_id=change.claim_id)


def _sequence_number(record: object) -> str:
    """What Lambda comes again from; an empty one means the whole batch."""
    written = record.get("dynamodb") if isinstance(record, dict) else None
    number = written.get("SequenceNumber") if isinstance(written, dict) else None
    return number if isinstance(number, str) else ""


@cache
def _claims_api() -> Session:
    return PrivateApi.from_environment("CLAIMS_API").session(
        correlation_id=logger.get_correlation_id
    )


@cache
def _deployed_notifications() -> Notifications:
    return Notifications(Table.deployed())
