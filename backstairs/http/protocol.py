"""One client's connection: uvicorn's protocol, with the limits and the strictness of a server.

The parser is given one message at a time, and a head only when it is whole and has been checked.
So an answer never overtakes another, nothing without an end is kept, and what follows a request is
not looked at before it is answered.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backstairs.access import refusals
from backstairs.http import head
from backstairs.http.head import CHUNKED, RefusedError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from backstairs.access.refusals import Refusal
    from backstairs.http.limits import Limits

_END = b"\r\n\r\n"
_LINGER_SECONDS = 2
_LINGER_BYTES = 1 << 20
_HOST, _LENGTH, _CODING = b"host", b"content-length", b"transfer-encoding"
_WATCHED = frozenset({_HOST, _LENGTH, _CODING})


class _BehindError(Exception):
    """Bytes stand behind a chunked body that came with its end."""


class Protocol(HttpToolsProtocol):
    """Keeps header names as they were sent, and answers what is not HTTP with a body like ours.

    `limits` by port.
    """

    def __init__(self, *args: Any, limits: Mapping[int, Limits], **options: Any) -> None:
        super().__init__(*args, **options)
        self._by_port = limits
        self._timer: asyncio.TimerHandle | None = None
        self._came = b""  # and has not been given to the parser
        self._looked_at = 0
        self._left = 0  # of a body, or CHUNKED
        self._without_content = 0
        self._discarded = 0
        self._head_given = self._finished = self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; the first head is waited for from now on."""
        super().connection_made(transport)
        self._limits = self._by_port[transport.get_extra_info("sockname")[1]]
        self._wait(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; an application that waits for a body hears of it."""
        self._stop_waiting()
        self._came, self._refused = b"", True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._unset_keepalive_if_required()
        if self._refused:
            self._discarded += len(data)
            if self._discarded > _LINGER_BYTES:
                self.transport.abort()
            return
        self._came = self._came + data if self._came else data
        self._go_on()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay open for an answer that is under way, where the transport can be half closed.

        TLS has no such thing here: asyncio closes it on both sides.
        """
        self._finished = True
        return not self._refused and not self._left and self._busy and self.scheme == "http"

    def on_response_complete(self) -> None:
        """Look at the next request, if it is here already."""
        super().on_response_complete()
        if self.transport.is_closing() or self._refused:
            return
        if self._came:
            self._unset_keepalive_if_required()
            self._go_on()
        if self._finished and not self._busy and not self._refused:
            self.transport.close()

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _go_on(self) -> None:
        try:
            while self._came and not self._refused:
                if self._left:
                    self._take_body()
                elif self._busy:
                    # One request at a time; the next may wait here, but not grow.
                    if len(self._came) > self._limits.head:
                        self.flow.pause_reading()
                    return
                elif not self._take_head():
                    return
        except RefusedError as error:
            self._refuse(error.refusal)

    def _take_head(self) -> bool:
        """Give a whole head to the parser; False while it is not whole."""
        came = self._came.removeprefix(b"\r\n") if self._came[0] == 13 else self._came  # noqa: PLR2004
        end = came.find(_END, max(0, self._looked_at - len(_END))) + len(_END)
        if end < len(_END):
            if len(came) >= self._limits.head:
                raise RefusedError(refusals.HEADERS_TOO_LARGE)
            if came:
                head.check_begun(came, self._looked_at)
            self._came, self._looked_at = came, len(came)
            self._wait(self._limits.head_seconds)
            return False
        if end > self._limits.head:
            raise RefusedError(refusals.HEADERS_TOO_LARGE)
        self._stop_waiting()
        self._came, self._looked_at = came[end:], 0
        self._head_given = True
        self._feed(head.check_head(came[:end]))
        if self._left:
            self._wait(self._limits.body_seconds)
        return True

    def _take_body(self) -> None:
        came = self._came
        if self._left == CHUNKED:
            self._came = b""
            self._without_content += len(came)
            self._feed(came)
            if self._left and self._without_content > self._limits.head:
                raise RefusedError(refusals.HEADERS_TOO_LARGE)
        else:
            part, self._came = came[: self._left], came[self._left :]
            self._left -= len(part)
            self._feed(part)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # No other protocol is spoken here; the request is answered as it is.
            self._came = data[upgrade.args[0] :] + self._came
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _BehindError):
                self._end_with_answer()
                return
            if isinstance(error.__context__, RefusedError):
                raise error.__context__ from None
            raise RefusedError(refusals.BAD_REQUEST) from None

    def on_message_begin(self) -> None:
        """Begin a request, unless it stands behind a chunked one in the same bytes."""
        if not self._head_given:
            raise _BehindError
        self._head_given = False
        super().on_message_begin()
        self._names: list[bytes] = []
        self._watched: list[tuple[bytes, bytes]] = []
        self._in_head = True
        self.scope["state"]["header_names"] = self._names

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, without the blanks around its value."""
        # What follows a chunked body is no header (RFC 9110, section 6.5.1).
        if not self._in_head:
            return
        self._names.append(name)
        name, value = name.lower(), value.strip(b" \t")
        if name in _WATCHED:
            self._watched.append((name, value))
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check what only the whole head tells, and start the application."""
        self._in_head = False
        found: dict[bytes, list[bytes]] = {}
        for name, value in self._watched:
            found.setdefault(name, []).append(value)
        version = self.parser.get_http_version()
        hosts = found.get(_HOST, ())
        self.url, host = head.read_target(self.parser.get_method(), self.url, hosts, version)
        self._left = head.body_length(found.get(_LENGTH, ()), found.get(_CODING, ()), version)
        if host is not None:
            # An authority stands for Host (RFC 9112, section 3.2.2).
            self.headers[:] = [
                (name, host if name == _HOST else value) for name, value in self.headers
            ]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand on a part of a body."""
        self._without_content = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; the next one begins with a head."""
        self._left = self._without_content = 0
        self._stop_waiting()
        super().on_message_complete()

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._too_late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._left or self._came or self.cycle is not None:
            self._refuse(refusals.REQUEST_TIMED_OUT)
        else:
            self.transport.close()

    def _end_with_answer(self) -> None:
        """Serve nothing more: where a chunked body ends among other bytes, the parser hides."""
        self._refused, self._came = True, b""
        if self._busy:
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Tell the client, and close when it has had the time to read that."""
        self._refused, self._came = True, b""
        self._stop_waiting()
        cycle = self.cycle
        if self._busy:
            # The application waits for a body that will never be whole.
            cycle.disconnected = True
            cycle.message_event.set()
        if self.transport.is_closing():
            return
        if self._left and (cycle.response_started or not self._busy):
            self.transport.close()
            return
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\nx-amzn-errortype: %b\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b"
            % (
                refusal.status,
                HTTPStatus(refusal.status).phrase.encode(),
                refusal.error_type.encode(),
                len(refusal.body),
                refusal.body,
            )
        )
        # A close with bytes unread would take the answer away from the client.
        self.flow.resume_reading()
        if self.transport.can_write_eof() and not self._finished:
            self.transport.write_eof()
            self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()
