"""Credentials, and the keys derived from them."""

from functools import lru_cache
from hashlib import sha256
from hmac import digest

from .frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK = 64  # bytes that SHA-256 takes at a time


class Redacted(str):
    """Text that is sent as it is, but that `repr` (logs, debuggers, dict dumps) does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'<redacted>'"


class Credentials(Frozen):
    """One frozen set of AWS credentials; the secret and the token do not show in its repr."""

    __slots__ = ("access_key_id", "secret_access_key", "session_token")

    access_key_id: str
    secret_access_key: str
    session_token: str | None

    def __init__(
        self, *, access_key_id: str, secret_access_key: str, session_token: str | None = None
    ) -> None:
        if not access_key_id or not secret_access_key:
            raise ValueError("credentials need an access key id and a secret access key")
        sent = access_key_id + (session_token or "")
        if not (sent.isascii() and sent.isprintable()):
            raise ValueError("credentials hold what no header can, perhaps a newline")
        self._set(
            access_key_id=access_key_id,
            secret_access_key=Redacted(secret_access_key),
            session_token=Redacted(session_token) if session_token else None,
        )


class SigningKey:
    """What a secret is turned into for one day (`20150830`), region and service.

    Kept as both halves of HMAC-SHA256 (RFC 2104), begun: to copy them costs less than `hmac`.
    """

    __slots__ = ("_inner", "_outer", "scope")

    def __init__(self, secret: str, date: str, region: str, service: str) -> None:
        self.scope = f"{date}/{region}/{service}/aws4_request"
        key = f"AWS4{secret}".encode()
        for part in (date, region, service, "aws4_request"):
            key = digest(key, part.encode(), "sha256")
        key = key.ljust(_BLOCK, b"\0")
        self._inner: _Hash = sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer: _Hash = sha256(bytes(byte ^ 0x5C for byte in key))

    def sign(self, text: str) -> str:
        """Return the HMAC-SHA256 of a text in hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest()


signing_key = lru_cache(maxsize=64)(SigningKey)
