"""Signed calls to private APIs.

::

    from signing import PrivateApi, path

    claims_api = PrivateApi.from_environment("CLAIMS_API").session()
    response = claims_api.get(path("members", member_id))

`signing.sigv4` needs no third-party package: `requests` is loaded when a name below is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import errors
    from .api import PrivateApi, path
    from .auth import SigV4Auth
    from .retries import Retries, deadline
    from .session import Session
    from .sigv4 import Credentials
    from .sts import assume_role

__all__ = [
    "Credentials",
    "PrivateApi",
    "Retries",
    "Session",
    "SigV4Auth",
    "assume_role",
    "deadline",
    "errors",
    "path",
]

_HOMES = {
    "Credentials": "sigv4",
    "PrivateApi": "api",
    "Retries": "retries",
    "Session": "session",
    "SigV4Auth": "auth",
    "assume_role": "sts",
    "deadline": "retries",
    "path": "api",
}


def __getattr__(name: str) -> object:
    if name == "errors":
        return __import__(f"{__name__}.errors", fromlist=["errors"])
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(__import__(f"{__name__}.{_HOMES[name]}", fromlist=[name]), name)
