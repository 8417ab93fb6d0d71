"""How the function is configured, read once.

BACKEND_URL              https://host[:port][/base path], or http for a backend without TLS
BACKEND_CA               certificates (PEM) of a private authority; empty for the system's
BACKEND_CONNECT_SECONDS  how long a connection, TLS included, may take; 2
BACKEND_SECONDS          how long all of an exchange may take; 10
BACKEND_AUTHORIZATION    NONE, or AWS_IAM for a private API, which takes https. How that API is
                         addressed: BACKEND_ID, BACKEND_HOST, BACKEND_REGION (signing.PrivateApi)
BACKEND_CALLER_AUTHORIZATION  with AWS_IAM, which takes Authorization: the header in which a
                         caller's own goes on, such as X-Caller-Authorization; empty for not at all
BACKEND_DROPPED_HEADERS  more names that do not go on (asserted.py), separated by commas; one that
                         ends with * is a family
BACKEND_PRIVATE_DOMAINS  domains that are the inside's though their names do not show it, separated
                         by commas: the backend's redirects to them are left out (places.py)
"""

from __future__ import annotations

import re
import ssl
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from forwarder.asserted import plain
from forwarder.failure import RefusedError
from forwarder.places import Inside
from forwarder.proxies import ProxyError, proxy_for
from forwarder.target import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing import PrivateApi

    from forwarder.proxies import Address

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_SECONDS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)
_NAME = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9][A-Za-z0-9_.-]*(\*?)")
_OFFERED = re.compile(r"x(-[a-z0-9]+)+")
_NOT_OFFERED = re.compile(r"x-(amz|amzn|forwarded|apigw)-.*|x-caller-(key-id|arn|subject)")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_PORTS = {"http": 80, "https": 443}


class ConfigurationError(ValueError):
    """An environment variable is missing or unusable; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A backend and the way to it. `authority` is its Host; `api` is what calls are signed for."""

    host: str
    port: int
    authority: str
    path: str
    tls: ssl.SSLContext | None
    proxy: Address | None
    connect_seconds: float
    seconds: float
    api: PrivateApi | None
    caller_authorization: str
    dropped: tuple[frozenset[str], tuple[str, ...]]
    inside: Inside


def read(environment: Mapping[str, str]) -> Settings:
    """Read the variables above. Raises ConfigurationError."""
    scheme, host, port, path = _url(environment.get("BACKEND_URL", ""))
    is_default = port == _PORTS[scheme]
    literal = f"[{host}]" if ":" in host else host
    try:
        proxy = proxy_for(scheme, host, port, environment)
    except ProxyError as error:
        raise ConfigurationError(str(error)) from None
    authority = literal if is_default else f"{literal}:{port}"
    authorities = {authority, f"{literal}:{port}"}
    if (api := _api(environment)) is not None:
        authorities |= {api.host.lower()} if api.host else set()
        authorities |= (
            {f"{api.api_id}.execute-api.{api.region}.amazonaws.com"} if api.api_id else set()
        )
    return Settings(
        host=host,
        port=port,
        authority=authority,
        path=path,
        tls=_context(environment.get("BACKEND_CA", "")) if scheme == "https" else None,
        proxy=proxy,
        connect_seconds=_seconds(environment, "BACKEND_CONNECT_SECONDS", "2"),
        seconds=_seconds(environment, "BACKEND_SECONDS", "10"),
        api=api,
        caller_authorization=_offered(environment.get("BACKEND_CALLER_AUTHORIZATION") or "", api),
        dropped=_dropped(environment.get("BACKEND_DROPPED_HEADERS") or ""),
        inside=Inside(host, frozenset(authorities), path, _domains(environment)),
    )


def _url(url: str) -> tuple[str, str, int, str]:
    if not url:
        raise ConfigurationError("BACKEND_URL is not set")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError("BACKEND_URL is not a URL") from None
    path = parts.path.rstrip("/")
    is_plain = url == f"{parts.scheme}://{parts.netloc}{parts.path}" and "@" not in parts.netloc
    is_host = _HOST.fullmatch(host) and all(host.split("."))
    if parts.scheme not in _PORTS or not is_plain or not is_host or port == 0:
        raise ConfigurationError("BACKEND_URL is not like https://host:port/path")
    if not _PATH.fullmatch(path) or not _stays(path):
        raise ConfigurationError("BACKEND_URL has a path that cannot be sent")
    return parts.scheme, host, port or _PORTS[parts.scheme], path


def _stays(path: str) -> bool:
    try:
        check(path)
    except RefusedError:
        return False
    return True


def _seconds(environment: Mapping[str, str], name: str, default: str) -> float:
    text = environment.get(name) or default
    if not _SECONDS.fullmatch(text) or not float(text):
        raise ConfigurationError(f"{name} is not a number of seconds above 0 and below 1000")
    return float(text)


def _offered(name: str, api: PrivateApi | None) -> str:
    if not name:
        return ""
    if api is None:
        raise ConfigurationError("BACKEND_CALLER_AUTHORIZATION takes BACKEND_AUTHORIZATION=AWS_IAM")
    if not _OFFERED.fullmatch(name.lower()) or _NOT_OFFERED.fullmatch(name.lower()):
        raise ConfigurationError(
            "BACKEND_CALLER_AUTHORIZATION is not a name like X-Caller-Authorization, or taken"
        )
    return name


def _dropped(text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Names and beginnings of names, plain."""
    given = [_NAME.fullmatch(name.strip()) for name in text.split(",") if name.strip()]
    if None in given:
        raise ConfigurationError("BACKEND_DROPPED_HEADERS is not names separated by commas")
    found = [(plain(one[0].rstrip("*")), bool(one[1])) for one in given if one]
    names = frozenset(name for name, is_family in found if not is_family)
    return names, tuple(name for name, is_family in found if is_family)


def _domains(environment: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.get("BACKEND_PRIVATE_DOMAINS") or ""
    domains = [one.strip().strip(".").lower() for one in text.split(",") if one.strip()]
    if not all(_HOST.fullmatch(one) for one in domains):
        raise ConfigurationError("BACKEND_PRIVATE_DOMAINS is not domains separated by commas")
    return tuple(domains)


def _context(ca: str) -> ssl.SSLContext:
    """What TLS needs; a private authority is then the only one that is believed."""
    authorities = None
    if ca.strip():
        # On the way into a variable, line breaks may have become spaces.
        texts = ["".join(found.split()) for found in _CERTIFICATE.findall(ca)]
        try:
            authorities = b"".join([b64decode(text, validate=True) for text in texts])
        except ValueError:
            authorities = b""
        if not authorities:
            raise ConfigurationError("BACKEND_CA holds no certificate in PEM")
    try:
        context = ssl.create_default_context(cadata=authorities)
    except ssl.SSLError:
        raise ConfigurationError("BACKEND_CA holds no certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Set by Python 3.11.2 and others: what an attacker cuts off would pass for all of an answer.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_alpn_protocols(["http/1.1"])
    return context


def _api(environment: Mapping[str, str]) -> PrivateApi | None:
    match environment.get("BACKEND_AUTHORIZATION") or "NONE":
        case "NONE":
            return None
        case "AWS_IAM":
            # Imported here, since other backends need no layer.
            from signing import PrivateApi  # noqa: PLC0415
        case _:
            raise ConfigurationError("BACKEND_AUTHORIZATION is neither NONE nor AWS_IAM")
    try:
        api = PrivateApi.from_environment("BACKEND", environment)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    if not _REGION.fullmatch(api.region):
        raise ConfigurationError("BACKEND_REGION or else AWS_REGION is not the name of a region")
    return api
