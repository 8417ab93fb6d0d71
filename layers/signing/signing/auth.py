"""SigV4 as a `requests` auth scheme: it signs the final, prepared request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requests.auth import AuthBase

from .api import foreign
from .canonical import UNSIGNED, canonical_value, signed_name
from .credentials import default
from .errors import ConfigurationError
from .payload import payload_hash
from .refusals import as_answer
from .sigv4 import UNSIGNED_PAYLOAD, UNSIGNED_REFUSED, Credentials, authorization, host_of

if TYPE_CHECKING:
    from collections import OrderedDict
    from typing import Any

    from requests import PreparedRequest, Response

    from .api import PrivateApi
    from .credentials import Provider

_ADDED = (
    "Authorization",
    "Host",
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "x-apigw-api-id",
)


_LOWER = {name: name.lower() for name in _ADDED}


class SigV4Auth(AuthBase):
    """Sign what goes to one API: `requests.get(url, auth=SigV4Auth(api))`.

    `credentials` is one set, or a provider that is asked once per signature; without it, the
    environment's. A redirect that `requests` follows goes out unsigned (a `Session` signs it), and
    a 403 is explained. `unsigned_payload` is for other services than API Gateway. Raises
    HostRefused, UnsignableBody and CredentialsError.
    """

    def __init__(
        self,
        api: PrivateApi,
        *,
        credentials: Credentials | Provider | None = None,
        unsigned_payload: bool = False,
    ) -> None:
        if unsigned_payload and api.service == "execute-api":
            raise ConfigurationError(UNSIGNED_REFUSED)
        self.api = api
        self.credentials = default if credentials is None else credentials
        self.unsigned_payload = unsigned_payload
        self.clock_offset = 0.0  # seconds that API Gateway's clock is ahead
        self._identity = (api, self.credentials, unsigned_payload)
        self._host = api.host or host_of(api.url)
        self._below = api.origin + "/"

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        self.sign(r)
        hooks = r.hooks["response"]
        if receive not in hooks:
            hooks.append(receive)
        return r

    def sign(self, request: PreparedRequest) -> None:
        """Address and sign a prepared request, in place of any signature it carries."""
        url = request.url or ""
        api = self.api
        if not url.startswith(self._below) and not api.owns(url):
            raise foreign(url, f"not a URL of {api.origin}", request=request)
        credentials = self.credentials
        if not isinstance(credentials, Credentials):
            credentials = credentials()
        # What `headers` gives and takes, at a quarter of its cost.
        carried: OrderedDict[str, tuple[str, str]] = request.headers._store  # type: ignore[attr-defined]
        signed: dict[str, str] = {}
        for lower, (_, value) in carried.items():
            if lower not in UNSIGNED and signed_name(lower):
                signed[lower] = canonical_value(value)
        if "host" not in signed:
            signed["host"] = self._host
            carried["host"] = ("Host", self._host)
        if api.api_id is not None and "x-apigw-api-id" not in signed:
            signed["x-apigw-api-id"] = api.api_id
            carried["x-apigw-api-id"] = ("x-apigw-api-id", api.api_id)
        if credentials.session_token is None:
            carried.pop("x-amz-security-token", None)
        if self.unsigned_payload:
            hashed = UNSIGNED_PAYLOAD
        else:
            hashed = signed.get("x-amz-content-sha256") or payload_hash(request)
        added = authorization(
            method=request.method or "",
            url=url,
            signed=signed,
            payload_hash=hashed,
            credentials=credentials,
            region=api.region,
            service=api.service,
            at=time.time() + self.clock_offset,
        )
        for name, value in added.items():
            carried[_LOWER[name]] = (name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SigV4Auth) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)


def unsign(request: PreparedRequest) -> None:
    """Take signature, session token and address off a request that is to go elsewhere."""
    for name in _ADDED:
        request.headers.pop(name, None)


def receive(response: Response, *_args: Any, **_options: Any) -> Response:
    """Let a 403 explain itself; leave no signature for a redirect that `requests` may follow."""
    if response.is_redirect:
        sent = response.request
        response.request = sent.copy()
        unsign(sent)
    return as_answer(response)
