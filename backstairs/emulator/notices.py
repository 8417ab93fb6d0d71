"""What was deployed and has no effect here, for whoever asks."""

from __future__ import annotations

_notices: dict[str, None] = {}


def note(text: str) -> None:
    """Keep `text`, once."""
    _notices[text] = None


def noted() -> list[str]:
    """Everything noted since the account started, in order."""
    return list(_notices)
