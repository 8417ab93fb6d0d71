"""Nothing secret is shown, wherever one may look."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
import requests
from signing import Credentials, PrivateApi, SigV4Auth, errors

from tests.signing.mismatch import expecting

if TYPE_CHECKING:
    from tests.signing.gateway import Gateway


@pytest.mark.filterwarnings("default")
def test_nothing_secret_is_shown(
    gateway: Gateway, keys: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    """No repr, log, exception, traceback or body has the token, the secret or the signature."""
    caplog.set_level(logging.DEBUG)
    gateway.answer = expecting((b"/dev", b"/prod"))
    api = PrivateApi(url=f"{gateway.url}/dev", region="eu-west-1", api_id="abc")
    session = api.session(credentials=keys)
    shown = [repr(keys), str(keys), f"{keys}", repr(api), repr(session), repr(vars(session))]
    answer = session.get("/members/1")
    auth = SigV4Auth(api, credentials=keys)
    plain = requests.get(f"{api.url}/members/1", auth=auth, timeout=5)
    try:
        answer.raise_for_status()
    except errors.SignatureMismatch as error:
        shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        shown += [str(error), repr(error), repr(vars(error)), error.difference]
    with pytest.raises(errors.SignatureMismatch) as caught:
        plain.raise_for_status()  # an auth alone explains as well
    shown += [plain.text, repr(vars(plain)), str(caught.value)]
    shown += [answer.text, json.dumps(answer.json()), repr(vars(answer))]
    for reply in (answer, plain):
        shown += [repr(reply.request.headers), repr(vars(reply.request))]
    shown += [repr(vars(auth)), caplog.text]
    signature = gateway.last.one("authorization").split("Signature=")[1]
    everything = "\n".join(shown)
    for secret in (keys.secret_access_key, keys.session_token, signature):
        assert secret
        assert str.__str__(secret) not in everything
    assert "redacted" in everything


def test_answers_can_be_pickled(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """As `requests`' own responses can."""
    assert pickle.loads(pickle.dumps(api.session(credentials=keys).get("/x"))).ok  # noqa: S301
    assert gateway.received


@pytest.mark.parametrize("bad", ["SECRETTOKEN\n", "SECRET\r\nTOKEN", "SECRET\x00TOKEN", "SECRETé"])
def test_credentials_that_no_header_can_hold(bad: str) -> None:
    """They are refused when they are made, without being shown."""
    with pytest.raises(ValueError, match="no header can") as refused:
        Credentials(access_key_id="AKIA", secret_access_key="s", session_token=bad)
    assert "SECRET" not in str(refused.value)
