"""Every way to reach a private API, through real TLS and a proxy that stands for the network."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests
import trustme
from signing import PrivateApi

from tests.signing.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from signing import Credentials

    from tests.signing.verifier import Wire

API_HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
VPCE = "vpce-1a-2b.execute-api.eu-west-1.vpce.amazonaws.com"
FORMS = {
    "endpoint and id": (VPCE, {"X_ID": "a1b2c3d4e5"}, VPCE),
    "endpoint and Host": (VPCE, {"X_HOST": API_HOST}, API_HOST),
    "alias": (f"a1b2c3d4e5-vpce-1a.{API_HOST[11:]}", {}, f"a1b2c3d4e5-vpce-1a.{API_HOST[11:]}"),
    "private DNS": (API_HOST, {}, API_HOST),
    "custom domain": ("api.example.internal", {}, "api.example.internal"),
    "another port": ("api.example.internal:8443", {}, "api.example.internal:8443"),
}


@contextmanager
def network(gateway: Gateway, asked: list[str]) -> Iterator[str]:
    """Run an HTTP CONNECT proxy that leads every name to the gateway; yield its URL."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            target.close()

    def serve() -> None:
        client, _ = server.accept()
        with client, socket.create_connection(("127.0.0.1", gateway.port)) as upstream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            asked.append(head.split()[1].decode())
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, client))
            back.start()
            pump(client, upstream)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "")
    return monkeypatch


def serving(authority: trustme.CA, name: str, seen: list[str | None]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    context.sni_callback = lambda _socket, asked, _context: seen.append(asked)
    return context


@pytest.mark.parametrize("form", FORMS)
def test_every_form(
    form: str,
    authority: trustme.CA,
    trusted: pytest.MonkeyPatch,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """TLS is to the URL's name, Host and x-apigw-api-id say which API, and all of it verifies."""
    netloc, variables, host = FORMS[form]
    name = netloc.partition(":")[0]
    environment = {"X_URL": f"https://{netloc}/dev", "AWS_REGION": "eu-west-1", **variables}
    seen: list[str | None] = []
    asked: list[str] = []
    with Gateway(tls=serving(authority, name, seen)) as gateway, network(gateway, asked) as proxy:
        trusted.setenv("HTTPS_PROXY", proxy)
        with PrivateApi.from_environment("X", environment).session(credentials=keys) as session:
            assert session.get("/members/1").ok
    assert asked == [netloc if ":" in netloc else f"{netloc}:443"]
    assert seen == [name]
    assert gateway.last.one("host") == host
    assert gateway.last.all("x-apigw-api-id") == [
        value.encode() for key, value in variables.items() if key == "X_ID"
    ]
    assert verified(gateway.last) == keys.access_key_id


def test_a_certificate_for_the_host_header_does_not_do(
    authority: trustme.CA, trusted: pytest.MonkeyPatch, keys: Credentials
) -> None:
    """The peer must prove the name in the URL, not that in the Host header; nothing is retried."""
    api = PrivateApi(url=f"https://{VPCE}/dev", region="eu-west-1", host=API_HOST)
    seen: list[str | None] = []
    asked: list[str] = []
    with (
        Gateway(tls=serving(authority, API_HOST, seen)) as gateway,
        network(gateway, asked) as proxy,
        api.session(credentials=keys) as session,
    ):
        trusted.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(requests.exceptions.SSLError):
            session.get("/members/1")
    assert len(asked) == 1
    assert gateway.received == []


def test_no_proxy(
    gateway: Gateway, api: PrivateApi, keys: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host in NO_PROXY is reached directly."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert api.session(credentials=keys).get("/members/1").ok
    assert gateway.last.target == b"/dev/members/1"


def test_netrc_is_not_asked(
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A password in .netrc must not take the signature's place."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    api.session(credentials=keys).get("/members/1")
    assert gateway.last.one("authorization").startswith("AWS4-HMAC-SHA256")
