"""What the tests of the forwarder share: sample events, a scripted backend behind TLS."""

from __future__ import annotations

import json
import ssl
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from forwarder.backend import Backend

from tests.forwarder.scripted import Scripted, answers, response
from tests.forwarder.subject import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.forwarder.scripted import Script

EVENTS = Path(__file__).parents[2] / "events" / "forwarder"


@pytest.fixture
def event() -> Callable[[str], Any]:
    """Read a sample event by its name, without the extension."""

    def read(name: str) -> Any:
        return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture
def context() -> Any:
    """What Lambda says of an invocation that has ten seconds."""
    return SimpleNamespace(get_remaining_time_in_millis=lambda: 10_000)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def serve(server_tls: ssl.SSLContext, ca: str) -> Iterator[Callable[..., Pair]]:
    """Start a backend that follows a script, or answers 200, and configure a forwarder for it.

    Keyword arguments are more of the forwarder's environment.
    """
    with ExitStack() as stack:

        def start(script: Script | None = None, **variables: str) -> Pair:
            server = Scripted(script or answers(response()), server_tls)
            stack.enter_context(server)
            environment = {
                "BACKEND_URL": f"https://127.0.0.1:{server.port}/base",
                "BACKEND_CA": ca,
                "BACKEND_SECONDS": "5",
                **variables,
            }
            backend = Backend.from_environment(environment)
            stack.callback(backend.close)
            return Pair(server, backend, environment)

        yield start
