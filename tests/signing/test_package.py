"""What the package is: what it exports, loads and ships."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import signing

LAYER = Path(signing.__file__).parents[1]
NAMES = [
    "Credentials",
    "HttpxAuth",
    "PrivateApi",
    "Retries",
    "Session",
    "SigV4Auth",
    "assume_role",
    "deadline",
    "errors",
    "path",
    "sign",
]


def loaded_by(code: str, **environment: str) -> set[str]:
    """Run code in a new interpreter and return the modules that it loaded."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    environment["PYTHONPATH"] = str(LAYER)
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
    assert re.fullmatch(r"\d+\.\d+\.\d+", signing.__version__)


def test_the_core_loads_the_standard_library_only() -> None:
    """`signing.sigv4` adds to hashlib, hmac and urllib.parse only modules of this package."""
    floor = loaded_by("import hashlib, hmac, urllib.parse")
    core = loaded_by("import signing.sigv4")
    added = {name for name in core - floor if not name.startswith("signing")}
    assert added <= {"__future__", "time"}


def test_who_signs_without_requests_does_not_load_it() -> None:
    """An API's address, credentials and signature take the standard library only."""
    modules = loaded_by(
        "import os\n"
        "from signing import PrivateApi\n"
        "os.environ |= {'AWS_ACCESS_KEY_ID': 'AK', 'AWS_SECRET_ACCESS_KEY': 's'}\n"
        "environment = {'A_URL': 'https://a.example', 'AWS_REGION': 'r'}\n"
        "api = PrivateApi.from_environment('A', environment)\n"
        "api.sign('GET', api.resolve('/x'))"
    )
    assert not modules & {"requests", "urllib3", "http.client", "dataclasses", "email"}


def test_where_there_is_no_requests() -> None:
    """Core, providers, resolve and errors work, and the errors are what they are called."""
    loaded_by(
        "import sys\n"
        "sys.modules['requests'] = None\n"
        "from signing import PrivateApi, Credentials, errors, sign\n"
        "from signing import credentials, metadata\n"
        "api = PrivateApi(url='https://a.example', region='r')\n"
        "keys = Credentials(access_key_id='AK', secret_access_key='s')\n"
        "assert api.sign('GET', api.resolve('/x'), credentials=keys)['Host'] == 'a.example'\n"
        "def error(call, *values):\n"
        "    try:\n"
        "        call(*values)\n"
        "    except errors.SigningError as error:\n"
        "        return error\n"
        "refused = error(api.resolve, 'https://b.example/x')\n"
        "assert isinstance(refused, errors.HostRefused) and refused.host == 'b.example'\n"
        "assert isinstance(error(api.resolve, '/../x'), errors.PathRefused)\n"
        "assert isinstance(error(credentials.default), errors.CredentialsError)\n"
        "assert isinstance(error(PrivateApi.from_environment, 'A', {}), ValueError)\n",
        AWS_EC2_METADATA_DISABLED="true",
        HOME="/nowhere",
    )


def test_the_httpx_auth_loads_no_requests() -> None:
    """Who calls by httpx does not pay for `requests`."""
    modules = loaded_by("from signing import HttpxAuth")
    assert "httpx" in modules
    assert not modules & {"requests", "urllib3"}


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


def test_what_is_shipped() -> None:
    """The library has nothing beside its modules, and httpx is the caller's to install."""
    shipped = [path for path in (LAYER / "signing").rglob("*.*") if path.suffix != ".pyc"]
    assert {path.suffix for path in shipped} == {".py", ".typed"}
    assert "httpx" not in (LAYER / "requirements.txt").read_text()
