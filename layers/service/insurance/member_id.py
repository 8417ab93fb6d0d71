"""What a member's id looks like, wherever one comes from."""

from __future__ import annotations

import re

_MEMBER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def is_member_id(text: str) -> bool:
    """Whether a text can be a member's id: nothing in it means anything to a path or a key."""
    return _MEMBER_ID.fullmatch(text) is not None
