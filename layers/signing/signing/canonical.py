"""The canonical form of path, query and headers.

Source: the document that `sigv4` names; RFC 3986 for unreserved characters and dot segments.
"""

from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urlsplit

# What a proxy or a tracer may add or change is not signed; every x-amz-* header must be.
_SIGNED = frozenset({"content-type", "host", "x-apigw-api-id"})
# What HTTP clients and this layer set: these need not be looked at one by one.
UNSIGNED = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length", "user-agent"}
)
DATE = "\r"  # stands for a date, and cannot be in a canonical header
_PORTS = {"http": 80, "https": 443}
_REPLACED = frozenset({"x-amz-date", "x-amz-security-token"})

# Unreserved characters stay as they are, all else is encoded, in upper case.
_PLAIN_PATH = "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
_PLAIN = _PLAIN_PATH[1:]


def canonical_path(path: str) -> str:
    """Resolve dot segments and repeated slashes of a path as sent, then encode it once more."""
    if "//" in path or "/." in path or not path:
        kept: list[str] = []
        for segment in path.split("/"):
            if segment == "..":
                del kept[-1:]
            elif segment not in ("", "."):
                kept.append(segment)
        closed = kept and path.endswith(("/", "/.", "/.."))
        path = "/" + "/".join(kept) + ("/" if closed else "")
    return quote(path, safe="/~") if path.strip(_PLAIN_PATH) else path


def canonical_query(query: str) -> str:
    """Decode and encode each name and value of a query as sent, and sort by name, then value.

    A `+` is a space: API Gateway reads and canonicalises it so.
    """
    pairs = [_pair(pair) for pair in query.split("&") if pair]
    pairs.sort()
    return "&".join(pairs).replace(" ", "=")


@lru_cache(maxsize=256)
def signed_name(name: str) -> str:
    """Return the lower-case name of a header that is signed as the caller set it, else nothing."""
    lower = name.lower()
    if lower in _SIGNED or (lower.startswith("x-amz-") and lower not in _REPLACED):
        return lower
    return ""


@lru_cache(maxsize=256)
def canonical_value(value: str | bytes) -> str:
    """Return a header's value, trimmed, runs of white space made one space.

    What is not ASCII is signed as its bytes on the wire, which for text are Latin-1 (http.client);
    bytes that are not UTF-8 become surrogates.
    """
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            return " ".join(value.split()) if " " in value else value
        value = value.encode("latin-1")
    return b" ".join(value.split()).decode("utf-8", "surrogateescape")


def add_header(headers: dict[str, str], name: str, value: str | bytes) -> None:
    """Add a header's canonical value, after a comma to one of the same name."""
    text = canonical_value(value)
    headers[name] = f"{headers[name]},{text}" if name in headers else text


@lru_cache(maxsize=64)
def header_lines(headers: tuple[tuple[str, str], ...]) -> tuple[str, str, str]:
    """Return the lines of canonical headers, sorted, up to DATE and after it, and their names.

    Most calls to an API differ in path, query and date alone: the block of headers is kept.
    """
    ordered = sorted(headers)
    lines = "".join([f"{name}:{value}\n" for name, value in ordered])
    before, _, after = lines.partition(DATE)
    return before, after, ";".join([name for name, _ in ordered])


def host_of(url: str) -> str:
    """Return the Host header for a URL: no user, no default port, no trailing dot."""
    parts = urlsplit(url)
    name, port = (parts.hostname or "").rstrip("."), parts.port
    if ":" in name:
        name = f"[{name}]"
    return name if port in (None, _PORTS.get(parts.scheme)) else f"{name}:{port}"


@lru_cache(maxsize=256)
def _pair(text: str) -> str:
    """Return a canonical `name value`: a space sorts before all that either can hold.

    Most parameters of an API's calls come again. No pattern: to compile one takes long.
    """
    name, _, value = text.replace("+", "%20").partition("=")
    return f"{_encoded(name)} {_encoded(value)}"


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="~") if text.strip(_PLAIN) else text
