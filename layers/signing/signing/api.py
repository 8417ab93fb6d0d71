"""Where a private API is and how it is addressed: one immutable value, from the environment."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError, HostRefused
from .frozen import Frozen
from .sigv4 import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self, Unpack

    from .session import Options, Session

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class PrivateApi(Frozen):
    """An API, and the way to reach it.

    `url` is what TLS connects to, with the stage: `https://name[:port]/stage`. What else is needed
    depends on the form of addressing (Amazon API Gateway Developer Guide, "Invoke a private API"):

    - an endpoint's DNS name and `api_id`, sent as `x-apigw-api-id`;
    - an endpoint's DNS name and `host`, `{api}.execute-api.{region}.amazonaws.com`, sent as Host;
    - the endpoint's alias, private DNS, a custom domain, a regional API: neither.
    """

    __slots__ = ("url", "region", "api_id", "host", "service")

    url: str
    region: str
    api_id: str | None
    host: str | None
    service: str

    def __init__(
        self,
        *,
        url: str,
        region: str,
        api_id: str | None = None,
        host: str | None = None,
        service: str = "execute-api",
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ConfigurationError(f"an API's URL is https://name/stage, not {url!r}")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ConfigurationError(f"credentials are not sent over plain http, as in {url!r}")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ConfigurationError("an API's URL has no user, query or fragment")
        if api_id and host:
            raise ConfigurationError("an API is addressed by its id or by a Host, not by both")
        if api_id and not api_id.isalnum():
            raise ConfigurationError(f"{api_id!r} is not the id of an API")
        if host and not _HOST.fullmatch(host):
            raise ConfigurationError(f"{host!r} is not a host name")
        if not region:
            raise ConfigurationError("an API needs its region; it is not guessed from a host name")
        self._set(
            url=url.rstrip("/"),
            region=region,
            api_id=api_id or None,
            host=host or None,
            service=service,
        )

    @classmethod
    def from_environment(cls, prefix: str, environment: Mapping[str, str] = os.environ) -> Self:
        """Read `<prefix>_URL`, then `<prefix>_API_ID` -- see below -- and the region.

        For the prefix `CLAIMS_API`: `CLAIMS_API_URL`; at most one of `CLAIMS_API_ID` and
        `CLAIMS_API_HOST`; `CLAIMS_API_REGION`, or else Lambda's `AWS_REGION`. Empty counts as
        absent. Raises ConfigurationError, which names the variable.
        """
        url = environment.get(f"{prefix}_URL")
        region = environment.get(f"{prefix}_REGION") or environment.get("AWS_REGION")
        if not url:
            raise ConfigurationError(f"{prefix}_URL is not set")
        if not region:
            raise ConfigurationError(f"neither {prefix}_REGION nor AWS_REGION is set")
        try:
            return cls(
                url=url,
                region=region,
                api_id=environment.get(f"{prefix}_ID"),
                host=environment.get(f"{prefix}_HOST"),
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"{prefix}_*: {error}") from None

    def resolve(self, path: str) -> str:
        """Return the URL of a path below the stage; an absolute URL must lie there already."""
        url = path if "://" in path else f"{self.url}/{path.lstrip('/')}" if path else self.url
        if not self.owns(url):
            raise HostRefused(f"not a URL of {self.url}")
        return url

    def owns(self, url: str) -> bool:
        """Say whether a URL is one of this API's: same scheme, name and port, below the stage."""
        ours, theirs = urlsplit(self.url), urlsplit(url)
        return (
            ours.scheme == theirs.scheme
            and host_of(self.url) == host_of(url)
            and "@" not in theirs.netloc
            and (theirs.path == ours.path or theirs.path.startswith(ours.path + "/"))
        )

    def session(self, **options: Unpack[Options]) -> Session:
        """Return a `requests.Session` for this API; the options are `Session`'s own."""
        from .session import Session  # noqa: PLC0415  the value alone needs no HTTP client

        return Session(self, **options)


def path(*segments: object) -> str:
    """Return `/a/b` for segments that are data: none can add a segment, a query or a dot segment.

    `path("members", "x/../y")` is `/members/x%2F..%2Fy`. Empty, `.` and `..` cannot be sent as a
    segment by any client, whatever the encoding (RFC 3986, section 6.2.2), and are refused.
    """
    quoted = [quote(str(segment), safe="") for segment in segments]
    for segment in quoted:
        if segment in ("", ".", ".."):
            raise ValueError(f"{segment!r} cannot be a segment of a path")
    return "/" + "/".join(quoted)
