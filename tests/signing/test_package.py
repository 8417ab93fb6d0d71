"""What the package is: what it exports, loads, weighs, and how it serves other clients."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import signing
import urllib3
from signing.sigv4 import sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing import Credentials

    from tests.signing.gateway import Gateway
    from tests.signing.verifier import Wire

LAYER = Path(signing.__file__).parents[1]
NAMES = [
    "Credentials",
    "PrivateApi",
    "Retries",
    "Session",
    "SigV4Auth",
    "assume_role",
    "deadline",
    "errors",
    "path",
]


def loaded_by(code: str) -> set[str]:
    """Run code in a new interpreter and return the modules that it loaded."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    environment = {"PYTHONPATH": str(LAYER)}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(run.stdout.split())


def test_exports() -> None:
    """The public names are these, and each can be had."""
    assert sorted(signing.__all__) == NAMES
    for name in NAMES:
        module = f"signing.{name}"
        assert name == "errors" or module not in sys.modules, "a module would hide the name"
        assert getattr(signing, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        signing.nonsense  # noqa: B018
    assert (LAYER / "signing" / "py.typed").exists()


def test_the_core_loads_the_standard_library_only() -> None:
    """`signing.sigv4` adds to hashlib, hmac and urllib.parse only modules of this package."""
    floor = loaded_by("import hashlib, hmac, urllib.parse")
    core = loaded_by("import signing.sigv4")
    added = {name for name in core - floor if not name.startswith("signing")}
    assert added <= {"__future__", "time"}


def test_who_signs_without_requests_does_not_load_it() -> None:
    """Where an API is, is read with the standard library only."""
    modules = loaded_by(
        "from signing import PrivateApi\n"
        "environment = {'A_URL': 'https://a.example', 'AWS_REGION': 'r'}\n"
        "PrivateApi.from_environment('A', environment).owns('https://b.example')"
    )
    assert not modules & {"requests", "urllib3", "http.client", "dataclasses", "email"}


def test_a_session_loads_neither_botocore_nor_inspect() -> None:
    """What costs at cold start is left alone: botocore, dataclasses, profiles, roles."""
    modules = loaded_by(
        "from signing import PrivateApi, deadline, path\n"
        "PrivateApi(url='https://a.example', region='r').session()"
    )
    costly = {"boto3", "botocore", "dataclasses", "inspect", "configparser", "difflib"}
    costly |= {"signing.sts", "signing.metadata", "xml.etree.ElementTree"}
    assert modules & costly <= loaded_by("import requests")
    assert "requests" in modules


def test_size() -> None:
    """The library itself is under 60 KB, and has nothing beside its modules."""
    shipped = [path for path in (LAYER / "signing").rglob("*.*") if path.suffix != ".pyc"]
    assert {path.suffix for path in shipped} == {".py", ".typed"}
    assert sum(path.stat().st_size for path in shipped) < 60_000


def test_http_client(gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]) -> None:
    """The core serves http.client in a few lines."""
    url, body = f"{gateway.url}/dev/members/1?q=a%20b", b'{"a": 1}'
    headers = {"Content-Type": "application/json", "x-apigw-api-id": "abc"}
    headers |= sign(
        method="POST",
        url=url,
        headers=headers.items(),
        body=body,
        credentials=keys,
        region="eu-west-1",
        service="execute-api",
    )
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request("POST", url.removeprefix(gateway.url), body, headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert verified(gateway.last) == keys.access_key_id


def test_urllib3(gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]) -> None:
    """And urllib3, with a Host of its own."""
    url = f"{gateway.url}/dev/members/1"
    headers = {"Host": "abc.execute-api.eu-west-1.amazonaws.com"}
    headers |= sign(
        method="GET",
        url=url,
        headers=headers.items(),
        credentials=keys,
        region="eu-west-1",
        service="execute-api",
    )
    with urllib3.PoolManager() as pool:
        assert pool.request("GET", url, headers=headers).status == 200
    assert gateway.last.one("host") == "abc.execute-api.eu-west-1.amazonaws.com"
    assert verified(gateway.last) == keys.access_key_id
