"""The proxy on the way to a host, where the environment names one, as HTTP clients read it.

`HTTPS_PROXY` for https and `HTTP_PROXY` for http, lower case first; `NO_PROXY` lists hosts, domains
(`.example.com` and `example.com` alike, subdomains included), `host:port`, or is `*`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

Address = tuple[str, int]


class ProxyError(ValueError):
    """A proxy that cannot be used; the message says why, and not where it is."""


def proxy_for(scheme: str, host: str, port: int, environment: Mapping[str, str]) -> Address | None:
    """The address of the proxy, or None for none. Raises ProxyError."""
    name = f"{scheme}_proxy"
    url = _variable(environment, name)
    if not url or _is_excepted(host, port, _variable(environment, "no_proxy")):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        address = parts.hostname or "", 80 if parts.port is None else parts.port
    except ValueError:
        raise ProxyError(f"{name.upper()} is not a URL") from None
    is_address = all(address[0].split(".")) and address[1]
    if parts.scheme != "http" or not is_address or "@" in parts.netloc:
        raise ProxyError(f"{name.upper()} is not like http://host:port, without a user")
    return address


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    for exception in exceptions.split(","):
        name = exception.strip().lower().lstrip(".")
        if name == "*" or name in (host, f"{host}:{port}", f"[{host}]"):
            return True
        if name and host.endswith(f".{name}"):
            return True
    return False
