"""What a member is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifier.change import Change
    from notifier.members import Member

_NEWS = {
    "created": "we have received your claim",
    "updated": "your claim has been changed",
    "deleted": "your claim has been withdrawn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message to a member."""

    to: str
    subject: str
    text: str


def compose(change: Change, member: Member) -> Notification:
    """What a member is told of a change."""
    return Notification(
        to=member.email,
        subject="Your claims",
        text=f"Dear {member.name or 'member'}, {_NEWS[change.kind]} {change.claim_id}.",
    )
