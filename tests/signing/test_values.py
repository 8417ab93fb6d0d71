"""Values that are copied, pickled and compared, and a session, which is none."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import signing
from signing import Credentials, PrivateApi, Retries, SigV4Auth, errors
from signing.sigv4 import sign

from tests.signing.conftest import KEYS
from tests.signing.mismatch import expecting

if TYPE_CHECKING:
    from tests.signing.gateway import Gateway

VALUES = [
    KEYS,
    Credentials(access_key_id="AK", secret_access_key="s"),
    PrivateApi(url="https://a.example/dev", region="r", api_id="abc"),
    Retries(attempts=5, total=None, base=0.5),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_values_are_pickled_and_copied(value: Any, protocol: int) -> None:
    """A value that went to another process equals what it was, and shows as little."""
    gone = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301
    for same in (gone, copy.copy(value), copy.deepcopy(value)):
        assert same == value
        assert hash(same) == hash(value)
        assert repr(same) == repr(value)


def test_an_auth_goes_to_another_process(keys: Credentials) -> None:
    """An auth is made of values."""
    auth = SigV4Auth(PrivateApi(url="https://a.example", region="r"), credentials=keys)
    assert pickle.loads(pickle.dumps(auth)) == auth  # noqa: S301
    assert copy.deepcopy(auth) == auth


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_session_does_not(way: Any, api: PrivateApi) -> None:
    """A session says what to pickle in its place, rather than failing later, half restored."""
    with pytest.raises(TypeError, match="its PrivateApi"):
        way(api.session())


def test_an_error_goes_to_another_process(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """As from a worker of a pool to its parent: with its text and what it found."""
    gateway.answer = expecting((b"/dev", b"/prod"))
    with pytest.raises(errors.SignatureMismatch) as caught:
        api.session(credentials=keys).get("/x").raise_for_status()
    gone = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert type(gone) is errors.SignatureMismatch
    assert str(gone) == str(caught.value)
    assert gone.difference == caught.value.difference
    assert gone.response.status_code == 403


@pytest.mark.parametrize("host", ["bücher.example", "例え.jp:8443"])
def test_a_host_that_is_not_ascii_is_refused_by_name(host: str) -> None:
    """The error shows the host and says what to write instead."""
    with pytest.raises(errors.ConfigurationError, match=f"{host}.*xn--"):
        PrivateApi(url=f"https://{host}/dev", region="r")


def test_a_method_is_signed_as_it_is_sent() -> None:
    """HTTP clients send methods in upper case, whatever they were given."""
    signed = [
        sign(
            method=method,
            url="https://a.example/",
            credentials=KEYS,
            region="r",
            service="s",
            at=0,
        )
        for method in ("get", "GET", "Get")
    ]
    assert signed[0] == signed[1] == signed[2]
    assert signing.sign is sign
