"""The paths that a path as it was sent may be read as."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_VARIANT = re.compile(r"%|//|/\.{1,2}(/|$)|./$")


def readings(path: str, *, http: bool) -> tuple[str, ...]:
    """What else `path` may be taken for: decoded, normalised, both; nothing for a plain path.

    Normalised: without empty and dot segments (RFC 3986, 5.2.4) and without a slash at the end.
    """
    if not _VARIANT.search(path):
        return ()
    plain = decoded(path) if http else _decoded(path)
    found = dict.fromkeys((plain, _normalised(plain), _normalised(path)))
    return tuple(one for one in found if one != path)


def decoded(path: str) -> str:
    """A path as an HTTP API decodes it: every escape but `%25`.

    Source: public reports, of which one alone speaks of `%25` (MiniStack's `decode_http_api_path`).
    `path` holds one character for each byte that was sent.
    """
    return "%25".join(map(_decoded, path.split("%25")))


def _decoded(path: str) -> str:
    try:
        sent = path.encode("latin-1")
    except UnicodeEncodeError:
        sent = path.encode("utf-8", "surrogatepass")  # of a question, not of a request
    return unquote_to_bytes(sent).decode("utf-8", "replace")


def _normalised(path: str) -> str:
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments)
