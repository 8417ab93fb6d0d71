"""The network as a function sees it: which names it can reach, and through which origin.

A function finds its network where any client looks for one, in HTTPS_PROXY. The proxy takes
CONNECT (RFC 9110, section 9.3.6), knows the names that the function's VPC resolves, and passes the
bytes to the door's TLS port for the matching origin. Every other name is out of reach, as in a
private subnet without a NAT gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import trustme

from backstairs.http.servers import listen, port_of

if TYPE_CHECKING:
    from pathlib import Path

Lookup = Callable[[str], int | None]

_HEAD_SECONDS = 10
_CHUNK = 65536
_GIVEN_UP = (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Certificates:
    """A certificate authority of this run alone, and one certificate for all that it serves.

    Those are the names of a region's APIs and endpoints, and `others`.
    """

    def __init__(self, folder: Path, region: str, others: Iterable[str] = ()) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert(
            f"*.execute-api.{region}.amazonaws.com",
            f"*.execute-api.{region}.vpce.amazonaws.com",
            *others,
        )
        self.bundle = folder / "ca.pem"
        self.server = folder / "server.pem"
        self.server.touch(mode=0o600)
        authority.cert_pem.write_to_path(self.bundle)
        certificate.private_key_and_cert_chain_pem.write_to_path(self.server)


class Network:
    """One CONNECT proxy on a port of 127.0.0.1; `lookup` gives the port a name leads to."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._listener = listen()
        self.port = port_of(self._listener)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._serve, sock=self._listener)

    def stop(self) -> None:
        """Accept no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(*_GIVEN_UP):
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, _, rest = head.partition(b" ")
            host, _, port = rest.partition(b" ")[0].decode("latin-1").rpartition(":")
            target = self._lookup(host.lower()) if method == b"CONNECT" and port == "443" else None
            if target is None:
                writer.write(b"HTTP/1.1 502 Name not known in this network\r\n\r\n")
                await writer.drain()
            else:
                upstream = await asyncio.open_connection("127.0.0.1", target)
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                await _join((reader, writer), upstream)
        writer.close()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(left: Stream, right: Stream) -> None:
    """Pass bytes both ways until one side ends."""
    copies = {
        asyncio.create_task(_copy(left[0], right[1])),
        asyncio.create_task(_copy(right[0], left[1])),
    }
    _, pending = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    for copy in pending:
        copy.cancel()
    right[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
