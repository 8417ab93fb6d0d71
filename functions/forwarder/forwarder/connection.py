"""One connection to the backend, on which no wait outlasts a deadline, and how it is made.

Deadlines are times of `time.monotonic()`. A socket's own timeout would begin anew with each byte of
a backend that lets them trickle.

One thing is not bounded by them: OpenSSL itself reads on while a peer sends KeyUpdates (RFC 8446,
4.6.3) without a byte of data. Only the backend could do that, for as long as it has something to
send; the time that the function keeps for its answer covers it, and Lambda's timeout ends it.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

from forwarder.failure import CONNECT, TIMEOUT, TLS, FailedError

if TYPE_CHECKING:
    from forwarder.proxies import Address

_CHUNK = 64 * 1024
_LONGEST_PROXY_ANSWER = 16 * 1024


class Connection:
    """A socket with a deadline."""

    __slots__ = ("_socket", "deadline", "idle_since")

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self.deadline = deadline
        # By the wall clock, which also runs while Lambda holds the sandbox frozen.
        self.idle_since = 0.0

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError, of which TimeoutError is one."""
        left = memoryview(data)
        while left:
            self._socket.settimeout(_remaining(self.deadline))
            left = left[self._socket.send(left[:_CHUNK]) :]

    def receive(self) -> bytes:
        """What has come, at least a byte; nothing at the end. Raises OSError."""
        self._socket.settimeout(_remaining(self.deadline))
        return self._socket.recv(_CHUNK)

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for, the connection's end above all."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._socket.close()


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
    except OSError:
        # Reset before the handshake, which wrap_socket looks for.
        connected.close()
        raise FailedError(TLS, "handshake", is_unanswered=True) from None
    except BaseException:
        connected.close()
        raise
    return Connection(connected, deadline)


def _connect_tcp(address: Address, deadline: float) -> socket.socket:
    found = _resolve(address, deadline)
    kind = "unreachable"
    for number, (family, sockaddr) in enumerate(found):
        try:
            # The first of several may be one that never answers.
            return _connected(family, sockaddr, _remaining(deadline) / (len(found) - number))
        except OSError as error:
            kind = _kind(error)
    raise FailedError(CONNECT, kind, is_unanswered=True)


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

    def ask() -> None:
        try:
            found.extend(_addresses(address))
        except (OSError, UnicodeError):
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not found:
        kind = TIMEOUT if thread.is_alive() else "name"
        raise FailedError(CONNECT, kind, is_unanswered=True)
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
        connection.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        # Nothing follows before TLS begins, so that no byte of it can be in here.
        while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_PROXY_ANSWER:
            part = connection.receive()
            if not part:
                break
            answer += part
    except TimeoutError:
        raise FailedError(CONNECT, TIMEOUT, is_unanswered=True) from None
    except OSError:
        raise FailedError(CONNECT, "proxy", is_unanswered=True) from None
    status = answer.partition(b"\r\n")[0].split(b" ")[1:2]
    if not answer.endswith(b"\r\n\r\n") or not status or not status[0].startswith(b"2"):
        raise FailedError(CONNECT, "proxy", is_unanswered=True)


def _shake_hands(connected: ssl.SSLSocket, deadline: float) -> None:
    try:
        connected.settimeout(_remaining(deadline))
        connected.do_handshake()
    except TimeoutError:
        raise FailedError(TLS, TIMEOUT, is_unanswered=True) from None
    except ssl.SSLCertVerificationError:
        raise FailedError(TLS, "certificate", is_unanswered=True) from None
    except OSError:
        raise FailedError(TLS, "handshake", is_unanswered=True) from None
