"""What an answer says of places: given for the public side, or not given.

A path of the backend's own, below its base path, becomes one below the public stage and route. A
public place elsewhere stays as it is. What leads elsewhere on the inside, or names it, goes: the
backend's own host, any host that only a private network knows, a path outside the base path.

    Location, Content-Location   mapped, or left out
    Link                         each link mapped, or left out
    Refresh                      mapped, or left out
    Set-Cookie                   without Domain; Path mapped, or the cookie left out
    every other header           left out where it names the backend's host

Source: RFC 9110, 10.2.2 and 8.7; RFC 8288, 3; RFC 6265, 5.1.4 and 5.2; RFC 6761, RFC 6762 and
RFC 9476 for names that are never public.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from posixpath import normpath
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

_NEVER_PUBLIC = (
    *(
        "internal",
        "local",
        "localhost",
        "localdomain",
        "lan",
        "home",
        "corp",
        "intranet",
        "private",
    ),
    *("home.arpa", "svc", "test", "invalid", "example", "alt", "onion"),
)
_PLACES_OF_AWS = re.compile(
    r"internal-[^.]+\.([a-z0-9-]+\.)?elb(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?"
    r"|.*vpce-[0-9a-f]{8,}.*|.*\.vpc-lattice-svcs\..*"
)
# Of a URL: as it is read, without an escape that somebody may undo.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
# In each pattern a space has one place only, or a long row of them would take hours.
_LINK = re.compile(r'\s*<([^<>]*)>(\s*(?:;[^;,"<>]*(?:"(?:[^"\\]|\\.)*"\s*)?)*)(?:,|$)')
_REFRESH = re.compile(r"(\s*[0-9.]+\s*)(?:[;,]\s*(?:url\s*=\s*)?(.*))?", re.IGNORECASE)
_WITH_PLACES = frozenset({"location", "content-location", "link", "refresh", "set-cookie"})


@dataclass(frozen=True)
class Inside:
    """The backend's place: its host as in a URL, every authority it may go by, its base path."""

    host: str
    authorities: frozenset[str]
    base: str
    private_domains: tuple[str, ...] = ()

    def outside(
        self, headers: tuple[tuple[str, str], ...], target: str, domain: str, prefix: str
    ) -> tuple[tuple[str, str], ...]:
        """The headers of an answer to `target`, for who called `https://{domain}{prefix}`."""
        # Most answers neither name the backend nor have a place in them.
        if not headers:
            return headers
        names, values = zip(*headers, strict=True)
        is_silent = not self.is_named_in("\n".join(values))
        if is_silent and _WITH_PLACES.isdisjoint(map(str.lower, names)):
            return headers
        view, told = _View(self, target, domain, prefix), []
        for name, value in headers:
            lower = name.lower()
            mapped = view.mapped(lower, value) if lower in _WITH_PLACES else value
            if mapped is not None and (
                (is_silent and mapped is value) or not self.is_named_in(mapped)
            ):
                told.append((name, mapped))
        return tuple(told)

    @cached_property
    def _hosts(self) -> list[str]:
        hosts = {_host(authority) for authority in self.authorities} | {self.host}
        return sorted(host.lower() for host in hosts)

    @cached_property
    def _names(self) -> re.Pattern[str]:
        """What names the backend's host; one without a dot is a word, unless it stands in a URL."""
        words = [
            re.escape(host) if "." in host or ":" in host else rf"(?<=//){re.escape(host)}"
            for host in self._hosts
        ]
        return re.compile(
            rf"(?<![A-Za-z0-9.-])(?:{'|'.join(words)})(?![A-Za-z0-9-])", re.IGNORECASE
        )

    def is_named_in(self, text: str) -> bool:
        """Whether a text names the backend's host, encoded or not."""
        return self._is_read_in(text) or ("%" in text and self._is_read_in(unquote(unquote(text))))

    def _is_read_in(self, text: str) -> bool:
        # The pattern takes its time.
        lower = text.lower()
        for host in self._hosts:
            if host in lower:
                return bool(self._names.search(text))
        return False

    def is_private(self, host: str) -> bool:
        """Whether only a private network knows a host, as far as its name tells."""
        host = host.rstrip(".").lower()
        if _is_below(host, (self.host, *self.private_domains)):
            return True
        # Few answers lead elsewhere, and no cold start should wait for it.
        from ipaddress import IPv4Address, ip_address, ip_network  # noqa: PLC0415

        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            return self._is_private_name(host)
        # What else of IPv6 is global may lead to IPv4's private addresses (RFC 6052).
        is_usual = isinstance(address, IPv4Address) or address in ip_network("2000::/3")
        return not address.is_global or not is_usual

    @staticmethod
    def _is_private_name(host: str) -> bool:
        is_number = host.rpartition(".")[2].isdigit() or "0x" in host
        return (
            "." not in host
            or is_number
            or _is_below(host, _NEVER_PUBLIC)
            or bool(_PLACES_OF_AWS.fullmatch(host))
        )


class _View:
    """One answer's places: what was asked for inside, and where that is outside."""

    def __init__(self, inside: Inside, target: str, domain: str, prefix: str) -> None:
        self._inside, self._domain, self._prefix = inside, domain.lower(), prefix
        self._target = target

    def mapped(self, name: str, value: str) -> str | None:
        """A header's value for the outside, or None."""
        match name:
            case "link":
                return self._links(value)
            case "refresh":
                return self._refresh(value)
            case "set-cookie":
                return self._cookie(value)
            case _:
                return self._place(value)

    def _place(self, reference: str) -> str | None:
        """A URL or a relative one, for the outside. Nothing where it leads to the inside."""
        reference = reference.strip(" \t")
        if not reference.isascii() or not reference.isprintable() or "\\" in reference:
            return None
        if not reference or reference.startswith(("#", "?")):
            return reference
        try:
            given = urlsplit(reference)
            whole = urlsplit(urljoin(f"https://inside{self._target}", reference))
            host, _ = (whole.hostname or "").lower(), whole.port
        except ValueError:
            return None
        is_own = whole.netloc.lower().rpartition("@")[2] in self._inside.authorities
        # Or it was made from X-Forwarded-Host, by who does not know the public path.
        is_made = host == self._domain and not _is_within(whole.path, self._prefix)
        if is_own or is_made or not (given.netloc or given.scheme):
            return self._mapped_path(whole)
        is_url = whole.scheme in ("http", "https") and "@" not in whole.netloc
        return (
            None
            if not is_url or not _HOST.fullmatch(host) or self._inside.is_private(host)
            else reference
        )

    def _mapped_path(self, url: SplitResult) -> str | None:
        path = self._path(url.path)
        if path is None:
            return None
        query = f"?{url.query}" if url.query else ""
        return path + query + (f"#{url.fragment}" if url.fragment else "")

    def _path(self, path: str) -> str | None:
        base = self._inside.base
        if not _is_within(path, base):
            return None
        public = (self._prefix + path[len(base) :]) or "/"
        # Two slashes would begin a host.
        return None if public.startswith("//") else public

    def _links(self, value: str) -> str | None:
        links, at = [], 0
        while at < len(value):
            link = _LINK.match(value, at)
            if link is None:
                return None
            at = link.end()
            place = self._place(link[1])
            if place is not None:
                links.append(f"<{place}>{link[2].rstrip()}")
        return ", ".join(links) or None

    def _refresh(self, value: str) -> str | None:
        found = _REFRESH.fullmatch(value)
        if found is None:
            return None
        if not found[2]:
            return value
        place = self._place(found[2].strip(" \t'\""))
        return None if place is None else f"{found[1].strip()}; url={place}"

    def _cookie(self, value: str) -> str | None:
        lower = value.lower()
        if "domain" not in lower and "path" not in lower:
            return value
        first, *attributes = value.split(";")
        # Only for the whole of a host, or a browser drops it.
        is_host_s = first.lstrip().lower().startswith("__host-")
        kept = [first]
        for attribute in attributes:
            name, _, path = attribute.partition("=")
            name, path = name.strip().lower(), path.strip()
            if name == "domain":
                continue
            if name == "path" and path.startswith("/") and not is_host_s:
                if _is_within(self._inside.base or "/", path.rstrip("/")):
                    public = self._prefix or "/"
                else:
                    public = self._path(path) or ""
                if not public:
                    return None
                kept.append(f" Path={public}")
            else:
                kept.append(attribute)
        return ";".join(kept)


def _host(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def _is_within(path: str, base: str) -> bool:
    """Whether a path is a base path or below it, however it is decoded."""
    if path != base and not path.startswith(f"{base}/"):
        return False
    if "/." not in path and "%" not in path:
        return True
    plain = normpath("/" + unquote(unquote(path)).replace("\\", "/").lstrip("/"))
    return not base or plain == base or plain.startswith(f"{base}/")


def _is_below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in domains)
