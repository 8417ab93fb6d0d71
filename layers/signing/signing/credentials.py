"""Where credentials come from. A provider is anything that, called, returns one frozen set."""

from __future__ import annotations

import os
from collections.abc import Callable

from .errors import CredentialsError
from .sigv4 import Credentials

Provider = Callable[[], Credentials]


def from_environment() -> Credentials:
    """Read what Lambda gives a function: its role's keys and session token."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        missing = "AWS_SECRET_ACCESS_KEY" if key else "AWS_ACCESS_KEY_ID"
        raise CredentialsError(f"{missing} is not set")
    return Credentials(
        access_key_id=key,
        secret_access_key=secret,
        session_token=os.environ.get("AWS_SESSION_TOKEN"),
    )
