"""Where an API is and how it is addressed: one immutable value, from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .frozen import Frozen
from .sigv4 import host_of, sign
from .urls import DOTS, domain, is_host, normal, unusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self, Unpack

    from .credentials import Provider
    from .errors import HostRefused
    from .keys import Credentials
    from .session import Options, Session

_SLASHES = 2  # of https://


class PrivateApi(Frozen):
    """An API and the way to reach it.

    `url` is what TLS connects to and is named by, with the stage: `https://name[:port]/stage`.
    Beside an endpoint's DNS name goes `api_id`, sent as x-apigw-api-id, or `host`, sent as Host;
    beside its alias, private DNS, a custom domain or a regional API nothing (API Gateway Developer
    Guide, "Invoke a private API"). Raises ConfigurationError.
    """

    __slots__ = ("api_id", "host", "region", "service", "url")

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
        url = normal(url)
        if api_id and host:
            raise unusable("an API is addressed by its id or by a Host, not by both")
        if api_id and not (api_id.isascii() and api_id.isalnum()):
            raise unusable(f"{api_id!r} is not the id of an API")
        if host and not is_host(host):
            raise unusable(f"{host!r} is not a host name")
        if not region or not service:
            raise unusable("region and service are needed, not guessed from a host name")
        self._set(
            url=url,
            region=region,
            api_id=api_id or None,
            host=host or None,
            service=service,
        )

    @classmethod
    def from_environment(cls, prefix: str, environment: Mapping[str, str] = os.environ) -> Self:
        """Read, for the prefix CLAIMS_API, CLAIMS_API_URL and how that is addressed.

        At most one of CLAIMS_API_ID and CLAIMS_API_HOST; CLAIMS_API_REGION, or else Lambda's
        AWS_REGION. Empty counts as not set. Raises ConfigurationError, which names the variable.
        """
        url = environment.get(f"{prefix}_URL")
        region = environment.get(f"{prefix}_REGION") or environment.get("AWS_REGION")
        if not url:
            raise unusable(f"{prefix}_URL is not set")
        if not region:
            raise unusable(f"neither {prefix}_REGION nor AWS_REGION is set")
        try:
            return cls(
                url=url,
                region=region,
                api_id=environment.get(f"{prefix}_ID"),
                host=environment.get(f"{prefix}_HOST"),
            )
        except ValueError as error:
            names = ", ".join(f"{prefix}_{name}" for name in ("URL", "ID", "HOST"))
            raise unusable(f"one of {names}: {error}") from None

    def session(self, **options: Unpack[Options]) -> Session:
        """Return a `Session`, a `requests.Session` for this API; the options are its own."""
        from .session import Session

        return Session(self, **options)

    def sign(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str | bytes]] = (),
        body: bytes | str = b"",
        credentials: Credentials | Provider | None = None,
    ) -> dict[str, str]:
        """Return the headers to set, for any HTTP client: address and signature of one request.

        `url` is sent as it is, percent-encoded; `headers` are the others that the request will
        carry. Without `credentials`, the environment's. Sign anew for each attempt, and follow no
        redirect with these headers. Raises HostRefused for another API's URL, CredentialsError.
        """
        if not self.owns(url):
            raise foreign(url, f"not a URL of {self.origin}")
        if credentials is None:
            from .credentials import default

            credentials = default
        carried = [*headers]
        address: dict[str, str] = {}
        if self.api_id and all(name.lower() != "x-apigw-api-id" for name, _ in carried):
            address["x-apigw-api-id"] = self.api_id
        return address | sign(
            method=method,
            url=url,
            headers=[*carried, *address.items()],
            body=body,
            credentials=credentials() if callable(credentials) else credentials,
            region=self.region,
            service=self.service,
            host=self.host,
        )

    def resolve(self, path: str) -> str:
        """Return the URL of a path below the stage; an absolute URL of this API stays as it is.

        Raises HostRefused for another API's URL, PathRefused for dot segments or a fragment.
        """
        scheme, absolute, _ = path.partition("://")
        if not absolute or "/" in scheme or "?" in scheme:
            url = f"{self.url}{'' if path[:1] in ('', '/', '?') else '/'}{path}"
        elif self.owns(path):
            url = path
        else:
            raise foreign(path, f"an absolute URL, but not one of {self.url}")
        segments = url.partition("?")[0].split("/")
        if "#" in url or any(unquote(segment) in DOTS for segment in segments):
            from .errors import PathRefused

            raise PathRefused(
                "a dot segment or a # in a path: quote what it is made of with path()"
            )
        return url

    def owns(self, url: str) -> bool:
        """Say whether a URL has this API's scheme, name and port, and no user."""
        try:
            parts = urlsplit(url)
            return "@" not in parts.netloc and f"{parts.scheme}://{host_of(url)}" == self.origin
        except ValueError:  # no URL at all
            return False

    def reached(self, url: str) -> str:
        """Return a URL that names this API by its own name as one by the name it is reached by.

        Beside an endpoint's DNS name, services that see the API's own put that into a Location.
        """
        try:
            parts = urlsplit(url)
            name = host_of(url)
        except ValueError:
            return url
        label, is_alias, _ = self.origin.partition("://")[2].partition("-vpce-")
        api_id = self.api_id or (label if is_alias else "")
        own = (
            f"{api_id}.execute-api.{self.region}.{domain(self.region)}"
            if api_id
            else (self.host or "").lower()
        )
        if "@" in parts.netloc or parts.scheme not in ("https", "http") or name != own:
            return url
        return (
            self.origin + "/" + url.split("/", 3)[3] if url.count("/") > _SLASHES else self.origin
        )

    @property
    def origin(self) -> str:
        return "/".join(self.url.split("/", 3)[:3])


def foreign(url: str, text: str, **context: Any) -> HostRefused:
    """Return the error that a URL of another host is; `context` is its request."""
    from .errors import HostRefused

    try:
        host = host_of(url)
    except ValueError:  # no URL at all
        host = ""
    error = HostRefused(f"{host or 'no host'}: {text}", **context)
    error.host = host
    return error
