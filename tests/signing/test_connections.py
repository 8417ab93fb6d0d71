"""Connections that died silently while idle: what may not be sent twice does not meet them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import signing
from signing import PrivateApi, Retries

from tests.signing.gateway import Gateway, response

if TYPE_CHECKING:
    from signing import Credentials

ONCE = Retries(attempts=1)
# A function that lives in another process, which can be frozen as Lambda does.
FUNCTION = """
import sys
from signing import PrivateApi, Retries
api = PrivateApi(url=sys.argv[1], region="eu-west-1").session(retries=Retries(attempts=1))
for _ in sys.stdin:
    print(api.post("/x", data=b"1").status_code, flush=True)
"""


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_after_two_seconds_a_new_one_is_opened(
    method: str, gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A peer that resets on the next request, without an earlier FIN, does not fail a POST."""
    gateway.forgets_after = 1.5
    with api.session(credentials=keys, retries=ONCE) as session:
        assert session.request(method, "/x", data=b"1").ok
        time.sleep(2.1)
        assert session.request(method, "/x", data=b"2").ok
    assert [wire.body for wire in gateway.received] == [b"1", b"2"]
    assert gateway.connections == 2


def test_one_in_use_is_kept(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """Calls in quick succession share a connection, and so do repeatable ones after a pause."""
    with api.session(credentials=keys, retries=ONCE) as session:
        for method in ("POST", "GET", "PATCH", "POST"):
            assert session.request(method, "/x").ok
        time.sleep(2.1)
        assert session.get("/x").ok
        assert session.post("/x", headers={"Idempotency-Key": "k"}).ok
    assert gateway.connections == 1


def test_what_may_be_repeated_is_tried_again(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """A GET that meets a connection which died is sent once more, on a new one."""
    gateway.forgets_after = 0.1
    with api.session(credentials=keys, retries=Retries(base=0)) as session:
        assert session.get("/x").ok
        time.sleep(0.2)
        assert session.get("/x").ok
    assert gateway.connections == 2


def test_the_same_through_a_proxy(
    gateway: Gateway, keys: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy's connections age as well."""
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", gateway.url)
    gateway.forgets_after = 1.5
    api = PrivateApi(url="http://localhost:9/dev", region="eu-west-1")
    with api.session(credentials=keys, retries=ONCE) as session:
        assert session.post("/x").ok
        time.sleep(2.1)
        assert session.post("/x").ok
    assert gateway.last.target == b"http://localhost:9/dev/x"


def test_frozen_and_thawed(gateway: Gateway) -> None:
    """A function that was stopped for a while posts on a new connection when it goes on."""
    gateway.forgets_after = 1.5
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            [str(Path(signing.__file__).parents[1]), str(Path(requests.__file__).parents[1])]
        ),
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
    command = [sys.executable, "-c", FUNCTION, gateway.url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as function:
        assert function.stdin
        assert function.stdout

        def invoked() -> str:
            print("{}", file=function.stdin, flush=True)
            return function.stdout.readline() if function.stdout else ""

        assert invoked() == "200\n"
        function.send_signal(signal.SIGSTOP)
        time.sleep(2.1)
        function.send_signal(signal.SIGCONT)
        assert invoked() == "200\n"
        function.stdin.close()
        assert function.wait() == 0
    assert gateway.connections == 2


def test_a_plain_answer_is_still_one(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A reset that is no matter of age still fails a POST, which may have been carried out."""
    gateway.forgets_after = 0.0
    gateway.answer = lambda _: response(200)
    with api.session(credentials=keys, retries=ONCE) as session:
        assert session.post("/x").ok
        time.sleep(0.05)
        with pytest.raises(requests.ConnectionError):
            session.post("/x")
