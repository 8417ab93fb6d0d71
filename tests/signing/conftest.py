"""What the tests of the signing layer share: credentials, a gateway, an API in front of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from signing import Credentials, PrivateApi

from tests.signing.gateway import Gateway
from tests.signing.verifier import Secret, Wire, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "eu-west-1"
KEYS = Credentials(
    access_key_id="ASIAEXAMPLE", secret_access_key="made/up+secret", session_token="made/up+token=="
)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        yield server


@pytest.fixture
def api(gateway: Gateway) -> PrivateApi:
    return PrivateApi(url=f"{gateway.url}/dev", region=REGION)


@pytest.fixture
def keys() -> Credentials:
    return KEYS


@pytest.fixture
def verified() -> Callable[[Wire], str]:
    secrets = {KEYS.access_key_id: Secret(KEYS.secret_access_key, KEYS.session_token)}
    return functools.partial(verify, secrets=secrets, region=REGION)
