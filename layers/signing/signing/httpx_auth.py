"""SigV4 as an httpx auth, for `Client` and `AsyncClient`."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx

from .api import foreign
from .canonical import add_header, host_of, signed_name
from .credentials import default
from .keys import Credentials
from .sigv4 import authorization

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from .api import PrivateApi
    from .credentials import Provider


class HttpxAuth(httpx.Auth):
    """Sign what goes to one API: `httpx.get(api.resolve(path), auth=HttpxAuth(api))`.

    `credentials` is one set, or a provider that is asked once per request, by an `AsyncClient` in
    a thread of its own; without it, the environment's. The whole body is read into memory, to be
    hashed. Signature, token and address are on the wire alone, not in `request.headers`, which
    httpx copies to redirects: one that it follows goes out unsigned, wherever it leads; to sign
    it, send `response.next_request` with this auth. Raises HostRefused and CredentialsError.
    """

    def __init__(
        self, api: PrivateApi, *, credentials: Credentials | Provider | None = None
    ) -> None:
        probe = _OnTheWire(httpx.Headers(), {"authorization": "x"})
        if "authorization" in httpx.Headers(probe) or not probe.raw:
            raise ImportError(f"httpx {httpx.__version__} would copy signatures to redirects")
        self.api = api
        self.credentials = default if credentials is None else credentials
        self._own_host = host_of(api.url).encode()  # httpx's own Host, not a caller's
        self._host = api.host or host_of(api.url)
        self._below = api.origin + "/"

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        request.read()
        provider = self.credentials
        yield self._signed(request, provider if isinstance(provider, Credentials) else provider())

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        await request.aread()
        provider = self.credentials
        if isinstance(provider, Credentials):
            credentials = provider
        elif provider is default and "AWS_ACCESS_KEY_ID" in os.environ:
            credentials = provider()  # asks nobody
        else:
            from anyio.to_thread import run_sync  # httpx's own, of asyncio and trio

            credentials = await run_sync(provider)
        yield self._signed(request, credentials)

    def _signed(self, request: httpx.Request, credentials: Credentials) -> httpx.Request:
        url, api = str(request.url), self.api
        if not url.startswith(self._below) and not api.owns(url):
            raise foreign(url, f"not a URL of {api.origin}")
        plain = request.headers
        if isinstance(plain, _OnTheWire):  # sent before: its signature is not a header of it
            plain = httpx.Headers(plain)
        signed: dict[str, str] = {}
        for raw, value in plain.raw:
            if (name := _name(raw)) and not (name == "host" and value == self._own_host):
                add_header(signed, name, value)
        added = {"Host": signed.setdefault("host", self._host)}
        if api.api_id and "x-apigw-api-id" not in signed:
            added["x-apigw-api-id"] = signed["x-apigw-api-id"] = api.api_id
        added |= authorization(
            method=request.method,
            url=url,
            signed=signed,
            payload_hash=signed.get("x-amz-content-sha256") or sha256(request.content).hexdigest(),
            credentials=credentials,
            region=api.region,
            service=api.service,
            at=time.time(),
        )
        request.headers = _OnTheWire(plain, added)
        return request


@lru_cache(maxsize=256)
def _name(raw: bytes) -> str:
    return signed_name(raw.decode("ascii"))


class _OnTheWire(httpx.Headers):
    """Headers of which transports send more than can be read or copied."""

    def __init__(self, headers: httpx.Headers, added: dict[str, str]) -> None:
        super().__init__(headers, encoding=headers.encoding)
        self._added = [(name.encode(), value.encode()) for name, value in added.items()]
        self._replaced = {name.lower() for name, _ in self._added}

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        kept = [pair for pair in super().raw if pair[0].lower() not in self._replaced]
        return kept + self._added
