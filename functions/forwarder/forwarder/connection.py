"""One connection to the backend, on which no wait outlasts a deadline, and how it is made.

Deadlines are times of `time.monotonic()`. A socket's own timeout would begin anew with each byte of
a backend that lets them trickle.

One thing is not bounded by them: OpenSSL itself reads on while a peer sends KeyUpdates (RFC 8446,
4.6.3) without a byte of data. Only the backend could do that, for as long as it has something to
send; the time that the function keeps for its answer covers it, and Lambda's timeout ends it.
"""

from __future__ import annotations

import errno
import re
import select
import socket
import ssl
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

from forwarder.failure import CONNECT, TIMEOUT, TLS, FailedError
from forwarder.reasons import reason

if TYPE_CHECKING:
    from forwarder.proxies import Address

_CHUNK = 64 * 1024
# Of TLS, at its longest (RFC 8446, 5.1). What fails after one may have been read in part.
_RECORD = 16 * 1024
_LONGEST_PROXY_ANSWER = 16 * 1024
# How much longer or shorter than the deadline allows a wait may be.
_MOMENT = 0.01
_FIN_SECONDS = _RESET_SECONDS = 0.1
# linux/tcp.h, tcp_states.h: tcpi_bytes_acked of struct tcp_info, since Linux 4.1; states.
_BYTES_ACKED, _TCP_INFO_LENGTH = 120, 128
_CLOSE = 7
_PROXY_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """A socket with a deadline.

    A request is sent while its answer comes: a backend may answer before it has read all, and read
    no more. `is_taken` says whether all of the last request was taken.
    """

    __slots__ = (
        *("_acked", "_is_begun", "_poll", "_socket", "_timeout", "_unsent"),
        *("deadline", "idle_since", "is_taken", "was_reused"),
    )

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self._timeout = 0.0
        self.deadline = deadline
        # By the wall clock, which also runs while Lambda holds the sandbox frozen.
        self.idle_since = 0.0
        self._unsent = memoryview(b"")
        self.is_taken = self._is_begun = True
        self._acked: int | None = None
        self._poll: select.poll | None = None
        self.was_reused = False

    def mark(self) -> None:
        """Note what has been acknowledged, for `is_unread` of the next request."""
        self._acked = _state_and_bytes_acked(self._socket)[1]

    def send(self, data: bytes) -> None:
        """Begin to send; `receive` sends what is left. Raises TimeoutError.

        What else goes wrong is left to `receive`: the backend may have answered before.
        """
        self._bound()
        self.is_taken = self._is_begun = False
        try:
            sent = self._socket.send(data[:_RECORD] if len(data) > _RECORD else data)
        except TimeoutError:
            raise
        except OSError:
            return
        self._is_begun = True
        self.is_taken = sent == len(data)
        if not self.is_taken:
            self._unsent = memoryview(data)[sent:]

    def receive(self) -> bytes:
        """What has come, at least a byte; nothing at the end. Raises OSError."""
        if self._unsent:
            received = self._receive_while_sending()
            if received is not None:
                return received
        self._bound()
        return self._socket.recv(_CHUNK)

    def _bound(self) -> None:
        """Have the next wait end with the deadline, give or take a moment. Raises TimeoutError."""
        left = _remaining(self.deadline)
        # Each change is a system call, and most calls have as much time as the one before.
        if not -_MOMENT < left - self._timeout < _MOMENT:
            self._socket.settimeout(left)
            self._timeout = left

    def _receive_while_sending(self) -> bytes | None:
        """What has come before all was sent; None once there is nothing left to send."""
        self._socket.settimeout(0)
        self._timeout = 0.0
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLOUT)
        while self._unsent:
            left = _remaining(self.deadline)
            try:
                return self._socket.recv(_CHUNK)
            except _NOT_NOW:
                pass
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent[:_CHUNK]) :]
            except _NOT_NOW:
                poll.poll(left * 1000)
            except OSError:
                self._unsent = memoryview(b"")
                return None
        self.is_taken = True
        return None

    def is_unread(self) -> bool:
        """Whether the other side cannot have read a byte of the request, which had no answer.

        Either no byte left, or the other side's FIN, which acknowledges all that had come to it,
        acknowledges nothing of what was sent since `mark`, and a reset followed: it had closed
        before. A FIN alone tells nothing, since who sends no more may read on; nor a reset alone:
        it comes from who closes without having read, and from who read and gave up.
        """
        if not self._is_begun:
            return True
        if self._acked is None:
            return False
        try:
            # Below TLS, whose own end is in the way of TCP's.
            self._socket.settimeout(min(_FIN_SECONDS, _remaining(self.deadline)))
            while socket.socket.recv(self._socket, _CHUNK):
                pass
            # Only of a hang-up and an error.
            poll = select.poll()
            poll.register(self._socket, 0)
            poll.poll(min(_RESET_SECONDS, _remaining(self.deadline)) * 1000)
            # After a FIN, a reset is EPIPE; it is ECONNRESET where there was none, or told already.
            failed = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError:
            return False
        state, acked = _state_and_bytes_acked(self._socket)
        return state == _CLOSE and failed == errno.EPIPE and acked == self._acked

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for, the connection's end above all."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return False
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)
        return not self._poll.poll(0)

    def close(self) -> None:
        self._socket.close()


def _state_and_bytes_acked(connected: socket.socket) -> tuple[int, int | None]:
    """TCP's state and the bytes that the other side has acknowledged, where the system tells."""
    try:
        told = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_LENGTH)
        acked: int = struct.unpack_from("=Q", told, _BYTES_ACKED)[0]
    except (OSError, struct.error):
        return _CLOSE, None
    return told[0], acked


def _remaining(deadline: float) -> float:
    """The seconds until a deadline. Raises TimeoutError."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def connect(
    host: str, port: int, deadline: float, *, proxy: Address | None, tls: ssl.SSLContext | None
) -> Connection:
    """Connect, through a proxy where there is one, with TLS where there is a context.

    Raises FailedError.
    """
    connected = _connect_tcp(proxy or (host, port), deadline)
    try:
        if proxy is not None:
            _tunnel(Connection(connected, deadline), host, port)
        if tls is not None:
            # An end that TLS does not vouch for is an error, not an end.
            connected = tls.wrap_socket(
                connected,
                server_hostname=host.encode(),
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
            _shake_hands(connected, deadline)
    except OSError as error:
        # Reset before the handshake, which wrap_socket looks for.
        connected.close()
        raise FailedError(TLS, "handshake", reason(error), is_unanswered=True) from None
    except BaseException:
        connected.close()
        raise
    return Connection(connected, deadline)


def _connect_tcp(address: Address, deadline: float) -> socket.socket:
    found = _resolve(address, deadline)
    kind, why = "unreachable", ""
    for number, (family, sockaddr) in enumerate(found):
        try:
            # The first of several may be one that never answers.
            return _connected(family, sockaddr, _remaining(deadline) / (len(found) - number))
        except OSError as error:
            kind, why = _kind(error), reason(error)
    raise FailedError(CONNECT, kind, "" if kind == TIMEOUT else why, is_unanswered=True)


def _connected(family: int, sockaddr: Any, seconds: float) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.settimeout(seconds)
        connecting.connect(sockaddr)
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connecting.close()
        raise
    return connecting


def _kind(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return TIMEOUT
    return "refused" if isinstance(error, ConnectionRefusedError) else "unreachable"


def _resolve(address: Address, deadline: float) -> list[tuple[int, Any]]:
    """Families and addresses of a name, in a thread: a resolver keeps no deadline."""
    try:
        return _addresses(address, socket.AI_NUMERICHOST)
    except OSError:
        pass
    found: list[tuple[int, Any]] = []
    why: list[str] = []

    def ask() -> None:
        try:
            found.extend(_addresses(address))
        except OSError as error:
            why.append(reason(error))
        except UnicodeError:
            why.append("no name")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not found:
        kind = TIMEOUT if thread.is_alive() else "name"
        raise FailedError(CONNECT, kind, "".join(why), is_unanswered=True)
    return found


def _addresses(address: Address, flags: int = 0) -> list[tuple[int, Any]]:
    # As bytes: for text, Python would load the tables of international names.
    name, port = address[0].encode(), address[1]
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags)
    return [(int(family), sockaddr) for family, _, _, _, sockaddr in found]


def _tunnel(connection: Connection, host: str, port: int) -> None:
    """Have a proxy connect to a host (RFC 9110, 9.3.6). Raises FailedError."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    answer = b""
    try:
        # Short enough to be taken at once.
        connection.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        # Nothing follows before TLS begins, so that no byte of it can be in here.
        while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_PROXY_ANSWER:
            part = connection.receive()
            if not part:
                break
            answer += part
    except TimeoutError:
        raise FailedError(CONNECT, TIMEOUT, is_unanswered=True) from None
    except OSError as error:
        raise FailedError(CONNECT, "proxy", reason(error), is_unanswered=True) from None
    status = _PROXY_STATUS.match(answer)
    if status is None or not answer.endswith(b"\r\n\r\n"):
        raise FailedError(CONNECT, "proxy", "no answer", is_unanswered=True)
    if not status[1].startswith(b"2"):
        raise FailedError(CONNECT, "proxy", f"status {status[1].decode()}", is_unanswered=True)


def _shake_hands(connected: ssl.SSLSocket, deadline: float) -> None:
    try:
        connected.settimeout(_remaining(deadline))
        connected.do_handshake()
    except TimeoutError:
        raise FailedError(TLS, TIMEOUT, is_unanswered=True) from None
    except ssl.SSLCertVerificationError as error:
        raise FailedError(TLS, "certificate", reason(error), is_unanswered=True) from None
    except OSError as error:
        raise FailedError(TLS, "handshake", reason(error), is_unanswered=True) from None
