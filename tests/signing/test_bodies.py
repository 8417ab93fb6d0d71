"""Bodies that cannot be hashed, and those that are not to be."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

import pytest
from signing import PrivateApi, Retries, SigV4Auth, errors

from tests.signing.gateway import Gateway, Script, response
from tests.signing.mismatch import expecting
from tests.signing.verifier import Secret, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signing import Credentials

    from tests.signing.verifier import Wire


def pieces() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


class Unseekable(io.BytesIO):
    """A stream, such as a pipe or a socket gives."""

    def seekable(self) -> bool:
        return False

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
def test_unsigned_when_another_service_is_asked(
    body: Callable[[], Any], gateway: Gateway, keys: Credentials
) -> None:
    """UNSIGNED-PAYLOAD is a choice for other services, said in a signed header."""
    lattice = PrivateApi(url=gateway.url, region="eu-west-1", service="vpc-lattice-svcs")
    lattice.session(credentials=keys, unsigned_payload=True).post("/x", data=body())
    assert gateway.last.one("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
    assert gateway.last.body == b"onetwo"
    secrets = {keys.access_key_id: Secret(keys.secret_access_key, keys.session_token)}
    verify(gateway.last, secrets, region="eu-west-1", service="vpc-lattice-svcs")


def test_unsigned_is_refused_for_api_gateway(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """API Gateway answers UNSIGNED-PAYLOAD with 403: however it is asked for, it is not sent."""
    with pytest.raises(errors.ConfigurationError, match="spool"):
        api.session(unsigned_payload=True)
    with pytest.raises(errors.ConfigurationError, match="hashes the body"):
        SigV4Auth(api, unsigned_payload=True)
    unsigned = {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
    with pytest.raises(errors.UnsignableBody, match="spool"):
        api.session(credentials=keys).post("/x", data=pieces(), headers=unsigned)
    with pytest.raises(errors.UnsignableBody):
        api.sign("POST", f"{api.url}/x", headers=unsigned.items(), credentials=keys)
    assert gateway.received == []


@pytest.mark.parametrize(
    "body", [pieces, lambda: Unseekable(b"onetwo"), lambda: iter(["one", "two"])]
)
def test_a_stream_is_hashed_first_when_asked(
    body: Callable[[], Any],
    gateway: Gateway,
    api: PrivateApi,
    keys: Credentials,
    verified: Callable[[Wire], str],
) -> None:
    """With `spool` a stream is kept, hashed and sent with its length, again if need be."""
    gateway.answer = Script(
        response(503), response(307, headers={"Location": "/dev/y"}), response(200)
    )
    session = api.session(credentials=keys, spool=6, retries=Retries(base=0))
    assert session.put("/x", data=body(), allow_redirects=True).status_code == 200
    assert [wire.body for wire in gateway.received] == [b"onetwo"] * 3
    assert {verified(wire) for wire in gateway.received} == {keys.access_key_id}
    assert gateway.last.all("content-length") == [b"6"]
    assert gateway.last.all("transfer-encoding") == []


def test_a_spool_is_bounded(gateway: Gateway, api: PrivateApi, keys: Credentials) -> None:
    """A stream that is longer than was allowed is refused, and the rest of it not read."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    with pytest.raises(errors.UnsignableBody, match="longer than 5000000 bytes"):
        api.session(credentials=keys, spool=5_000_000).post("/x", data=endless())
    assert gateway.received == []


def test_a_spooled_stream_that_is_refused_is_explained(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """The spool is gone by then, its hash is not: no difference is made up."""
    gateway.answer = expecting((b"/dev", b"/prod"))
    answer = api.session(credentials=keys, spool=100).post("/x", data=pieces())
    with pytest.raises(errors.SignatureMismatch) as caught:
        answer.raise_for_status()
    assert caught.value.difference.count("\n-") == 1


def test_what_cannot_be_sent_again_is_not(
    gateway: Gateway, api: PrivateApi, keys: Credentials
) -> None:
    """An iterator has gone with the first attempt, even of an idempotent request."""
    gateway.answer = lambda _: response(503)
    session = api.session(credentials=keys, retries=Retries(base=0))
    known = {"X-Amz-Content-Sha256": hashlib.sha256(b"onetwo").hexdigest()}
    assert session.put("/x", data=pieces(), headers=known).status_code == 503
    assert len(gateway.received) == 1


def test_a_hash_that_the_caller_knows(
    gateway: Gateway, api: PrivateApi, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """A hash given as X-Amz-Content-Sha256 stands for the body."""
    known = {"X-Amz-Content-Sha256": hashlib.sha256(b"onetwo").hexdigest()}
    api.session(credentials=keys).put("/x", data=pieces(), headers=known)
    assert gateway.last.body == b"onetwo"
    assert verified(gateway.last) == keys.access_key_id
