"""What a member is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifier.members import Member


def compose(member: Member) -> dict[str, str]:
    """A notification for a member: `to`, `subject` and `text`."""
    return {
        "to": member.email,
        "subject": "Your claims",
        "text": f"Dear {member.name}, there is news about your claims.",
    }
