"""Paths that stay below the backend's own: everything else is refused, not repaired.

A request's target is the configured path, then this one, always in origin-form (RFC 9112, 3.2.1):
`//host`, `@` or a URL in it are letters of a path. What is left to steer with are dot segments,
which the backend, or what stands before it, may resolve however they are encoded.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from forwarder.failure import RefusedError

_HARMLESS = re.compile(r"[^%\\;\x00-\x20\x7f]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Overlong UTF-8: a dot or a slash to a lenient decoder (RFC 3629, 10). And Microsoft's own escapes.
_MISREAD = re.compile(r"[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]|%[uU][0-9A-Fa-f]{4}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SEPARATORS = re.compile(r"[/\\]")
_CUTS = re.compile(r"[;?#]")
_DOTS = frozenset({".", ".."})
# As often as anything on the way may decode.
_DECODINGS = 4


def check_query(query: str) -> None:
    """Refuse a query that would have a part in a signature. Raises RefusedError."""
    if "amz" not in query.lower() and "%" not in query:
        return
    for pair in re.split("[&;]", query):
        if unquote_plus(pair.partition("=")[0]).strip().lower().startswith("x-amz-"):
            raise RefusedError("The query has a parameter that belongs to a signature (X-Amz-...)")


def check(path: str) -> None:
    """Refuse a path, percent-encoded, that might lead elsewhere. Raises RefusedError."""
    if _HARMLESS.fullmatch(path) and "/." not in path:
        return
    if _CONTROLS.search(path) or _BROKEN_ESCAPE.search(path):
        raise RefusedError("The path is not well encoded")
    for _ in range(_DECODINGS):
        # A server may cut something off before it resolves: `/..;a=b/`, `/..%3Fa`, `/..%20/`.
        if any(_CUTS.split(part, 1)[0].strip() in _DOTS for part in _SEPARATORS.split(path)):
            raise RefusedError("The path has a segment of dots")
        if _MISREAD.search(path):
            raise RefusedError("The path is not well encoded")
        if _CONTROLS.search(path):
            raise RefusedError("The path has a control character in it")
        decoded = unquote(path, "latin-1")
        if decoded == path:
            return
        path = decoded
    raise RefusedError("The path is encoded too many times")
