"""The notifier: changes of claims in, one notification for each out.

Records come from the table's stream at least once and, of one member, in order.

- What may pass (the members service or DynamoDB is down) ends the batch: Lambda comes again from
  that record, for as long as the record is young.
- What no attempt can mend (nobody knows the member) is set aside, and what follows goes on. So is
  a record that has been tried for SET_ASIDE_AFTER_SECONDS.
- `{"redrive": {}}` tells what was set aside, a page at a time.

A notification is stored under its change's id, so that a change that comes again is told once.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger
from insurance.table import Table, UnavailableError
from requests import RequestException
from signing import PrivateApi, deadline

from notifier.change import InvalidRecordError, change_id_of, read, sequence_number_of
from notifier.members import InvalidAnswerError, UnknownMemberError, UnreachableMemberError, find
from notifier.notification import compose
from notifier.storage import Notifications
from notifier.undelivered import Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from requests import Session

    from notifier.change import Change

_FINAL = (InvalidRecordError, UnknownMemberError, UnreachableMemberError)
# Everything else fails the batch as a whole.
_PASSING = (InvalidAnswerError, UnavailableError, RequestException)

# As many as a batch of the stream has: each is a call and its repetitions.
_PAGE = 10

logger = Logger(service="notifier")


class InvalidEventError(ValueError):
    """The function was given neither a batch of records nor a redrive."""


class _NoRecordError(ValueError):
    """Not a record of a stream: without an id it cannot be set aside."""


class Services(NamedTuple):
    """What the notifier works with; `patience` in seconds of a record's age."""

    api: Session
    notifications: Notifications
    undelivered: Undelivered
    patience: float


def handle(event: object, services: Services) -> dict[str, Any]:
    """Deal with a batch of stream records, or with a page of what was set aside.

    Raises InvalidEventError.
    """
    match event:
        case {"Records": list(records)}:
            return _deal_with(records, services)
        case {"redrive": dict(redrive)}:
            return _redrive(redrive.get("after"), services)
        case _:
            raise InvalidEventError(
                'the event must be {"Records": [...]}, from a stream, or {"redrive": {}}'
            )


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    with deadline(context):
        return handle(event, _deployed_services())


def _deal_with(records: list[Any], services: Services) -> dict[str, Any]:
    """Tell of each record or set it aside; the answer names the one to come again from, if any."""
    for record in records:
        # From here to the services that are asked: one id for one change, in every log.
        logger.set_correlation_id(change_id_of(record))
        try:
            _tell_or_set_aside(record, services)
        except (*_PASSING, _NoRecordError) as error:
            # Not the error's text: a URL or an answer in it may say whose claim it is.
            logger.warning("record not dealt with", reason=type(error).__name__)
            return {"batchItemFailures": [{"itemIdentifier": sequence_number_of(record)}]}
    return {"batchItemFailures": []}


def _tell_or_set_aside(record: Mapping[str, Any], services: Services) -> None:
    change_id = change_id_of(record)
    if change_id is None:
        raise _NoRecordError
    try:
        _tell(read(record), services)
    except _FINAL as error:
        reason = type(error).__name__
    except _PASSING as error:
        if time.time() - read(record).at.timestamp() < services.patience:
            raise
        reason = type(error).__name__
    else:
        return
    services.undelivered.add(record, reason)
    # stacks/operation.yaml makes a metric of this message.
    logger.error("change set aside", change_id=change_id, reason=reason)


def _redrive(after: str | None, services: Services) -> dict[str, Any]:
    """Tell a page of what was set aside, oldest first.

    The answer counts what was told and, by reason, what stays set aside; `next` is the `after` of
    the next page, null on the last one.
    """
    records, end = services.undelivered.page(after, _PAGE)
    told, kept = 0, dict[str, int]()
    for position, record in records:
        logger.set_correlation_id(change_id_of(record))
        try:
            _tell(read(record), services)
            services.undelivered.remove(position)
            told += 1
        except (*_FINAL, *_PASSING) as error:
            reason = type(error).__name__
            kept[reason] = kept.get(reason, 0) + 1
            logger.warning("change stays set aside", reason=reason)
    return {"told": told, "kept": kept, "next": end}


def _tell(change: Change, services: Services) -> None:
    notification = compose(change, find(services.api, change.member_id))
    is_new = services.notifications.add(change, notification)
    logger.info("member notified" if is_new else "member was notified", claim_id=change.claim_id)


@cache
def _deployed_services() -> Services:
    table = Table.deployed()
    return Services(
        api=PrivateApi.from_environment("CLAIMS_API").session(
            correlation_id=logger.get_correlation_id
        ),
        notifications=Notifications(table),
        undelivered=Undelivered(Table(table.client, os.environ["UNDELIVERED_TABLE_NAME"])),
        patience=float(os.environ["SET_ASIDE_AFTER_SECONDS"]),
    )
