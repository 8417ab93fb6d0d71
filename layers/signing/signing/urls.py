"""What an API's URL may be made of."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from .canonical import host_of

DOTS = (".", "..")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HOST = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]"  # no pattern: that takes long to compile


def path(*segments: object) -> str:
    """Return `/a/b`, where no segment can add another, a query or a dot segment: for ids.

    `path("members", "x/../y")` is `/members/x%2F..%2Fy`. Nothing keeps an empty segment, `.` or
    `..` what it is, however encoded (RFC 3986, 6.2.2): ValueError.
    """
    texts = [str(segment) for segment in segments]
    for text in texts:
        if not text or text in DOTS:
            raise ValueError(f"{text!r} cannot be a segment of a path")
    return "/" + "/".join([quote(text, safe="") for text in texts])


def normal(url: str) -> str:
    """Return the URL of an API without default port and last slash; ConfigurationError."""
    try:
        parts, host = urlsplit(url), host_of(url)
        plain = url[len(parts.scheme) :] == f"://{parts.netloc}{parts.path}"
    except ValueError:
        plain = False
    if plain and not parts.netloc.isascii():
        raise unusable(f"the host {parts.netloc!r} is not ASCII: give its xn-- form")
    if not plain or parts.scheme not in ("https", "http") or not is_host(parts.netloc):
        raise unusable("the URL is not like https://name/stage")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise unusable("the URL would send credentials in the clear: use https")
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def is_host(text: str) -> bool:
    return bool(text) and not text.lower().strip(_HOST)


def domain(region: str) -> str:
    """Return what the names of a region's services end in."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def unusable(text: str) -> ValueError:
    from .errors import ConfigurationError  # loads `requests`, where there is one

    return ConfigurationError(text)
