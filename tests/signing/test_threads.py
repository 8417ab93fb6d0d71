"""Sixty-four threads on one session while credentials rotate."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from signing import Credentials, PrivateApi, Retries

from tests.signing.gateway import Gateway, response
from tests.signing.verifier import Secret, Wire, verify

if TYPE_CHECKING:
    import pytest

SETS = [
    Credentials(access_key_id=f"AK{n}", secret_access_key=f"secret{n}", session_token=f"token{n}")
    for n in range(20)
]
SECRETS = {k.access_key_id: Secret(k.secret_access_key, k.session_token) for k in SETS}


def test_no_request_mixes_two_sets(gateway: Gateway, api: PrivateApi) -> None:
    """Key, secret and token of each request are of one set, also of those tried again."""
    answers = random.Random(1)  # noqa: S311  the same at each run
    lock = threading.Lock()

    def answer(_: Wire) -> bytes:
        with lock:
            return response(answers.choice([200, 200, 200, 503]))

    gateway.answer = answer
    retries = Retries(attempts=20, base=0.001)
    session = api.session(credentials=lambda: random.choice(SETS), retries=retries)  # noqa: S311
    with session, ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(lambda n: session.get(f"/x/{n}").status_code, range(1000)))
    assert set(statuses) == {200}
    assert len(gateway.received) > 1000
    signers = {verify(wire, SECRETS, region="eu-west-1") for wire in gateway.received}
    assert signers == set(SECRETS)


def test_environment_that_rotates(
    gateway: Gateway, api: PrivateApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the environment's credentials shows with the next request."""
    session = api.session()
    for n in (3, 7):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AK{n}")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"secret{n}")
        monkeypatch.setenv("AWS_SESSION_TOKEN", f"token{n}")
        session.get("/x")
        assert verify(gateway.last, SECRETS, region="eu-west-1") == f"AK{n}"
