"""Bodies that cannot be hashed, and those that are not to be."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

import pytest
from signing import PrivateApi, Retries, errors

from tests.signing.gateway import Gateway, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signing import Credentials

    from tests.signing.verifier import Wire


def pieces() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


class Unseekable(io.BytesIO):
    """A stream, such as a pipe or a socket gives."""

    def seek(self, *_: int) -> int:
        raise OSError("not seekable")


@pytest.mark.parametrize("body", [pieces, lambda: Unseekable(b"abc"), lambda: iter([b"a"])])
def test_read_once_is_refused(
    body: Callable[[], Any], gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """What can be read only once is refused before anything is sent."""
    with pytest.raises(errors.UnsignableBody, match="only once"):
        api.session(credentials=keys).post("/x", data=body())
    assert gateway.received == []


def test_a_pipe_is_refused(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """The same for a real pipe."""
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe, pytest.raises(errors.UnsignableBody):
        api.session(credentials=keys).post("/x", data=pipe)
    assert gateway.received == []


def test_text_of_another_length_is_refused(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """`requests` announces characters, and sends bytes: better an error than a hung request."""
    with pytest.raises(errors.UnsignableBody, match="6 bytes, not the 5"):
        api.session(credentials=keys).post("/x", data=io.StringIO("abcdé"))
    assert gateway.received == []


def test_plain_text_files(
    gateway: Gateway, api: PrivateApi, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """A text stream whose length is right is signed as it is sent."""
    api.session(credentials=keys).post("/x", data=io.StringIO("abc"))
    assert verified(gateway.last) == keys.access_key_id
    assert gateway.last.body == b"abc"


@pytest.mark.parametrize("body", [pieces, lambda: b"onetwo", lambda: io.BytesIO(b"onetwo")])
def test_unsigned_when_asked(
    body: Callable[[], Any],
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """UNSIGNED-PAYLOAD is a choice, said in a signed header."""
    api.session(credentials=keys, unsigned_payload=True).post("/x", data=body())
    assert gateway.last.one("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
    assert gateway.last.body == b"onetwo"
    assert verified(gateway.last) == keys.access_key_id


def test_what_cannot_be_sent_again_is_not(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """An iterator has gone with the first attempt, even of an idempotent request."""
    gateway.answer = lambda _: response(503)
    session = api.session(credentials=keys, unsigned_payload=True, retries=Retries(base=0))
    assert session.put("/x", data=pieces()).status_code == 503
    assert len(gateway.received) == 1


def test_a_hash_that_the_caller_knows(
    gateway: Gateway, api: PrivateApi, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """A hash given as X-Amz-Content-Sha256 stands for the body."""
    known = {"X-Amz-Content-Sha256": hashlib.sha256(b"onetwo").hexdigest()}
    api.session(credentials=keys).put("/x", data=pieces(), headers=known)
    assert gateway.last.body == b"onetwo"
    assert verified(gateway.last) == keys.access_key_id
