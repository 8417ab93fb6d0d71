"""What a signer did otherwise is found out from the signature that it sent, and said in words."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from backstairs.access import WireRequest, sigv4
from backstairs.access.mismatch import find_mistakes

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET, REGION = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"
HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
DATE, TIME = "20261127", "20261127T120000Z"
EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class Signer:
    """A signer with its own idea of the canonical request; None is what is right."""

    path: str | None = None
    query: str | None = None
    payload: str | None = None
    headers: Mapping[str, str] | None = None
    region: str = REGION

    def sign(self, wire: WireRequest, also: tuple[str, ...] = ()) -> WireRequest:
        """The request with the signature that this signer makes."""
        names = sorted({"host", "x-amz-date", *also})
        sent = {name.decode(): value.decode("latin-1") for name, value in wire.headers}
        values = {**sent, **(self.headers or {})}
        right = sigv4.canonical_request(wire, names).split("\n")
        lines = "".join(f"{name}:{values[name]}\n" for name in names if name in values)
        canonical = "\n".join(
            (
                wire.method,
                right[1] if self.path is None else self.path,
                right[2] if self.query is None else self.query,
                lines,
                ";".join(names),
                hashlib.sha256(wire.body).hexdigest() if self.payload is None else self.payload,
            )
        )
        scope = f"{DATE}/{self.region}/execute-api/aws4_request"
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        to_sign = f"AWS4-HMAC-SHA256\n{TIME}\n{scope}\n{digest}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        value = (
            f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={signature}"
        )
        headers = [*wire.headers, (b"authorization", value.encode())]
        return WireRequest(wire.method, wire.path, wire.query, headers, wire.body)


def wire(
    target: str,
    body: bytes = b"",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> WireRequest:
    """A request that is to be signed."""
    path, _, query = target.partition("?")
    given = {"host": HOST, "x-amz-date": TIME, **(headers or {})}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    return WireRequest(method, path.encode(), query.encode(), pairs, body)


def found(signed: WireRequest, hosts: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What is said of it."""
    claim = sigv4.read_claim(signed)
    assert claim is not None
    return find_mistakes(signed, claim, SECRET, REGION, hosts)


MISTAKES = [
    ("/dev/a%20b", Signer(path="/dev/a%20b"), "encoded once"),
    ("/dev/a%2Fb", Signer(path="/dev/a/b"), "decoded before"),
    ("/dev/a%20b", Signer(path="/dev/a b"), "decoded and not encoded"),
    ("/dev//a", Signer(path="/dev//a"), "unverified"),
    ("/dev/a/../b", Signer(path="/dev/a/../b"), "unverified"),
    ("/dev/a/.", Signer(path="/dev/a"), "unverified"),
    ("/dev/a;v=1", Signer(path="/dev/a"), "cut at `;`"),
    ("/dev/a", Signer(path="/a"), "stage was left out"),
    ("/dev/a?q=1,2", Signer(query="q=1,2"), "signed as sent"),
    ("/dev/a?q=10:00", Signer(query="q=10:00"), "signed as sent"),
    ("/dev/a?q=%2f", Signer(query="q=%2f"), "signed as sent"),
    ("/dev/a?q=a+b", Signer(query="q=a%2Bb"), "as `%2B`"),
    ("/dev/a?q=a+b,c", Signer(query="q=a+b%2Cc"), "as `+`"),
    ("/dev/a?q=a%20b", Signer(query="q=a+b"), "spaces in the query were signed as `+`"),
    ("/dev/a?q=a%20b", Signer(query="q=a%2520b"), "encoded twice"),
    ("/dev/a?b=2&a=1", Signer(query="b=2&a=1"), "not sorted"),
    ("/dev/a?a=1&a-b=2", Signer(query="a-b=2&a=1"), "whole text"),
    ("/dev/a?a=2&a=1", Signer(query="a=1"), "last value"),
    ("/dev/a?x", Signer(query="x"), "without its `=`"),
    ("/dev/a?q=~", Signer(query="q=%7E"), "rewritten after"),
    ("/dev/a?q=%2F", Signer(query="q=%2f"), "lower-case"),
    ("/dev/a?q=1", Signer(query=""), "not signed"),
    ("/dev/a", Signer(payload="UNSIGNED-PAYLOAD"), "UNSIGNED-PAYLOAD"),
    ("/dev/a", Signer(headers={"host": "other.example"}), "another Host"),
    ("/dev/a", Signer(headers={"host": HOST.upper()}), "not the one that this request makes"),
]


@pytest.mark.parametrize(("target", "signer", "said"), MISTAKES)
def test_a_mistake_is_named(target: str, signer: Signer, said: str) -> None:
    """Each by the words that say what to do about it; a request signed right has none."""
    mistakes = found(signer.sign(wire(target)), hosts=("other.example",))
    if said.startswith("not the one"):
        assert mistakes == ()
    else:
        assert len(mistakes) == 1
        assert said in mistakes[0]


@pytest.mark.parametrize(
    ("signer", "said"),
    [
        (Signer(payload=EMPTY), "signed as empty"),
        (Signer(payload="UNSIGNED-PAYLOAD"), "UNSIGNED-PAYLOAD"),
    ],
)
def test_a_payload_that_was_not_hashed(signer: Signer, said: str) -> None:
    """API Gateway hashes the body, whatever was said of it."""
    (mistake,) = found(signer.sign(wire("/dev/a", b'{"a":1}', "PUT")))
    assert said in mistake
    assert "SHA-256" in mistake


@pytest.mark.parametrize(
    ("sent", "signed", "said"),
    [
        ({"x-note": "a  b"}, {"x-note": "a  b"}, "spaces within"),
        ({"x-note": "caf\u00e9"}, {"x-note": "caf\u00c3\u00a9"}, "UTF-8"),
        ({"x-note": "changed"}, {"x-note": "before"}, ""),
    ],
)
def test_a_header_that_was_signed_otherwise(
    sent: dict[str, str], signed: dict[str, str], said: str
) -> None:
    """What it was changed from cannot be known; the others can."""
    request = Signer(headers=signed).sign(wire("/dev/a", headers=sent), also=("x-note",))
    assert (said in "".join(found(request))) if said else (found(request) == ())


def test_a_header_whose_line_is_missing() -> None:
    """A proxy added it to those that are signed, or the signer left its line out."""
    signed = Signer().sign(wire("/dev/a"), also=("x-note",))
    with_it = WireRequest(
        signed.method, signed.path, signed.query, [*signed.headers, (b"x-note", b"added")]
    )
    (mistake,) = found(with_it)
    assert "x-note was added" in mistake


def test_a_host_that_was_signed_without_its_port() -> None:
    """Clients send the port where it is not 443."""
    request = Signer(headers={"host": HOST}).sign(wire("/dev/a", headers={"host": f"{HOST}:8443"}))
    (mistake,) = found(request)
    assert "another Host" in mistake


def test_two_mistakes_at_once() -> None:
    """The commonest pair: path and query as sent."""
    mistakes = found(Signer(path="/dev/a%20b", query="q=1,2").sign(wire("/dev/a%20b?q=1,2")))
    assert len(mistakes) == 2
    assert "encoded once" in mistakes[0]
    assert "as sent" in mistakes[1]


def test_what_no_mistake_explains() -> None:
    """Nothing is said of a wrong secret."""
    request = Signer().sign(wire("/dev/a"))
    claim = sigv4.read_claim(request)
    assert claim is not None
    assert find_mistakes(request, claim, "another", REGION) == ()


def test_a_wrong_region_alone() -> None:
    """That the rest is right tells that the secret is, too."""
    assert found(Signer(region="us-east-1").sign(wire("/dev/a"))) == (
        "the rest of the signature is right",
    )
    assert found(Signer(region="us-east-1", payload="x").sign(wire("/dev/a"))) == ()


def test_a_long_request_is_not_searched() -> None:
    """A caller chooses the request, and must not choose how long this takes."""
    target = "/dev/" + "a%20" * 3000
    assert found(Signer(path=target).sign(wire(target))) == ()
