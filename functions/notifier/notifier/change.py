"""What happened to a claim, out of a record of the table's stream.

Source: Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams"; AWS Lambda
Developer Guide, "Using AWS Lambda with Amazon DynamoDB" (example event).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from insurance.member_id import is_member_id

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["created", "updated", "deleted"]


class InvalidRecordError(ValueError):
    """A record that is no change of a claim; trying again will not help."""


def change_id_of(record: object) -> str | None:
    """What a record's change is known by, however often it comes; None for what is no record."""
    if not isinstance(record, dict):
        return None
    event_id = record.get("eventID")
    if isinstance(event_id, str) and event_id:
        return event_id
    return sequence_number_of(record) or None


def sequence_number_of(record: object) -> str:
    """Where in the stream a record is; empty where it does not say."""
    written = record.get("dynamodb") if isinstance(record, dict) else None
    number = written.get("SequenceNumber") if isinstance(written, dict) else None
    return number if isinstance(number, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one claim; `change_id` is the same however often the record comes."""

    change_id: str
    kind: Kind
    member_id: str
    claim_id: str
    at: datetime


def read(record: Mapping[str, Any]) -> Change:
    """The change that a stream record tells of. Raises InvalidRecordError."""
    try:
        written = record["dynamodb"]
        member_id = _after("MEMBER#", written["Keys"]["PK"]["S"])
        claim_id = _after("CLAIM#", written["Keys"]["SK"]["S"])
        at = datetime.fromtimestamp(written["ApproximateCreationDateTime"], UTC)
        change_id, kind = record["eventID"], _kind(record["eventName"], written["NewImage"])
    except InvalidRecordError:
        raise
    # ValueError: a time that is no number, or in no year.
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise InvalidRecordError(f"not a record of a claim: {type(error).__name__}") from None
    if not isinstance(change_id, str) or not change_id:
        raise InvalidRecordError("a record without an id")
    if not is_member_id(member_id):
        raise InvalidRecordError("not the id of a member")
    return Change(change_id=change_id, kind=kind, member_id=member_id, claim_id=claim_id, at=at)


def _after(prefix: str, key: str) -> str:
    if not key.startswith(prefix):
        raise InvalidRecordError(f"a key that does not begin with {prefix}")
    return key.removeprefix(prefix)


def _kind(event_name: str, new: Mapping[str, Any]) -> Kind:
    if "deletedAt" in new:
        return "deleted"
    match event_name:
        case "INSERT":
            return "created"
        case "MODIFY":
            return "updated"
        case _:
            raise InvalidRecordError("neither a new claim nor a changed one")
