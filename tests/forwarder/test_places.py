"""What an answer says of places, as it is given to the outside."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from forwarder.headers import to_caller
from forwarder.settings import read

if TYPE_CHECKING:
    from forwarder.places import Inside

HOST = "orders.corp.example.com"
PUBLIC = "d1.execute-api.eu-west-1.amazonaws.com"
INSIDE = read(
    {"BACKEND_URL": f"https://{HOST}:8443/base", "BACKEND_PRIVATE_DOMAINS": "corp.example.com"}
).inside


def outside(
    name: str,
    value: str,
    *,
    inside: Inside = INSIDE,
    target: str = "/base/orders/42?a=1",
    prefix: str = "/dev/partner",
) -> str | None:
    """One header's value for who called the public API, or None where it is left out."""
    told = inside.outside(((name, value),), target, PUBLIC, prefix)
    return told[0][1] if told else None


MAPPED = {
    "/base/orders/43": "/dev/partner/orders/43",
    "/base/a%2Fb?x=%20#f": "/dev/partner/a%2Fb?x=%20#f",
    "/base": "/dev/partner",
    "/base/": "/dev/partner/",
    "43": "/dev/partner/orders/43",
    "../x": "/dev/partner/x",
    "./": "/dev/partner/orders/",
    "?page=2": "?page=2",
    "#top": "#top",
    f"https://{HOST}:8443/base/a": "/dev/partner/a",
    f"http://{HOST}:8443/base/a": "/dev/partner/a",
    f"https://{HOST.upper()}:8443/base/a": "/dev/partner/a",
    f"//{HOST}:8443/base/a": "/dev/partner/a",
    f"https://user:pw@{HOST}:8443/base/a": "/dev/partner/a",
    # Made from X-Forwarded-Host, by who knows the public path, or does not.
    f"https://{PUBLIC}/dev/partner/a": f"https://{PUBLIC}/dev/partner/a",
    f"https://{PUBLIC}/base/a": "/dev/partner/a",
    # Somewhere public.
    "https://login.example.com/?next=%2Fa": "https://login.example.com/?next=%2Fa",
    "http://8.8.8.8/": "http://8.8.8.8/",
    "https://internal.example.com/": "https://internal.example.com/",
}
LEFT_OUT = [
    # Outside the base path.
    *("/admin", "/based", "/base/../admin", "/base/%2e%2e/admin", "/base/..%2fadmin", "../../x"),
    *(f"https://{HOST}:8443/admin", f"https://{PUBLIC}/admin"),
    # The backend's own host, and what stands beside it.
    *(f"https://{HOST}/base/a", f"https://{HOST}:9999/base", f"https://a.{HOST}/"),
    *("https://billing.corp.example.com/", f"https://login.example.com/?next=https://{HOST}/"),
    f"https://login.example.com/?next=https%3A%2F%2F{HOST}%2F",
    f"https://login.example.com/?next=https%253A%252F%252F{HOST}%252F",
    # What only a private network knows.
    *("http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[fd00::1]/", "http://[::1]/"),
    *("http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://localhost:3000/"),
    *(
        "http://backend/",
        "http://db.internal/",
        "http://ip-10-0-0-1.ec2.internal/",
        "http://a.local",
    ),
    *("https://internal-x-1.eu-west-1.elb.amazonaws.com/", "http://svc.ns.svc.cluster.local/"),
    "https://a1-vpce-0123456789abcdef0.execute-api.eu-west-1.amazonaws.com/dev/x",
    "https://vpce-0123456789abcdef0-abc.execute-api.eu-west-1.vpce.amazonaws.com/dev/x",
    # The same, encoded as a browser reads it; through NAT64.
    *("https://10.0.0%2E1/", "https://db.corp%2Einternal/", "https://[64:ff9b::a00:1]/"),
    # Nowhere, or read in more than one way.
    *("javascript:alert(1)", "data:text/html,x", "https://a@login.example.com/", "\\\\10.0.0.1\\x"),
    *(
        "https:\\\\10.0.0.1",
        "https://[::1",
        "https://a:b:c/",
        "/base/caf\xe9",
        "ftp://a.example.com/",
    ),
]


@pytest.mark.parametrize("name", ["Location", "content-location"])
@pytest.mark.parametrize("place", MAPPED)
def test_places_that_the_outside_can_reach(name: str, place: str) -> None:
    """Below the base path: below the public stage and route. Elsewhere in public: as it is."""
    assert outside(name, place) == MAPPED[place]


@pytest.mark.parametrize("place", LEFT_OUT)
def test_places_of_the_inside_are_left_out(place: str) -> None:
    """They lead nowhere, and tell what only the inside should know."""
    assert outside("Location", place) is None


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("", "/a"), ("/partner", "/partner/a"), ("/v1/partner", "/v1/partner/a")],
)
def test_the_public_path_is_the_event_s(prefix: str, expected: str) -> None:
    """The $default stage has none, a custom domain its base path."""
    assert outside("Location", "/base/a", prefix=prefix) == expected


@pytest.mark.parametrize(
    "place", ["/base//10.0.0.1/x", f"https://{HOST}:8443/base//evil.example.com", "/base/.//a.b"]
)
@pytest.mark.parametrize("name", ["Location", "Content-Location", "Refresh", "Link"])
def test_no_path_becomes_a_host(name: str, place: str) -> None:
    """Where nothing public stands before a path, two slashes would begin a host of its choice."""
    value = {"Refresh": f"0; url={place}", "Link": f"<{place}>; rel=next"}.get(name, place)
    assert outside(name, value, prefix="") is None
    assert outside(name, value, prefix="/dev") is not None


def test_a_backend_without_base_path() -> None:
    """Every path of it is below the route."""
    inside = read({"BACKEND_URL": "https://a.corp.example.com"}).inside
    assert outside("Location", "/", inside=inside) == "/dev/partner/"
    assert outside("Location", "https://a.corp.example.com/x", inside=inside) == "/dev/partner/x"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('</base/o?page=2>; rel="next"', '</dev/partner/o?page=2>; rel="next"'),
        (
            f'<https://{HOST}:8443/base/o>; rel="next", </admin>; rel=x, </base/o>; t="a, b"',
            '</dev/partner/o>; rel="next", </dev/partner/o>; t="a, b"',
        ),
        ("</admin>; rel=up", None),
        ("not a link", None),
        (f'</base/x>; title="{HOST}"', None),
    ],
)
def test_links(value: str, expected: str | None) -> None:
    """Each is mapped by itself; pages go on to the next one."""
    assert outside("Link", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", "5"),
        ("5; url=/base/x", "5; url=/dev/partner/x"),
        ("0;URL='/base/x'", "0; url=/dev/partner/x"),
        ("0, http://10.0.0.1/", None),
        ("soon", None),
    ],
)
def test_refresh(value: str, expected: str | None) -> None:
    """A redirect by another name."""
    assert outside("Refresh", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a=1; Secure; HttpOnly", "a=1; Secure; HttpOnly"),
        ("a=1; Path=/base; Secure", "a=1; Path=/dev/partner; Secure"),
        ("a=1; path=/base/x", "a=1; Path=/dev/partner/x"),
        ("a=1; Path=/", "a=1; Path=/dev/partner"),
        (f"a=1; Domain={HOST}; Path=/base", "a=1; Path=/dev/partner"),
        ("a=1; DOMAIN=.example.com", "a=1"),
        ("a=1; Path=/admin", None),
        ("a=1; Path=/based", None),
        ("__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"),
        (f"a=https://{HOST}/", None),
    ],
)
def test_cookies(value: str, expected: str | None) -> None:
    """They are for the public host and the route, or they would never come back."""
    assert outside("Set-Cookie", value) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Security-Policy", f"connect-src https://{HOST}:8443"),
        ("Access-Control-Allow-Origin", f"https://{HOST}"),
        ("X-Anything", HOST.upper()),
        ("X-Next", f"https%3A%2F%2F{HOST}%2Fx"),
        ("X-Next", f"https%253a%252f%252f{HOST}%252fx"),
    ],
)
def test_no_header_names_the_backend(name: str, value: str) -> None:
    """Whatever it is for; other hosts may stand there."""
    assert outside(name, value) is None
    other = value.lower().replace(HOST, "www.example.com")
    assert outside(name, other) == other


def test_a_host_of_one_word() -> None:
    """It is a name where it stands in a URL, and a word elsewhere."""
    inside = read({"BACKEND_URL": "http://orders:8080/base"}).inside
    assert outside("X-A", "three orders", inside=inside) == "three orders"
    assert outside("X-A", "http://orders:8080/x", inside=inside) is None
    assert outside("Location", "http://orders:8080/base/orders", inside=inside) == (
        "/dev/partner/orders"
    )


@pytest.mark.parametrize(
    "name",
    [
        *("Via", "Server", "X-Backend-Server", "X-Served-By", "X-Powered-By", "X-Upstream-Addr"),
        *("X-Backend", "x-envoy-upstream-service-time", "X-Hostname", "X-Pod-Name", "X-Node"),
        *("X-Application-Context", "X-AspNet-Version", "X-Accel-Redirect", "X-Sendfile", "Alt-Svc"),
        *("X-Via", "Proxy-Status", "Cache-Status", "X-Cache-Lookup", "X-Squid-Error"),
        *("X-Forwarded-Host", "X_Backend_Server", "X-Kong-Upstream-Latency", "X-Debug-Token-Link"),
    ],
)
def test_names_of_the_inside_do_not_come_back(name: str) -> None:
    """What runs there and on which machine is nobody's outside; all else comes back."""
    kept = (("ETag", '"1"'), ("X-Request-Id", "1"), ("X-RateLimit-Remaining", "1"))
    assert to_caller(((name, "x"), (name.lower(), "x"), *kept)) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Link", '</base/a>; rel="next"' + " \t;" * 28 + "<"),
        ("Link", '</base/a>; rel="next"' + " " * 40_000 + "<"),
        ("Set-Cookie", "a=1; path" + " " * 40_000 + "x"),
    ],
    ids=["parameters", "link", "cookie"],
)
def test_a_long_row_of_spaces_takes_no_time(name: str, value: str) -> None:
    """A backend's answer cannot keep the function busy: minutes, where a space has two places."""
    began = time.process_time()
    outside(name, value)
    assert time.process_time() - began < 3
