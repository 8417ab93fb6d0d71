"""A backend over TLS on loopback that costs next to nothing: what is measured is who asks it.

    python -m benchmarks.forwarder.backend CERTIFICATE

Prints its port; answers every request without a body with the same JSON, on connections that stay.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import cast

import uvloop

_BODY = (
    b'{"orders": [' + b", ".join([b'{"id": %d, "status": "open"}' % n for n in range(10)]) + b"]}"
)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Fri, 14 Mar 2025 09:26:53 GMT\r\n"
    b"Server: backend\r\nCache-Control: no-store\r\nX-Request-Id: 8d1c7d9e-5f0a-4b8e\r\n"
    b"Set-Cookie: a=1; Secure\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
) + _BODY


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        *whole, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(_ANSWER * len(whole))


async def _serve(certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, ssl=context, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
