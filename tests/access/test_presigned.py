"""Signatures in the query against botocore's own signer of queries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import SignatureProblem, WireRequest
from backstairs.access.claims import read_claim
from backstairs.access.sigv4 import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

thorough = settings(max_examples=200, deadline=None, database=None)

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdz/+=="
REGION = "eu-central-1"
ROOT = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/dev"


@dataclass(frozen=True)
class Presigned:
    """A request as it goes over the wire, and when it was signed."""

    wire: WireRequest
    at: datetime

    @property
    def query(self) -> list[tuple[str, str]]:
        """The names and values of its query."""
        return parse_qsl(self.wire.query.decode(), keep_blank_values=True)

    def with_query(self, pairs: Sequence[tuple[str, str]]) -> Presigned:
        """The same request with another query."""
        query = urlencode(pairs, quote_via=quote, safe="").encode()
        return replace(self, wire=replace(self.wire, query=query))

    def with_value(self, name: str, *values: str) -> Presigned:
        """The same request with other values of a parameter; none takes it away."""
        others = [(key, value) for key, value in self.query if key != name]
        return self.with_query([*others, *((name, value) for value in values)])

    def with_header(self, name: bytes, value: bytes) -> Presigned:
        """The same request with one more header."""
        return replace(self, wire=replace(self.wire, headers=[*self.wire.headers, (name, value)]))

    def check(self, after: float = 0) -> None:
        """Verify it some seconds after it was signed. Raises SignatureProblem."""
        claim = read_claim(self.wire)
        assert claim is not None
        now = self.at + timedelta(seconds=after)
        verify(self.wire, claim, secret_key=SECRET, region=REGION, now=now)

    def problem(self, after: float = 0) -> SignatureProblem:
        """Why it is refused."""
        with pytest.raises(SignatureProblem) as caught:
            self.check(after)
        return caught.value


def presign(
    url: str = f"{ROOT}/members/m-1",
    *,
    method: str = "GET",
    expires: int = 900,
    token: str | None = TOKEN,
    service: str = "execute-api",
    region: str = REGION,
    headers: dict[str, str] | None = None,
) -> Presigned:
    """Sign with botocore, and give the bytes that botocore would send."""
    request = AWSRequest(method, url, headers=headers or {})
    SigV4QueryAuth(Credentials(KEY, SECRET, token), service, region, expires).add_auth(request)
    parts = urlsplit(request.url)
    sent = [(b"host", parts.netloc.encode())]
    sent += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return Presigned(WireRequest(method, parts.path.encode(), parts.query.encode(), sent), at)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("token", [TOKEN, None])
def test_what_botocore_presigns_verifies(method: str, token: str | None) -> None:
    """With and without a session token, whatever the verb."""
    presign(method=method, token=token).check()


@thorough
@given(
    path=st.lists(
        st.text("aZ9-._~é@:$ +", min_size=1, max_size=5).filter(lambda s: s.strip(".")), max_size=3
    ),
    query=st.dictionaries(
        st.text("abZ é+/&=", min_size=1, max_size=6), st.text(max_size=6), max_size=4
    ),
    expires=st.integers(1, 604800),
)
def test_any_path_and_query_beside_the_signature(
    path: list[str], query: dict[str, str], expires: int
) -> None:
    """Parameters of the request are signed with those of the signature, in whatever order."""
    url = f"{ROOT}/{quote('/'.join(path), safe='/')}?{urlencode(query, quote_via=quote)}"

    signed = presign(url, expires=expires)

    signed.check()
    signed.with_query(signed.query[::-1]).check()


def test_other_signed_headers_count() -> None:
    """A header that was signed must arrive as it was."""
    signed = presign(headers={"x-tenant": "one"})
    others = [(key, value) for key, value in signed.wire.headers if key != b"x-tenant"]
    signed.check()

    changed = replace(signed, wire=replace(signed.wire, headers=[*others, (b"x-tenant", b"two")]))

    assert changed.problem().error_type == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("after", "good"), [(-299, True), (0, True), (900, True), (901, False), (-301, False)]
)
def test_a_url_is_good_for_as_long_as_it_says(after: float, *, good: bool) -> None:
    """From five minutes before its date until it expires."""
    signed = presign(expires=900)
    if good:
        signed.check(after)
    else:
        assert signed.problem(after).message.startswith("Signature ")


@pytest.mark.parametrize("expires", ["0", "604801", "-1", "1.5", "", "x", "9" * 400, "\u0661"])
def test_an_expiry_that_is_none_is_refused(expires: str) -> None:
    """From one second to seven days, in decimal digits."""
    refused = presign().with_value("X-Amz-Expires", expires).problem()

    assert refused.error_type == "IncompleteSignatureException"


PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_missing_or_repeated_parameter_is_refused(name: str) -> None:
    """Each exactly once; half a signature is one that was attempted."""
    signed = presign()
    (value,) = [value for key, value in signed.query if key == name]
    for values in ((), (value, value), (value, "other"), ("",)):
        refused = signed.with_value(name, *values).problem()
        assert refused.error_type == "IncompleteSignatureException"
        assert refused.attempted


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.with_value("X-Amz-Expires", "901"),
        lambda one: one.with_value("X-Amz-Security-Token", "another"),
        lambda one: one.with_value("X-Amz-Security-Token"),
        lambda one: one.with_value("X-Amz-SignedHeaders", "host;x-amz-date"),
        lambda one: one.with_value("X-Amz-Signature", "0" * 64),
        lambda one: one.with_value("x", "y"),
        lambda one: replace(one, wire=replace(one.wire, method="POST")),
        lambda one: replace(one, wire=replace(one.wire, path=b"/dev/members/m-2")),
        lambda one: replace(one, wire=replace(one.wire, body=b"x")),
        lambda one: replace(one, wire=replace(one.wire, headers=[(b"host", b"x")])),
    ],
)
def test_one_altered_part_is_enough(change: Callable[[Presigned], Presigned]) -> None:
    """Everything but the signature itself is signed."""
    assert change(presign()).problem().error_type == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("signed", "message"),
    [
        (presign(region="us-east-1"), "valid region"),
        (presign(service="s3"), "correct service"),
        (presign().with_value("X-Amz-SignedHeaders", "x-tenant"), "must be a 'SignedHeader'"),
        (
            presign().with_value("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256"),
            "Only AWS4-HMAC-SHA256",
        ),
    ],
)
def test_a_signature_for_something_else_is_refused(signed: Presigned, message: str) -> None:
    """As in a header."""
    assert message in signed.problem().message


def test_nothing_unprintable_comes_out_of_a_query() -> None:
    """What an escape hides reaches no log and no terminal."""
    for text in ("\x1b[2J", "a\nb", "é"):
        for name in PARAMETERS:
            refused = presign().with_value(name, text).problem()
            assert refused.message.isprintable()
            assert text not in refused.message


def test_a_signature_in_header_and_query_is_unknown() -> None:
    """AWS does not say which of the two API Gateway takes, so nothing is claimed."""
    both = presign().with_header(b"authorization", b"Bearer x")

    assert both.problem().unknown


def test_a_session_token_in_header_and_query_is_unknown() -> None:
    """It belongs into one of them; what is made of two is not documented."""
    assert presign().with_header(b"x-amz-security-token", TOKEN.encode()).problem().unknown


def test_a_url_that_says_nothing_of_its_expiry_is_unknown() -> None:
    """Whether API Gateway asks for it, and what it takes instead, is not documented."""
    assert presign().with_value("X-Amz-Expires").problem().unknown


@pytest.mark.parametrize("query", [b"", b"a=b", b"X-Amz-Date=20261127T000000Z", b"X-Amz-Foo=1&%"])
def test_other_queries_claim_nothing(query: bytes) -> None:
    """A parameter with a name like these is no signature."""
    assert read_claim(WireRequest("GET", b"/", query, [(b"host", b"x")])) is None


@thorough
@given(
    st.lists(
        st.tuples(st.sampled_from([*PARAMETERS, "X-Amz-Expires"]), st.text(max_size=9)), max_size=7
    )
)
def test_garbage_raises_nothing_but_a_signature_problem(pairs: list[tuple[str, str]]) -> None:
    """Whatever stands in the query."""
    signed = presign().with_query(pairs)
    try:
        claim = read_claim(signed.wire)
    except SignatureProblem:
        return
    if claim is not None:
        assert signed.problem().error_type
