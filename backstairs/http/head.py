"""What a request's head may be: stricter than the parser that reads it afterwards.

Source: RFC 9112, sections 2.2 (line ends), 3 (request line and target), 3.2 (Host), 5.1 (no blank
before a colon), 5.2 (folded lines), 6.1 (Transfer-Encoding), 6.3 (Content-Length); RFC 9110,
sections 4.2 (authority) and 15.6.6 (versions). Characters that a target should have escaped, but
that clients send as they are (`|`, `"`, `{`), are let through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstairs.access.refusals import Refusal

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE = re.compile(_TOKEN + rb' [!"$-~]+ HTTP/([0-9])\.([0-9])\r\n')
_FIELDS = re.compile(rb"(?:" + _TOKEN + rb":[\t -~\x80-\xff]*\r\n)*\r\n")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(rb"https?://([^/?]+)(.*)", re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_MOST_DIGITS = 15

CHUNKED = -1
"""The length of a body whose end only its chunks tell."""


class RefusedError(Exception):
    """A head that is not served: `refusal` says what the client is told."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error_type)
        self.refusal = refusal


def check_begun(text: bytes, seen: int) -> None:
    """Raise RefusedError for what no head begins with; `seen` bytes of it are checked already."""
    if (not text[:1].isalpha() and text != b"\r") or _BARE_LF.search(text, seen):
        raise RefusedError(refusals.BAD_REQUEST)


def check_head(head: bytes) -> bytes:
    """A whole head as the parser may read it. Raises RefusedError."""
    line = _LINE.match(head)
    if line is None or not _FIELDS.fullmatch(head, line.end()):
        raise RefusedError(refusals.BAD_REQUEST)
    major, minor = line.groups()
    if major == b"0":
        raise RefusedError(refusals.BAD_REQUEST)
    if major != b"1":
        raise RefusedError(refusals.VERSION)
    # A later minor version is served as the highest that is known.
    return head if minor < b"2" else head[: line.end(2) - 1] + b"1" + head[line.end(2) :]


def read_target(
    method: bytes, target: bytes, hosts: Sequence[bytes], version: str
) -> tuple[bytes, bytes | None]:
    """The path with its query, and the host where the target names one. Raises RefusedError."""
    if len(hosts) != 1 and (hosts or version != "1.0"):
        raise RefusedError(refusals.BAD_REQUEST)
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise RefusedError(refusals.BAD_REQUEST)
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target, None
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not _HOST.fullmatch(absolute[1]) or absolute[1].startswith(b":"):
        raise RefusedError(refusals.BAD_REQUEST)
    rest: bytes = absolute[2]
    return rest if rest.startswith(b"/") else b"/" + rest, absolute[1]


def body_length(lengths: Sequence[bytes], codings: Sequence[bytes], version: str) -> int:
    """How many bytes of body follow, or CHUNKED. Raises RefusedError."""
    if codings:
        named = [coding.strip(b" \t").lower() for coding in b",".join(codings).split(b",")]
        once_at_the_end = named[-1] == b"chunked" and named.count(b"chunked") == 1
        if lengths or version == "1.0" or not once_at_the_end:
            raise RefusedError(refusals.BAD_REQUEST)
        if len(named) > 1:
            raise RefusedError(refusals.CODING)
        return CHUNKED
    if not lengths:
        return 0
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > _MOST_DIGITS:
        raise RefusedError(refusals.BAD_REQUEST)
    return int(lengths[0])
