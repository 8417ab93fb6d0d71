"""Signed calls to private APIs.

::

    from signing import PrivateApi, path

    claims_api = PrivateApi.from_environment("CLAIMS_API").session()
    response = claims_api.get(path("members", member_id))

Each name below is loaded when it is first used: `requests` with `Session`, `SigV4Auth` and
`assume_role`, httpx with `HttpxAuth`, neither of them with the others.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  a function may be configured to run on any
    raise ImportError(
        "signing needs Python 3.11 or later; this is %d.%d" % sys.version_info[:2]  # noqa: UP031
    )

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import errors
    from .api import PrivateApi
    from .auth import SigV4Auth
    from .httpx_auth import HttpxAuth
    from .retries import Retries, deadline
    from .session import Session
    from .sigv4 import Credentials, sign
    from .sts import assume_role
    from .urls import path

__all__ = [
    "Credentials",
    "HttpxAuth",
    "PrivateApi",
    "Retries",
    "Session",
    "SigV4Auth",
    "assume_role",
    "deadline",
    "errors",
    "path",
    "sign",
]
__version__ = "1.0.0"

_HOMES = {
    "Credentials": "sigv4",
    "HttpxAuth": "httpx_auth",
    "PrivateApi": "api",
    "Retries": "retries",
    "Session": "session",
    "SigV4Auth": "auth",
    "assume_role": "sts",
    "deadline": "retries",
    "path": "urls",
    "sign": "sigv4",
}


def __getattr__(name: str) -> object:
    if name == "errors":
        return __import__(f"{__name__}.errors", fromlist=["errors"])
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(__import__(f"{__name__}.{_HOMES[name]}", fromlist=[name]), name)
