"""Reading a response (RFC 9112), strictly: what can be understood in two ways is not passed on.

The standard library's reader is not used, because it takes what is not HTTP for a body: headers
after a malformed line, a Content-Length that is none, an answer that the connection's end cuts off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from forwarder.answer import LONGEST
from forwarder.failure import BODY, HEADERS, FailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_HEAD = 64 * 1024
_MOST_HEADERS = 200
_MOST_INTERIM = 16
_LONGEST_LINE = 4096
_HEAD_ENDS = (b"\n\r\n", b"\n\n")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\x00-\x08\x0a-\x1f\x7f]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_HEADER_LINES = re.compile(
    r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)\r?$", re.MULTILINE
)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")
_FRAMING = frozenset({"connection", "content-length", "transfer-encoding"})
_DIGITS = re.compile(r"[0-9]{1,15}")
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers, also those that frame the answer by name; `is_last`: no other follows."""

    status: int
    headers: tuple[tuple[str, str], ...]
    framing: dict[str, list[str]]
    is_last: bool

    def values(self, name: str) -> list[str]:
        """The members of one of the headers that frame an answer, in lower case."""
        return _members(self.framing.get(name, ()))

    @property
    def is_disputed(self) -> bool:
        """Whether a body is announced where there is none (RFC 9112, 6.3): one may yet come."""
        if self.status not in _BODILESS:
            return False
        lengths = self.values("content-length") if self.status == HTTPStatus.NO_CONTENT else []
        return bool(self.values("transfer-encoding")) or not {*lengths} <= {"0"}


class Incoming:
    """The bytes of one answer; `receive` gives some of them, none at the end."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._bytes = bytearray()
        self._has_ended = False
        self.has_begun = False

    @property
    def is_clean(self) -> bool:
        """Whether, after an answer, the connection is open and no bytes of another are in here."""
        return not self._bytes and not self._has_ended

    def head(self) -> Head:
        """The final head, after any number of interim ones. Raises FailedError."""
        for _ in range(_MOST_INTERIM):
            head = self._one_head()
            if head.status >= HTTPStatus.OK:
                return head
            if head.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise FailedError(HEADERS, "malformed", "switching protocols")
        raise FailedError(HEADERS, "malformed", "interim answers")

    def body(self, method: str, head: Head) -> bytes:
        """The body as it was before its framing (RFC 9112, 6.3). Raises FailedError."""
        if method == "HEAD" or head.status in _BODILESS:
            return b""
        codings, lengths = head.values("transfer-encoding"), head.values("content-length")
        if codings:
            if lengths:
                raise FailedError(BODY, "malformed", "length and coding")
            if codings != ["chunked"]:
                raise FailedError(BODY, "malformed", "transfer coding")
            return bytes(self._chunks())
        if lengths:
            if len(set(lengths)) > 1:
                raise FailedError(BODY, "malformed", "several lengths")
            if not _DIGITS.fullmatch(lengths[0]):
                raise FailedError(BODY, "malformed", "length")
            whole = bytearray()
            self._exactly(int(lengths[0]), whole)
            return bytes(whole)
        return bytes(self._rest())

    def _one_head(self) -> Head:
        looked = 0
        while not (ends := self._head_ends(looked)):
            if len(self._bytes) > _LONGEST_HEAD:
                raise FailedError(HEADERS, "headers too large")
            looked = max(0, len(self._bytes) - 3)
            self._bytes += self._more(HEADERS)
        end, after = min(ends)
        text = self._taken(end, after).decode("latin-1")
        start, _, rest = text.partition("\n")
        count = rest.count("\n") + 1 if rest else 0
        if end > _LONGEST_HEAD or count >= _MOST_HEADERS:
            raise FailedError(HEADERS, "headers too large")
        first = _STATUS.fullmatch(start.removesuffix("\r"))
        if first is None:
            raise FailedError(HEADERS, "malformed", "status line")
        # At most one for each line, and only where all of it is a header.
        found = _HEADER_LINES.findall(rest)
        if len(found) != count:
            raise FailedError(HEADERS, "malformed", "header line")
        headers = tuple([(name, value.rstrip(" \t")) for name, value in found])
        framing: dict[str, list[str]] = {}
        for name, value in headers:
            if (lower := name.lower()) in _FRAMING:
                framing.setdefault(lower, []).append(value)
        is_old = first[1] == "0"
        if is_old and "transfer-encoding" in framing:
            # HTTP/1.0 has none: whoever wrote it may not have framed it so (RFC 9112, 6.1).
            raise FailedError(HEADERS, "malformed", "coding in HTTP/1.0")
        is_last = is_old or "close" in _members(framing.get("connection", ()))
        return Head(int(first[2]), headers, framing, is_last=is_last)

    def _head_ends(self, looked: int) -> list[tuple[int, int]]:
        """Where a head may end, and what follows it begin; the first is its end."""
        found = [(self._bytes.find(mark, looked), len(mark)) for mark in _HEAD_ENDS]
        return [(at, at + length) for at, length in found if at >= 0]

    def _chunks(self) -> bytearray:
        body = bytearray()
        while True:
            size = _SIZE.fullmatch(self._line())
            if size is None:
                raise FailedError(BODY, "malformed", "chunk size")
            if not (count := int(size[1], 16)):
                break
            self._exactly(count, body)
            if self._line():
                raise FailedError(BODY, "malformed", "chunk end")
        # Trailers are for this hop alone, unless one knows better.
        for _ in range(_MOST_HEADERS):
            if not (line := self._line()):
                return body
            if _HEADER.fullmatch(line) is None:
                break
        raise FailedError(BODY, "malformed", "trailers")

    def _line(self) -> bytes:
        while (end := self._bytes.find(b"\n")) < 0:
            if len(self._bytes) > _LONGEST_LINE:
                raise FailedError(BODY, "malformed", "endless line")
            self._bytes += self._more(BODY)
        return self._taken(end, end + 1).removesuffix(b"\r")

    def _exactly(self, count: int, body: bytearray) -> None:
        """Add so many bytes to a body."""
        whole = len(body) + count
        if whole > LONGEST:
            raise FailedError(BODY, "too large")
        body += self._taken(count, count)
        while (missing := whole - len(body)) > 0:
            part = self._more(BODY)
            self._bytes += part[missing:]
            body += part[:missing]

    def _rest(self) -> bytearray:
        body = bytearray(self._taken(len(self._bytes), len(self._bytes)))
        # Not at an end that TLS does not vouch for: that raises (RFC 9112, 9.8).
        while part := self._receive():
            body += part
            if len(body) > LONGEST:
                raise FailedError(BODY, "too large")
        self._has_ended = True
        return body

    def _taken(self, count: int, consumed: int) -> bytes:
        """The first bytes, of which `consumed` are then gone."""
        taken = bytes(self._bytes[:count])
        del self._bytes[:consumed]
        return taken

    def _more(self, phase: str) -> bytes:
        received = self._receive()
        if not received:
            raise FailedError(phase, "closed", is_unanswered=not self.has_begun)
        self.has_begun = True
        return received


def _members(values: Sequence[str]) -> list[str]:
    return [one.strip(" \t").lower() for value in values for one in value.split(",")]
