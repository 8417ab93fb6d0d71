"""A function's network: the names its VPC knows lead to the door, all others nowhere."""

from __future__ import annotations

import asyncio
import gc
import ssl
from typing import TYPE_CHECKING

import pytest

from backstairs.access import Endpoint
from backstairs.http.servers import Servers
from backstairs.network.names import names_of
from backstairs.network.proxy import Certificates, Network

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.http.asgi import Receive, Scope, Send

REGION = "eu-west-1"


@pytest.mark.parametrize(
    ("name", "plain", "private_dns"),
    [
        ("vpce-0abc-xyz.execute-api.eu-west-1.vpce.amazonaws.com", True, True),
        ("vpce-0abc-xyz-eu-west-1a.execute-api.eu-west-1.vpce.amazonaws.com", True, True),
        ("api123-vpce-0abc.execute-api.eu-west-1.amazonaws.com", True, True),
        ("api123.execute-api.eu-west-1.amazonaws.com", False, True),
        ("vpce-0def-xyz.execute-api.eu-west-1.vpce.amazonaws.com", False, False),
        ("api123-vpce-0def.execute-api.eu-west-1.amazonaws.com", False, False),
        ("vpce-0abc-xyz.execute-api.us-east-1.vpce.amazonaws.com", False, False),
        ("example.com", False, False),
        ("vpce-0abc-xyz.execute-api.eu-west-1.vpce.amazonaws.com.example.com", False, False),
    ],
)
def test_names(name: str, plain: bool, private_dns: bool) -> None:  # noqa: FBT001 - a table
    """An endpoint is reached by its own names, and with private DNS by every API's."""
    found = [
        names_of(Endpoint("vpce-0abc", "vpc-1", private_dns=on), REGION).fullmatch(name) is not None
        for on in (False, True)
    ]

    assert found == [plain, private_dns]


async def connect(network: Network, target: str, after: bytes = b"") -> bytes:
    """Ask for a tunnel; returns what comes back until the other side ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    writer.write(f"{target}\r\n\r\n".encode() + after)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "target",
    [
        "CONNECT elsewhere.example:443 HTTP/1.1",
        "CONNECT known.example:80 HTTP/1.1",
        "CONNECT known.example HTTP/1.1",
        "GET http://known.example/ HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1",
    ],
)
def test_out_of_reach(target: str) -> None:
    """A name that the network does not know, another port or another verb is a 502."""

    async def ask() -> bytes:
        network = Network({"known.example": 1}.get)
        await network.start()
        try:
            return await connect(network, target)
        finally:
            network.stop()

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 502 ")


def test_a_tunnel() -> None:
    """Bytes pass unchanged both ways, and the end of one side ends the other."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(5)).upper())
        await writer.drain()
        writer.close()

    async def ask() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        network = Network({"known.example": port}.get)
        await network.start()
        try:
            return await connect(network, "CONNECT known.example:443 HTTP/1.1", b"hello")
        finally:
            network.stop()
            server.close()

    assert asyncio.run(ask()) == b"HTTP/1.1 200 Connected\r\n\r\nHELLO"


def test_certificates(tmp_path: Path) -> None:
    """The run's certificate is good for the names of the region's APIs and endpoints."""
    certificates = Certificates(tmp_path, REGION)

    context = ssl.create_default_context(cafile=certificates.bundle)
    loaded = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    loaded.load_cert_chain(certificates.server)

    assert context.get_ca_certs()
    assert certificates.server.stat().st_mode & 0o077 == 0


def contexts() -> list[ssl.SSLContext]:
    """All TLS contexts of this process."""
    return [one for one in gc.get_objects() if isinstance(one, ssl.SSLContext)]


def test_an_end_that_tls_does_not_vouch_for_is_none_on_every_python(tmp_path: Path) -> None:
    """Some versions of Python ask OpenSSL to ignore it; no context of the doors does."""
    before = contexts()

    async def no_app(scope: Scope, receive: Receive, send: Send) -> None:
        """Nobody calls it."""

    async def serve() -> list[ssl.SSLContext]:
        servers = Servers(Certificates(tmp_path, REGION).server)
        servers.add(no_app)
        serving = asyncio.create_task(servers.run())
        await servers.started()
        made = [one for one in contexts() if not any(one is other for other in before)]
        servers.stop()
        await serving
        return made

    made = asyncio.run(serve())

    assert made
    assert not [one for one in made if one.options & ssl.OP_IGNORE_UNEXPECTED_EOF]
