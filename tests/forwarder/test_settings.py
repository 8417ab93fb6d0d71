"""The forwarder's environment, read strictly."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from forwarder.backend import Backend, ConfigurationError
from forwarder.proxies import ProxyError, proxy_for
from forwarder.settings import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forwarder.subject import Pair

CODE = Path(__file__).parents[2] / "functions" / "forwarder"
IAM = {"BACKEND_AUTHORIZATION": "AWS_IAM", "AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("https://a.example", "a.example", 443, "a.example", ""),
        ("https://A.example:443/", "a.example", 443, "a.example", ""),
        ("https://a.example:8443/x/y/", "a.example", 8443, "a.example:8443", "/x/y"),
        ("http://10.0.0.1:8080/x", "10.0.0.1", 8080, "10.0.0.1:8080", "/x"),
        ("http://[fd00::1]:8080", "fd00::1", 8080, "[fd00::1]:8080", ""),
        ("https://backend", "backend", 443, "backend", ""),
    ],
)
def test_urls(url: str, host: str, port: int, authority: str, path: str) -> None:
    """Where to connect to, what is sent as Host, and what every path begins with."""
    found = read({"BACKEND_URL": url})
    assert (found.host, found.port, found.authority, found.path) == (host, port, authority, path)
    assert (found.connect_seconds, found.seconds) == (2, 10)
    assert (found.tls is None) == url.startswith("http:")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_URL", ""),
        ("BACKEND_URL", "a.example"),
        ("BACKEND_URL", "ftp://a.example"),
        ("BACKEND_URL", "https://"),
        ("BACKEND_URL", "https://user:secret@a.example"),
        ("BACKEND_URL", "https://a.example?x=1"),
        ("BACKEND_URL", "https://a.example#x"),
        ("BACKEND_URL", "https://a.example:port"),
        ("BACKEND_URL", "https://a.example:99999"),
        ("BACKEND_URL", "https://é.example"),
        ("BACKEND_URL", "https://a b.example"),
        ("BACKEND_URL", "https://a.example/x/../y"),
        ("BACKEND_URL", "https://a.example/x y"),
        ("BACKEND_URL", "https://a.example\r\nX: 1"),
        ("BACKEND_URL", "https://a.example:0"),
        ("BACKEND_URL", "https://a..example"),
        ("BACKEND_URL", "https://1..2"),
        ("BACKEND_URL", "https://."),
        ("BACKEND_URL", "https://a.example/%2e%2E/x"),
        ("BACKEND_URL", "https://a.example/x%2F..%2Fy"),
        ("BACKEND_URL", "https://a.example/x%zz"),
        ("BACKEND_URL", "https://a.example/x%0Ay"),
        ("BACKEND_CA", "no certificate"),
        ("BACKEND_CA", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        ("BACKEND_CA", "-----BEGIN CERTIFICATE-----\n=A\n-----END CERTIFICATE-----"),
        ("BACKEND_SECONDS", "soon"),
        ("BACKEND_SECONDS", "0"),
        ("BACKEND_SECONDS", "-1"),
        ("BACKEND_SECONDS", "inf"),
        ("BACKEND_CONNECT_SECONDS", "1e3"),
        ("BACKEND_AUTHORIZATION", "BASIC"),
        ("BACKEND_CALLER_AUTHORIZATION", "X-Caller-Authorization"),  # nobody signs
        ("BACKEND_DROPPED_HEADERS", "X-A X-B"),
        ("BACKEND_DROPPED_HEADERS", "*"),
        ("BACKEND_DROPPED_HEADERS", "X-*-A"),
        ("BACKEND_PRIVATE_DOMAINS", "https://corp.example.com"),
        ("HTTPS_PROXY", "socks5://proxy:1080"),
        ("HTTPS_PROXY", "http://user:secret@proxy:3128"),
        ("HTTPS_PROXY", "http://proxy:port"),
        ("HTTPS_PROXY", "http://proxy:0"),
        ("HTTPS_PROXY", "http://a..b:3128"),
        ("HTTPS_PROXY", "http://.:3128"),
    ],
)
def test_unusable_values(name: str, value: str) -> None:
    """The error names the variable, and shows no secret that may be in it."""
    with pytest.raises(ConfigurationError, match=name) as raised:
        Backend.from_environment({"BACKEND_URL": "https://a.example", name: value})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_URL", "http://a.example/dev"),
        ("BACKEND_ID", "not an id"),
        ("BACKEND_HOST", "a/b"),
        ("AWS_REGION", ""),
        ("AWS_REGION", "r"),
        ("AWS_REGION", "eu-west-1\r\nX: 1"),
        ("BACKEND_REGION", "eu/west/1"),
        ("BACKEND_CALLER_AUTHORIZATION", "Authorization"),
        ("BACKEND_CALLER_AUTHORIZATION", "X-Amz-Authorization"),
        ("BACKEND_CALLER_AUTHORIZATION", "X-Caller-Arn"),
        ("BACKEND_CALLER_AUTHORIZATION", "x-forwarded-for"),
        ("BACKEND_CALLER_AUTHORIZATION", "X-A: 1"),
    ],
)
def test_a_private_api_that_cannot_be_called(name: str, value: str) -> None:
    """Signing wants https, a region, and at most one way of naming the API."""
    with pytest.raises(ConfigurationError, match=name):
        Backend.from_environment(IAM | {"BACKEND_URL": "https://a.example/dev", name: value})


def test_an_end_that_tls_does_not_vouch_for_is_none_on_every_python(ca: str) -> None:
    """Some versions of Python ask OpenSSL to ignore it; no context here does."""
    for authority in ("", ca):
        context = read({"BACKEND_URL": "https://a.example", "BACKEND_CA": authority}).tls
        assert context is not None
        assert not context.options & ssl.OP_IGNORE_UNEXPECTED_EOF


@pytest.mark.parametrize(
    "region", ["us-east-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"]
)
def test_regions(region: str) -> None:
    """Those of every partition."""
    found = read(IAM | {"BACKEND_URL": "https://a.example/dev", "AWS_REGION": region})
    assert found.api is not None
    assert found.api.region == region


@pytest.mark.parametrize("separator", ["\n", " ", "\r\n", "\n\n"])
def test_a_private_authority_however_its_lines_end(
    serve: Callable[..., Pair], ca: str, separator: str
) -> None:
    """Line breaks may have become spaces in the variable; text around it does no harm."""
    pair = serve(BACKEND_CA=f"# ours\n{ca}".replace("\n", separator))
    assert pair.ask().status == 200


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, ("proxy", 3128)),
        ({"https_proxy": "proxy:3128"}, ("proxy", 3128)),
        ({"HTTPS_PROXY": "http://proxy/"}, ("proxy", 80)),
        ({"https_proxy": "http://lower", "HTTPS_PROXY": "http://upper"}, ("lower", 80)),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "b.example, a.example"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": ".EXAMPLE"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "a.example:8443"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "a.example:443"}, ("proxy", 80)),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "xa.example,ample,,"}, ("proxy", 80)),
    ],
)
def test_proxies(environment: dict[str, str], expected: object) -> None:
    """The proxy's variables mean what they mean to other clients."""
    assert proxy_for("https", "a.example", 8443, environment) == expected


def test_a_proxy_for_plain_http() -> None:
    """It has a variable of its own, and errors that name it."""
    assert proxy_for("http", "a", 80, {"HTTP_PROXY": "http://proxy"}) == ("proxy", 80)
    with pytest.raises(ProxyError, match="HTTP_PROXY"):
        proxy_for("http", "a", 80, {"HTTP_PROXY": "https://proxy"})


def loaded_by(code: str, *folders: Path) -> set[str]:
    """Run code in a new interpreter; returns the modules that it loaded."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    environment: dict[str, Any] = {"PYTHONPATH": ":".join(map(str, (CODE, *folders)))}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(run.stdout.split())


def test_the_handler_loads_the_standard_library_only() -> None:
    """What a cold start pays for: no client library, no SDK, nothing that this can do without."""
    plain = loaded_by(
        "import forwarder.handler\nfrom forwarder.backend import Backend\n"
        "Backend.from_environment({'BACKEND_URL': 'https://a.example'})"
    )
    costly = {"requests", "urllib3", "boto3", "botocore", "aws_lambda_powertools", "http.client"}
    costly |= {"email", "urllib.request", "encodings.idna", "concurrent.futures", "asyncio"}
    assert not plain & (costly | {"signing"})
    signing = CODE.parents[1] / "layers" / "signing"
    signed = loaded_by(
        "import forwarder.handler\nfrom forwarder.backend import Backend\n"
        "Backend.from_environment({'BACKEND_URL': 'https://a.example',\n"
        "'BACKEND_AUTHORIZATION': 'AWS_IAM', 'AWS_REGION': 'eu-west-1'})",
        signing,
    )
    assert "signing.sigv4" in signed
    assert not signed & costly
