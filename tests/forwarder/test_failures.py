"""Backends that fail, each in its way: the right status, no hang, nothing left behind."""

from __future__ import annotations

import resource
import socket
import ssl
import struct
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.forwarder.scripted import (
    answers,
    closes_after,
    cut_off_after,
    resets_after,
    response,
    stalls_after,
    trickles,
)
from tests.forwarder.subject import open_files, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forwarder.scripted import Script
    from tests.forwarder.subject import Pair

    Serve = Callable[..., Pair]

START = b"HTTP/1.1 200 OK\r\n"
HEAD = START + b"Content-Length: 10\r\n\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = "The backend's answer is not valid HTTP"
CLOSED = "The backend closed the connection before its answer was complete"
BROKEN = "The backend broke the connection"


def phase_and_error(caplog: pytest.LogCaptureFixture) -> tuple[str, str]:
    record: Any = caplog.records[-1]
    return record.phase, record.error


MALFORMED_ANSWERS = {
    "no HTTP": b"220 mail.example.com ESMTP\r\n\r\n",
    "other version": b"HTTP/2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "status too high": b"HTTP/1.1 600 X\r\n\r\n",
    "status too long": b"HTTP/1.1 2000 X\r\n\r\n",
    "status of zero": b"HTTP/1.1 000 X\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "interim for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    "no colon": START + b"X-A\r\nContent-Length: 0\r\n\r\n",
    "folded": START + b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "bare CR": START + b"X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n",
    "NUL": START + b"X-A: \x00\r\nContent-Length: 0\r\n\r\n",
    "name with space": START + b"X A: 1\r\nContent-Length: 0\r\n\r\n",
    "empty name": START + b": 1\r\nContent-Length: 0\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in HTTP/1.0": b"HTTP/1.0 204 X\r\nTransfer-Encoding: identity\r\n\r\n",
    "length is no number": START + b"Content-Length: ten\r\n\r\n",
    "length is negative": START + b"Content-Length: -1\r\n\r\n",
    "length has a sign": START + b"Content-Length: +2\r\n\r\nab",
    "two lengths": START + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths in one": START + b"Content-Length: 2, 3\r\n\r\nabc",
    "length and chunks": START
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": START + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunk size": CHUNKED + b"zz\r\nab\r\n0\r\n\r\n",
    "negative chunk": CHUNKED + b"-1\r\nab\r\n0\r\n\r\n",
    "hexadecimal prefix": CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
    "chunk too long for its size": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    "endless chunk line": CHUNKED + b"1;" + b"x" * 10_000,
    "trailer that is none": CHUNKED + b"0\r\nHTTP/1.1 200 OK\r\n\r\n",
    "trailer without a name": CHUNKED + b"0\r\n: 1\r\n\r\n",
    "odd space before a length": START + b"Content-Length: \x85\xa02\r\n\r\nab",
    "odd space before a coding": START
    + b"Transfer-Encoding: \xa0chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "endless trailers": CHUNKED + b"0\r\n" + b"X: 1\r\n" * 300,
}


RULES = {
    "status line": {"no HTTP", "other version", "no status", "status too high", "status too long"}
    | {"status of zero"},
    "switching protocols": {"switching"},
    "interim answers": {"interim for ever"},
    "header line": {"no colon", "folded", "bare CR", "NUL", "name with space", "empty name"},
    "coding in HTTP/1.0": {"chunks in HTTP/1.0", "coding in HTTP/1.0"},
    "length": {"length is no number", "length is negative", "length has a sign"}
    | {"odd space before a length"},
    "several lengths": {"two lengths", "two lengths in one"},
    "length and coding": {"length and chunks"},
    "transfer coding": {"unknown coding", "chunked twice", "odd space before a coding"},
    "chunk size": {"chunk size", "negative chunk", "hexadecimal prefix"},
    "chunk end": {"chunk too long for its size"},
    "endless line": {"endless chunk line"},
    "trailers": {"trailer that is none", "trailer without a name", "endless trailers"},
}


@pytest.mark.parametrize("case", MALFORMED_ANSWERS)
def test_malformed_answers(serve: Serve, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """What is not HTTP, or can be read in two ways, is a 502; the log says which rule it breaks."""
    pair = serve(answers(MALFORMED_ANSWERS[case], response(200, b"next")))
    answer = pair.ask("POST", body=b"x")
    assert (answer.status, said(answer)) == (502, MALFORMED)
    record: Any = caplog.records[-1]
    assert case in RULES[record.reason]
    assert pair.ask().body == b"next"
    assert pair.server.connections == 2


@pytest.mark.parametrize(
    "text",
    [
        START + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
        START + b"X-A: " + b"a" * 100_000,
        b"a" * 100_000,
        START + b"X-A: 1\r\n" * 500 + b"\r\n",
    ],
    ids=["one huge", "endless", "endless first line", "too many"],
)
def test_huge_headers(serve: Serve, text: bytes) -> None:
    """Headers beyond 64 KiB, or more than 200 of them, are not read to their end."""
    pair = serve(answers(text, response(200, b"next")))
    answer = pair.ask()
    assert (answer.status, said(answer)) == (
        502,
        "The headers of the backend's answer are too large",
    )
    assert pair.ask().body == b"next"


@pytest.mark.parametrize(
    ("script", "phase", "error", "text"),
    [
        (closes_after(b""), "headers", "closed", CLOSED),
        (closes_after(START), "headers", "closed", CLOSED),
        (closes_after(HEAD + b"abc"), "body", "closed", CLOSED),
        (closes_after(CHUNKED + b"5\r\nab"), "body", "closed", CLOSED),
        (closes_after(CHUNKED + b"2\r\nab\r\n"), "body", "closed", CLOSED),
        (closes_after(CHUNKED + b"0\r\n"), "body", "closed", CLOSED),
        (resets_after(b""), "headers", "broken", BROKEN),
        (resets_after(START), "headers", "broken", BROKEN),
        (resets_after(HEAD + b"abc"), "body", "broken", BROKEN),
        (cut_off_after(HEAD + b"abc"), "body", "broken", BROKEN),
        # Nobody vouches for the end of a body without a length (RFC 9112, 9.8).
        (cut_off_after(START + b"\r\nabc"), "body", "broken", BROKEN),
    ],
)
def test_connections_that_end(
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    *,
    script: Script,
    phase: str,
    error: str,
    text: str,
) -> None:
    """An answer that is not whole is a 502, sent once, and the log names the phase."""
    pair = serve(script)
    answer = pair.ask()
    assert (answer.status, said(answer)) == (502, text)
    assert phase_and_error(caplog) == (phase, error)
    assert len(pair.server.received) == 1
    pair.server.script = answers(response(200, b"next"))
    assert pair.ask().body == b"next"


def test_an_end_that_tls_vouches_for(serve: Serve) -> None:
    """A body without a length ends with the connection, which is not used again."""
    pair = serve(closes_after(START + b"\r\nall of it"))
    assert [pair.ask().body for _ in range(2)] == [b"all of it"] * 2
    assert pair.server.connections == 2


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        (stalls_after(b""), "headers"),
        (stalls_after(START), "headers"),
        (stalls_after(b"HTTP/1.1 100 Continue\r\n\r\n"), "headers"),
        (stalls_after(HEAD + b"abc"), "body"),
        (stalls_after(CHUNKED + b"2\r\nab\r\n"), "body"),
        (stalls_after(START + b"\r\nabc"), "body"),
        (trickles(START + b"X-A: " + b"a" * 200, 0.05), "headers"),
        (trickles(HEAD.replace(b"10", b"999") + b"a" * 200, 0.005), "body"),
    ],
)
def test_backends_that_stall(
    serve: Serve, caplog: pytest.LogCaptureFixture, script: Script, phase: str
) -> None:
    """A backend that stops, or lets bytes trickle, is a 504 when the time is over, no later."""
    pair = serve(script, BACKEND_SECONDS="0.6")
    began = time.monotonic()
    answer = pair.ask()
    assert time.monotonic() - began < 0.9
    assert answer.status == 504
    assert phase_and_error(caplog) == (phase, "timeout")
    pair.server.script = answers(response(200, b"next"))
    assert pair.ask().body == b"next"


def test_a_backend_that_does_not_read(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A request that is not taken ends with the time, too."""
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        pair = serve(
            BACKEND_URL=f"http://127.0.0.1:{listener.getsockname()[1]}", BACKEND_SECONDS="0.5"
        )
        answer = pair.ask("PUT", body=b"x" * 6_000_000)
    assert (answer.status, said(answer)) == (504, "The backend took too long to take the request")
    assert phase_and_error(caplog) == ("send", "timeout")


def test_an_answer_before_the_request_was_taken(serve: Serve) -> None:
    """A backend that refuses a body and closes is quoted, not called broken."""
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(response(413, b"too much"))
            time.sleep(0.2)

    with listener:
        thread = threading.Thread(target=refuse)
        thread.start()
        pair = serve(BACKEND_URL=f"http://127.0.0.1:{listener.getsockname()[1]}")
        answer = pair.ask("PUT", body=b"x" * 6_000_000)
        thread.join()
    assert (answer.status, answer.body) == (413, b"too much")


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_answer_of_a_backend_that_reads_no_more(serve: Serve, scheme: str) -> None:
    """It answers at once, and neither reads nor closes: the answer comes at once, and alone."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    pair = serve(BACKEND_URL=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    context = pair.server.tls

    def refuse() -> None:
        connection, _ = listener.accept()
        if scheme == "https" and context is not None:
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            connection.recv(1000)
            connection.sendall(response(413, b"too much"))
            over.wait(10)

    with listener:
        thread = threading.Thread(target=refuse)
        thread.start()
        began = time.monotonic()
        answer = pair.ask("POST", body=b"x" * 6_000_000)
        assert time.monotonic() - began < 2
        over.set()
        thread.join()
    assert (answer.status, answer.body) == (413, b"too much")


def test_a_body_is_sent_on_while_its_answer_comes(serve: Serve) -> None:
    """A backend that answers with what it reads, while it reads, gets all and is read whole."""
    size = 6_000_000
    listener = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            while stream.readline() != b"\r\n":
                pass
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(START + b"Content-Length: %d\r\n\r\n" % size)
            left = size
            while left:
                part = stream.read(min(left, 50_000))
                connection.sendall(part)
                left -= len(part)

    with listener:
        thread = threading.Thread(target=echo)
        thread.start()
        pair = serve(BACKEND_URL=f"http://127.0.0.1:{listener.getsockname()[1]}")
        body = bytes(range(256)) * (size // 256)
        answer = pair.ask("POST", body=body + b"x" * (size - len(body)))
        thread.join()
        pair.backend.close()
    assert (answer.status, answer.body[: len(body)]) == (200, body)


def test_a_backend_that_resets_while_it_is_sent_to(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that breaks under the request is a 502 of that phase."""
    listener = socket.create_server(("127.0.0.1", 0))

    def reset() -> None:
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with listener:
        thread = threading.Thread(target=reset)
        thread.start()
        pair = serve(BACKEND_URL=f"http://127.0.0.1:{listener.getsockname()[1]}")
        answer = pair.ask("PUT", body=b"x" * 6_000_000)
        thread.join()
    assert (answer.status, said(answer)) == (502, BROKEN)
    assert phase_and_error(caplog) == ("send", "broken")


@pytest.mark.parametrize(
    "text",
    [
        START + b"Content-Length: 6291457\r\n\r\n",
        START + b"Content-Length: 99999999999999\r\n\r\n",
        CHUNKED + b"FFFFFFFF\r\n",
        CHUNKED + (b"100000\r\n" + b"a" * 0x100000 + b"\r\n") * 7,
        START + b"\r\n" + b"a" * 7_000_000,
    ],
    ids=["declared", "absurd", "one chunk", "chunks", "endless"],
)
def test_answers_beyond_the_limit(serve: Serve, text: bytes) -> None:
    """They are not read to their end; the answer says what the limit is."""
    pair = serve(stalls_after(text))
    answer = pair.ask()
    assert answer.status == 502
    assert "too large to pass on: 6 MB" in said(answer)
    pair.server.script = answers(response(200, b"next"))
    assert pair.ask().body == b"next"


def test_a_backend_that_is_down(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A refused connection is a 502."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = serve(BACKEND_URL=f"https://127.0.0.1:{port}").ask()
    assert (answer.status, said(answer)) == (502, "The backend refused the connection")
    assert phase_and_error(caplog) == ("connect", "refused")


def test_a_name_that_nobody_knows(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A name without an address is a 502 that does not show it."""
    answer = serve(BACKEND_URL="https://backend.invalid").ask()
    assert answer.status == 502
    assert b"backend.invalid" not in answer.body
    assert phase_and_error(caplog)[0] == "connect"
    assert "backend.invalid" not in caplog.text


def test_a_name_that_is_looked_up_for_ever(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that does not answer has the time for connecting, no more."""
    over, real = threading.Event(), socket.getaddrinfo

    def look_up(host: bytes, port: int, **more: Any) -> Any:
        if more["flags"] != socket.AI_NUMERICHOST:
            over.wait(10)
        return real(host, port, **more)

    pair = serve(BACKEND_URL="https://backend.invalid", BACKEND_CONNECT_SECONDS="0.3")
    monkeypatch.setattr("forwarder.connection.socket.getaddrinfo", look_up)
    began = time.monotonic()
    answer = pair.ask()
    assert time.monotonic() - began < 0.6
    over.set()
    assert (answer.status, said(answer)) == (504, "The connection to the backend took too long")
    assert phase_and_error(caplog) == ("connect", "timeout")


def test_a_backend_that_does_not_accept(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A connection that nobody takes is a 504 after the time for connecting, not the whole."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for one in waiting:
        one.setblocking(False)  # noqa: FBT003 - the socket's own way
        one.connect_ex(full.getsockname())
    pair = serve(
        BACKEND_URL=f"https://127.0.0.1:{full.getsockname()[1]}", BACKEND_CONNECT_SECONDS="0.4"
    )
    began = time.monotonic()
    answer = pair.ask()
    assert 0.3 < time.monotonic() - began < 0.8
    for one in (full, *waiting):
        one.close()
    assert (answer.status, said(answer)) == (504, "The connection to the backend took too long")
    assert phase_and_error(caplog) == ("connect", "timeout")


def test_a_backend_that_does_not_shake_hands(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """TLS that is not answered is a 504 after the time for connecting."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pair = serve(
            BACKEND_URL=f"https://127.0.0.1:{silent.getsockname()[1]}",
            BACKEND_CONNECT_SECONDS="0.4",
        )
        answer = pair.ask()
    assert (answer.status, said(answer)) == (504, "TLS with the backend took too long")
    assert phase_and_error(caplog) == ("tls", "timeout")


def test_no_time_left(serve: Serve) -> None:
    """An invocation without time is a 504 at once; nobody is connected to."""
    pair = serve()
    assert pair.ask(seconds=0).status == 504
    assert pair.server.connections == 0
    pair.ask()
    assert pair.ask(seconds=-1).status == 504
    assert len(pair.server.received) == 1


def test_the_invocation_s_time_is_the_limit(serve: Serve) -> None:
    """What is left of the invocation bounds the exchange, however long the backend may take."""
    pair = serve(stalls_after(b""), BACKEND_SECONDS="5")
    began = time.monotonic()
    assert pair.ask(seconds=0.3).status == 504
    assert time.monotonic() - began < 0.6


def tls_of(authority: trustme.CA, name: str, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if more:
        more["not_before"] = datetime(2020, 1, 1, tzinfo=UTC)
    authority.issue_cert(name, **more).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("other authority", "unknown authority"),
        ("other name", "wrong name"),
        ("expired", "expired"),
        ("public authorities", "unknown authority"),
    ],
)
def test_certificates_that_prove_nothing(
    serve: Serve,
    authority: trustme.CA,
    caplog: pytest.LogCaptureFixture,
    *,
    case: str,
    reason: str,
) -> None:
    """One that proves nothing is a 502; no request is sent, and the log says what is wrong."""
    pair = serve(BACKEND_CA="") if case == "public authorities" else serve()
    if case == "other authority":
        pair.server.tls = tls_of(trustme.CA(), "127.0.0.1")
    if case == "other name":
        pair.server.tls = tls_of(authority, "backend.example.com")
    if case == "expired":
        pair.server.tls = tls_of(authority, "127.0.0.1", not_after=datetime(2020, 1, 2, tzinfo=UTC))
    answer = pair.ask()
    assert (answer.status, said(answer)) == (502, "The backend's certificate cannot be verified")
    assert phase_and_error(caplog) == ("tls", "certificate")
    record: Any = caplog.records[-1]
    assert record.reason == reason
    assert "backend.example.com" not in str(vars(record))
    assert pair.server.received == []


def test_a_backend_without_tls(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """An answer in the clear to a handshake is a 502, and no request is sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def answer_plainly() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(response(400))

    with listener:
        thread = threading.Thread(target=answer_plainly)
        thread.start()
        answer = serve(BACKEND_URL=f"https://127.0.0.1:{listener.getsockname()[1]}").ask()
        thread.join()
    assert (answer.status, said(answer)) == (502, "TLS with the backend failed")
    assert phase_and_error(caplog) == ("tls", "handshake")
    assert b"HTTP" not in heard[0]


# Python 3.11 leaves it to the collector to close a socket that wrap_socket does not like.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("said_before", [b"", b"220 mail.example.com ESMTP\r\n"])
def test_a_reset_before_the_handshake(
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    said_before: bytes,
) -> None:
    """A connection that is reset while TLS begins is a 502 that leaves no socket."""
    real = ssl.SSLContext.wrap_socket

    is_connected = threading.Event()

    def late(*given: Any, **more: Any) -> Any:
        is_connected.set()
        time.sleep(0.1)  # the reset is here first
        return real(*given, **more)

    def reset() -> None:
        connection, _ = listener.accept()
        is_connected.wait(10)
        connection.sendall(said_before)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=reset)
        pair = serve(BACKEND_URL=f"https://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setattr(ssl.SSLContext, "wrap_socket", late)
        before = open_files()
        thread.start()
        answer = pair.ask()
        thread.join()
        assert open_files() == before
    assert (answer.status, said(answer)) == (502, "TLS with the backend failed")
    assert phase_and_error(caplog) == ("tls", "handshake")


def test_an_address_of_a_family_that_is_not_there(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several addresses the next one is tried, as where a sandbox has no IPv6."""
    real = socket.getaddrinfo

    def with_another(*given: Any, **more: Any) -> Any:
        usable = real(*given, **more)
        return [(255, *one[1:]) for one in usable] + usable

    monkeypatch.setattr("forwarder.connection.socket.getaddrinfo", with_another)
    assert serve().ask().status == 200


def test_no_file_descriptor_left(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A socket that cannot be made is a 502, and the next call is unharmed."""
    pair = serve()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as lowest:
        free = lowest.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        answer = pair.ask()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert (answer.status, said(answer)) == (502, "The backend cannot be reached")
    assert phase_and_error(caplog) == ("connect", "unreachable")
    assert pair.ask().status == 200


def test_an_old_version_of_tls(serve: Serve, server_tls: ssl.SSLContext) -> None:
    """Below 1.2 nothing is agreed on."""
    pair = serve()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    trustme.CA().issue_cert("127.0.0.1").configure_cert(old)
    pair.server.tls = old
    assert said(pair.ask()) == "TLS with the backend failed"
    pair.server.tls = server_tls
    assert pair.ask().status == 200


def test_no_socket_is_left(serve: Serve) -> None:
    """However calls end, no more than one connection is open for a caller who comes in turn."""
    endings = (
        answers(response()),
        closes_after(HEAD + b"abc"),
        resets_after(b""),
        answers(b"nonsense\r\n\r\n"),
        answers(response()),
    )
    pair = serve()
    before = open_files()
    for _ in range(10):
        for ending in endings:
            pair.server.script = ending
            pair.ask()
    pair.backend.close()
    until = time.monotonic() + 5
    while open_files() > before and time.monotonic() < until:
        time.sleep(0.01)  # the backend's threads close their side
    assert open_files() <= before
