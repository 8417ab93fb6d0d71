"""Reading a response (RFC 9112), strictly: what can be understood in two ways is not passed on.

The standard library's reader is not used, because it takes what is not HTTP for a body: headers
after a malformed line, a Content-Length that is none, an answer that the connection's end cuts off.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from forwarder.answer import LONGEST
from forwarder.failure import BODY, HEADERS, FailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_HEAD = 64 * 1024
_MOST_HEADERS = 200
_MOST_INTERIM = 16
_LONGEST_LINE = 4096
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\x00-\x08\x0a-\x1f\x7f]*)?\r?(?:\n|\Z)")
# Names and values, of which a space is neither the first nor the last letter: where it could belong
# to either side, a long row of them would take hours.
_HEADER = (
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*"
    r"(?:([^\x00-\x20\x7f](?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)[ \t]*)?"
)
_HEADERS, _TRAILER = re.compile(rf"^{_HEADER}\r?$", re.MULTILINE), re.compile(_HEADER.encode())
_FRAMING = re.compile(
    r"\n(connection|content-length|transfer-encoding)[ \t]*:([^\r\n]*)", re.IGNORECASE
)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")
_LONGEST_LENGTH = 15
_OK, _SWITCHING_PROTOCOLS = int(HTTPStatus.OK), int(HTTPStatus.SWITCHING_PROTOCOLS)
_NO_CONTENT, _NOT_MODIFIED = int(HTTPStatus.NO_CONTENT), int(HTTPStatus.NOT_MODIFIED)
_BODILESS = (_NO_CONTENT, _NOT_MODIFIED)


class Head(NamedTuple):
    """Status and headers, also those that frame the answer by name; `is_last`: no other follows."""

    status: int
    headers: tuple[tuple[str, str], ...]
    framing: dict[str, list[str]]
    is_last: bool

    def values(self, name: str) -> list[str]:
        """The members of one of the headers that frame an answer, in lower case."""
        given = self.framing.get(name)
        return _members(given) if given else []

    @property
    def is_disputed(self) -> bool:
        """Whether a body is announced where there is none (RFC 9112, 6.3): one may yet come."""
        if self.status not in _BODILESS:
            return False
        lengths = self.values("content-length") if self.status == _NO_CONTENT else []
        return bool(self.values("transfer-encoding")) or not {*lengths} <= {"0"}


class Incoming:
    """The bytes of one answer; `receive` gives some of them, none at the end."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        # From there on nothing is used yet.
        self._bytes: bytes | bytearray = b""
        self._at = 0
        self._has_ended = False
        self.has_begun = False

    @property
    def is_clean(self) -> bool:
        """Whether, after an answer, the connection is open and no bytes of another are in here."""
        return self._at == len(self._bytes) and not self._has_ended

    def head(self) -> Head:
        """The final head, after any number of interim ones. Raises FailedError."""
        for _ in range(_MOST_INTERIM):
            head = self._one_head()
            if head.status >= _OK:
                return head
            if head.status == _SWITCHING_PROTOCOLS:
                raise FailedError(HEADERS, "malformed", "switching protocols")
        raise FailedError(HEADERS, "malformed", "interim answers")

    def body(self, method: str, head: Head) -> bytes:
        """The body as it was before its framing (RFC 9112, 6.3). Raises FailedError."""
        if method == "HEAD" or head.status in _BODILESS:
            return b""
        if "transfer-encoding" in head.framing:
            if head.values("content-length"):
                raise FailedError(BODY, "malformed", "length and coding")
            if head.values("transfer-encoding") != ["chunked"]:
                raise FailedError(BODY, "malformed", "transfer coding")
            return bytes(self._chunks())
        if lengths := head.values("content-length"):
            if len(set(lengths)) > 1:
                raise FailedError(BODY, "malformed", "several lengths")
            length = lengths[0]
            # Latin-1's superscripts are digits too.
            if not (length.isascii() and length.isdigit()) or len(length) > _LONGEST_LENGTH:
                raise FailedError(BODY, "malformed", "length")
            return self._whole(int(length))
        return bytes(self._rest())

    def _one_head(self) -> Head:
        looked = 0
        while (end := _HEAD_END.search(self._bytes, self._at + looked)) is None:
            length = len(self._bytes) - self._at
            if length > _LONGEST_HEAD:
                raise FailedError(HEADERS, "headers too large")
            looked = max(0, length - 2)
            self._fill(HEADERS)
        text = self._bytes[self._at : end.start()].decode("latin-1")
        self._at = end.end()
        count = text.count("\n")
        if len(text) > _LONGEST_HEAD or count >= _MOST_HEADERS:
            raise FailedError(HEADERS, "headers too large")
        first = _STATUS.match(text)
        if first is None:
            raise FailedError(HEADERS, "malformed", "status line")
        # At most one for each line, and only where all of it is a header.
        found = _HEADERS.findall(text, first.end())
        if len(found) != count:
            raise FailedError(HEADERS, "malformed", "header line")
        framing: dict[str, list[str]] = {}
        for name, value in _FRAMING.findall(text):
            framing.setdefault(name.lower(), []).append(value)
        is_old = first[1] == "0"
        if is_old and "transfer-encoding" in framing:
            # HTTP/1.0 has none: whoever wrote it may not have framed it so (RFC 9112, 6.1).
            raise FailedError(HEADERS, "malformed", "coding in HTTP/1.0")
        is_last = is_old or ("connection" in framing and "close" in _members(framing["connection"]))
        return Head(int(first[2]), tuple(found), framing, is_last)

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
            if _TRAILER.fullmatch(line) is None:
                break
        raise FailedError(BODY, "malformed", "trailers")

    def _line(self) -> bytes:
        while (end := self._bytes.find(b"\n", self._at)) < 0:
            if len(self._bytes) - self._at > _LONGEST_LINE:
                raise FailedError(BODY, "malformed", "endless line")
            self._fill(BODY)
        line = self._taken(end - self._at)
        self._at = end + 1
        return line.removesuffix(b"\r")

    def _whole(self, length: int) -> bytes:
        """A body of so many bytes, all of which are here in most cases."""
        if length <= len(self._bytes) - self._at:
            return self._taken(length)
        body = bytearray()
        self._exactly(length, body)
        return bytes(body)

    def _exactly(self, count: int, body: bytearray) -> None:
        """Add so many bytes to a body."""
        whole = len(body) + count
        if whole > LONGEST:
            raise FailedError(BODY, "too large")
        body += self._taken(count)
        while (missing := whole - len(body)) > 0:
            self._fill(BODY)
            body += self._taken(missing)

    def _rest(self) -> bytearray:
        body = bytearray(self._taken(len(self._bytes)))
        # Not at an end that TLS does not vouch for: that raises (RFC 9112, 9.8).
        while part := self._receive():
            body += part
            if len(body) > LONGEST:
                raise FailedError(BODY, "too large")
        self._has_ended = True
        return body

    def _taken(self, count: int) -> bytes:
        """At most so many bytes of what is here; they are then gone."""
        taken = bytes(self._bytes[self._at : self._at + count])
        self._at += len(taken)
        return taken

    def _fill(self, phase: str) -> None:
        """Wait for more, after what is here."""
        received = self._more(phase)
        if self._at == len(self._bytes):
            self._bytes, self._at = received, 0
            return
        if not isinstance(self._bytes, bytearray):
            self._bytes = bytearray(self._bytes)
        del self._bytes[: self._at]
        self._bytes += received
        self._at = 0

    def _more(self, phase: str) -> bytes:
        received = self._receive()
        if not received:
            raise FailedError(phase, "closed", is_unanswered=not self.has_begun)
        self.has_begun = True
        return received


def _members(values: Sequence[str]) -> list[str]:
    return [one.strip(" \t").lower() for value in values for one in value.split(",")]
