"""The verifier against botocore's signer, which shares no line with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backstairs.access import SignatureProblem, WireRequest
from backstairs.access.sigv4 import canonical_request, read_claim, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

thorough = settings(max_examples=300, deadline=None, database=None)

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdz/+=="
REGION = "eu-central-1"
HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
ROOT = f"https://{HOST}/dev"


@dataclass(frozen=True)
class Signed:
    """A request as it goes over the wire, and when it was signed."""

    wire: WireRequest
    at: datetime

    def check(self, **changes: Any) -> None:
        """Verify it. Raises SignatureProblem."""
        self.check_wire(self.wire, **changes)

    def check_wire(self, wire: WireRequest, **changes: Any) -> None:
        claim = read_claim(wire)
        assert claim is not None
        given = {"secret_key": SECRET, "region": REGION, "now": self.at, **changes}
        verify(wire, claim, **given)


class Auth(SigV4Auth):  # type: ignore[misc]
    """botocore's signer, which can be told to leave headers unsigned."""

    unsigned: tuple[str, ...] = ()

    def headers_to_sign(self, request: AWSRequest) -> Any:
        headers = super().headers_to_sign(request)
        for name in self.unsigned:
            del headers[name]
        return headers


def sign(
    method: str = "GET",
    url: str = f"{ROOT}/members/m-1",
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    params: dict[str, Any] | None = None,
    token: str | None = TOKEN,
    region: str = REGION,
    service: str = "execute-api",
    unsigned: tuple[str, ...] = (),
) -> Signed:
    """Sign with botocore, and give the bytes that botocore would send."""
    request = AWSRequest(method, url, data=body, params=params or {})
    for name, value in headers:
        request.headers.add_header(name, value)
    auth = Auth(Credentials(KEY, SECRET, token), service, region)
    auth.unsigned = unsigned
    auth.add_auth(request)
    parts = urlsplit(request.prepare().url)
    sent = [] if "Host" in request.headers else [(b"host", parts.netloc.encode())]
    sent += [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    wire = WireRequest(method, parts.path.encode() or b"/", parts.query.encode(), sent, body)
    at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return Signed(wire, at)


def with_header(wire: WireRequest, name: bytes, *values: bytes) -> WireRequest:
    """The same request with other values of a header; none takes it away."""
    others = [(key, value) for key, value in wire.headers if key != name]
    return replace(wire, headers=[*others, *((name, value) for value in values)])


def authorization(wire: WireRequest, change: Callable[[str], str] = lambda text: text) -> bytes:
    """The Authorization header, changed."""
    (value,) = wire.values("authorization")
    return change(value).encode("latin-1")


def reauthorized(wire: WireRequest, old: str, new: str) -> WireRequest:
    """The same request with one part of its Authorization header replaced."""
    value = authorization(wire, lambda text: text.replace(old, new))
    assert value != authorization(wire)
    return with_header(wire, b"authorization", value)


def problem(signed: Signed, wire: WireRequest | None = None, **changes: Any) -> SignatureProblem:
    """Why a request is refused."""
    with pytest.raises(SignatureProblem) as caught:
        signed.check_wire(wire or signed.wire, **changes)
    return caught.value


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("body", [b"", b'{"a": 1}', bytes(range(256)), b"x" * 70000])
def test_any_verb_and_body(method: str, body: bytes) -> None:
    """The body counts, byte for byte."""
    sign(method, body=body, headers=[("Content-Type", "application/json")]).check()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/dev",
        "/dev/",
        "/dev//members///m-1",
        "/dev/./members/../members/m-1",
        "/dev/../../x",
        "/dev/members/m-1/",
        "/dev/members/a%20b",
        "/dev/members/a+b",
        "/dev/members/a%2Fb",
        "/dev/members/a%252Fb",
        "/dev/members/a%2fb",
        "/dev/members/caf%C3%A9",
        "/dev/members/%F0%9F%94%91",
        "/dev/members/a=b;v=1,c@d:e!$'()*",
        "/dev/members/~a_b-c.d",
        "/dev/members/%",
        "/dev/members/%zz",
        "/dev/members/%2e%2e/x",
        "/dev/...",
    ],
)
def test_any_path(path: str) -> None:
    """Normalised, and encoded once more than on the wire."""
    sign(url=f"https://{HOST}{path}").check()


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        (b"/a/b/..", "/a/"),
        (b"/a/b/.", "/a/b/"),
        (b"/a/..", "/"),
        (b"/../..", "/"),
        (b"/a%2Fb/%2e%2e", "/a%252Fb/%252e%252e"),
    ],
)
def test_dot_segments_are_removed_as_rfc_3986_says(path: bytes, canonical: str) -> None:
    """Also at the end, where botocore leaves the slash away; encoded ones are no dots."""
    assert canonical_request(WireRequest("GET", path, b"", []), []).split("\n")[1] == canonical


@pytest.mark.parametrize(
    "query",
    [
        "a=1&b=2",
        "b=2&a=1",
        "a=2&a=1&a=10",
        "a=&b",
        "a",
        "a=b%3Dc",
        "a=b%3Bc%26d",
        "A=1&a=1&B=1",
        "a-b=1&a.b=1&a_b=1&a~b=1&ab=1",
        "q=a%20b",
        "q=caf%C3%A9&%C3%A9=1",
        "q=100%25&r=%2B",
        "q=%00%FF",
        "limit=10&after=eyJrIjoxfQ%3D%3D",
    ],
)
def test_any_query(query: str) -> None:
    """Sorted by name and value, blank and repeated ones kept."""
    sign(url=f"{ROOT}/members?{query}").check()


@pytest.mark.parametrize(
    "params",
    [
        {"q": "a b"},
        {"q": "a+b"},
        {"q": "a&b=c;d"},
        {"q": "café", "é": "ü"},
        {"b": "2", "a": "1", "a b": "c d"},
        {"q": ""},
    ],
)
def test_a_plus_in_a_query_is_a_space(params: dict[str, str]) -> None:
    """Sent as botocore sends parameters: form-encoded, signed percent-encoded."""
    sign(url=f"{ROOT}/members", params=params).check()


@pytest.mark.parametrize(
    "headers",
    [
        [("x-apigw-api-id", "a1b2c3d4e5")],
        [("Content-Type", "application/json; charset=utf-8")],
        [("X-Amz-Meta", "a"), ("X-Amz-Meta", "b,c"), ("X-Amz-Meta", "a")],
        [("X-Amz-Meta", "  two   spaces  and\ta tab\t")],
        [("X-Amz-Meta", "")],
        [("X-Amz-Meta", "déjà vu, voilà")],
        [("X-Amz-Meta", "\N{LATIN SMALL LETTER A WITH GRAVE}")],
        [("X-Amz-Meta", "\N{HORIZONTAL ELLIPSIS}\N{CYRILLIC CAPITAL LETTER ER}\N{KEY}")],
        [("X-Amz-Meta", 'quoted "a  b"')],
        [("Host", HOST)],
        [("Host", "claims.internal.example")],
        [("Host", "claims.internal.example:8443")],
        [("X-Custom", "x"), ("Accept", "*/*"), ("Zzz", "z"), ("Aaa", "a")],
    ],
)
def test_any_header(headers: list[tuple[str, str]]) -> None:
    """Repeated, blank, folded, beyond ASCII; and a Host that is not the URL's."""
    sign(headers=headers).check()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8443/dev/x", "http://[::1]:8080/dev/x", "https://vpce-1.example/dev"]
)
def test_any_host_and_port(url: str) -> None:
    """As the Host header has it."""
    sign(url=url).check()


@pytest.mark.parametrize("token", [None, TOKEN, "x" * 2000])
def test_with_and_without_a_session_token(token: str | None) -> None:
    """A signed header like any other."""
    sign(token=token).check()


def test_an_order_of_headers_and_unsigned_ones_do_not_matter() -> None:
    """What a proxy adds or moves stays outside the signature."""
    signed = sign(unsigned=("x-amz-security-token",))
    headers = [*reversed(signed.wire.headers), (b"x-amzn-trace-id", b"Root=1-2-3")]
    signed.check_wire(replace(signed.wire, headers=headers))


def test_the_date_header_serves_where_x_amz_date_is_missing() -> None:
    """In the same basic format."""
    signed = sign(unsigned=("x-amz-date",))
    (date,) = signed.wire.values("x-amz-date")
    wire = with_header(signed.wire, b"x-amz-date")
    signed.check_wire(with_header(wire, b"date", date.encode()))


@pytest.mark.parametrize("offset", [-300, 0, 300])
def test_five_minutes_either_way_are_tolerated(offset: int) -> None:
    """To the second."""
    signed = sign()
    signed.check(now=signed.at + timedelta(seconds=offset))


def test_a_request_without_authorization_claims_nothing() -> None:
    """It is unsigned, not badly signed."""
    assert read_claim(with_header(sign().wire, b"authorization")) is None


MISMATCH = "The request signature we calculated does not match the signature you provided."


@pytest.mark.parametrize(
    "change",
    [
        lambda wire: replace(wire, method="POST"),
        lambda wire: replace(wire, path=b"/dev/members/m-2"),
        lambda wire: replace(wire, path=b"/prod/members/m-1"),
        lambda wire: replace(wire, path=wire.path + b"/"),
        lambda wire: replace(wire, path=b"/dev/members%2Fm-1"),
        lambda wire: replace(wire, path=b"/dev/members/%6D-1"),
        lambda wire: replace(wire, query=b"a=2"),
        lambda wire: replace(wire, query=b""),
        lambda wire: replace(wire, query=b"a=1&b"),
        lambda wire: replace(wire, query=b"a=1&a=1"),
        lambda wire: replace(wire, body=b"x"),
        lambda wire: replace(wire, body=b""),
        lambda wire: with_header(wire, b"host", b"elsewhere.example"),
        lambda wire: with_header(wire, b"host", HOST.encode(), HOST.encode()),
        lambda wire: with_header(wire, b"host"),
        lambda wire: with_header(wire, b"x-amz-security-token", b"another"),
        lambda wire: with_header(wire, b"x-amz-security-token"),
        lambda wire: with_header(wire, b"content-type", b"text/plain"),
        lambda wire: with_header(wire, b"x-amz-blank"),
        lambda wire: with_header(wire, b"x-amz-blank", b"", b""),
        lambda wire: with_header(wire, b"x-amz-accent", b"d\xc3\xa9j\xc3 vu"),
        lambda wire: reauthorized(wire, "content-type;", ""),
        lambda wire: reauthorized(wire, "SignedHeaders=", "SignedHeaders=accept;"),
    ],
)
def test_one_altered_part_is_enough(change: Callable[[WireRequest], WireRequest]) -> None:
    """Verb, path, query, body, and each signed header."""
    signed = sign(
        "PUT",
        f"{ROOT}/members/m-1?a=1",
        body=b"body",
        headers=[
            ("Content-Type", "application/json"),
            ("X-Amz-Blank", ""),
            ("X-Amz-Accent", "déjà vu"),
        ],
    )
    signed.check()
    refused = problem(signed, change(signed.wire))
    assert refused.error_type == "InvalidSignatureException"
    assert refused.message.startswith(MISMATCH)


def test_a_mismatch_shows_what_was_expected() -> None:
    """The canonical string and the string to sign, as API Gateway shows them."""
    signed = sign()
    wire = replace(signed.wire, body=b"altered")
    claim = read_claim(wire)
    assert claim is not None
    message = problem(signed, wire).message
    assert f"'{canonical_request(wire, claim.signed_headers)}'" in message
    assert f"'AWS4-HMAC-SHA256\n{claim.timestamp}\n{claim.scope}\n" in message
    assert "Signature=" not in message


def test_another_secret_is_refused() -> None:
    """Whoever does not hold the key does not sign."""
    assert problem(sign(), secret_key=SECRET + "x").message.startswith(MISMATCH)


@pytest.mark.parametrize(
    ("signed", "message"),
    [
        (sign(region="us-east-1"), "Credential should be scoped to a valid region"),
        (sign(service="s3"), "Credential should be scoped to correct service: 'execute-api'."),
        (sign(unsigned=("host",)), "'Host' or ':authority' must be a 'SignedHeader'"),
    ],
)
def test_a_signature_for_something_else_is_refused(signed: Signed, message: str) -> None:
    """Another region, another service, any host."""
    refused = problem(signed)
    assert refused.error_type == "InvalidSignatureException"
    assert refused.message.startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "error_type", "message"),
    [
        ("aws4_request", "aws5_request", "InvalidSignature", "Credential should be scoped with"),
        ("/aws4_request", "", "IncompleteSignature", "Credential must have exactly 5"),
        (f"{KEY}/", f"{KEY}/x/", "IncompleteSignature", "Credential must have exactly 5"),
        (f"/{REGION}/", "/us-east-1/", "InvalidSignature", "Credential should be scoped to a"),
        ("/execute-api/", "/s3/", "InvalidSignature", "Credential should be scoped to correct"),
        ("Credential=", "credential=", "IncompleteSignature", "Authorization header requires"),
        ("SignedHeaders=host;", "SignedHeaders=", "InvalidSignature", "'Host' or ':authority'"),
        ("SignedHeaders=host;", "SignedHeaders=Host;", "InvalidSignature", "'Host' or"),
        (", Signature", " Signature", "IncompleteSignature", "Authorization header requires"),
        ("Signature=", "Signature=0", "InvalidSignature", MISMATCH),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256", "IncompleteSignature", "Authorization header"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", "IncompleteSignature", "Authorization header"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 x,", "IncompleteSignature", "Invalid or repeated"),
        ("Credential=", "Credential=a, Credential=", "IncompleteSignature", "Invalid or repeated"),
        ("Signature=", "Signature=a, Signature=", "IncompleteSignature", "Invalid or repeated"),
    ],
)
def test_a_tampered_authorization_is_refused(
    old: str, new: str, error_type: str, message: str
) -> None:
    """Scope, terminator, names, repetition: each with its own words."""
    signed = sign()
    refused = problem(signed, reauthorized(signed.wire, old, new))
    assert refused.error_type == f"{error_type}Exception"
    assert refused.message.startswith(message)


def test_every_truncation_of_authorization_is_refused() -> None:
    """After any number of characters."""
    signed = sign()
    whole = authorization(signed.wire)
    for length in range(len(whole)):
        wire = with_header(signed.wire, b"authorization", whole[:length])
        assert problem(signed, wire).error_type.endswith("SignatureException")


def test_no_control_character_is_repeated() -> None:
    """What a terminal would obey is refused before it is quoted."""
    signed = sign()
    refused = problem(signed, reauthorized(signed.wire, REGION, "\x9b2J"))
    assert refused.message.isprintable()


def test_two_authorization_headers_are_refused() -> None:
    """Even two that are the same."""
    signed = sign()
    both = authorization(signed.wire), authorization(signed.wire)
    assert problem(signed, with_header(signed.wire, b"authorization", *both)).attempted


@pytest.mark.parametrize(
    ("header", "attempted"),
    [
        (b"Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", False),
        (b"Basic YTpi", False),
        (b"", False),
        (b"AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d, Signature=e", True),
        (b"AWS4-HMAC-SHA256", True),
        (b"AWS4-HMAC-SHA256 Credential=a", True),
    ],
)
def test_other_schemes_are_no_signatures(header: bytes, *, attempted: bool) -> None:
    """A bearer token is anonymous to an endpoint; a signature of another kind is not."""
    signed = sign()
    refused = problem(signed, with_header(signed.wire, b"authorization", header))
    assert refused.attempted is attempted
    assert refused.error_type == "IncompleteSignatureException"
    assert header.decode() not in refused.message or not header


@pytest.mark.parametrize(
    "dates",
    [
        (),
        (b"20261121T120000Z", b"20261121T120000Z"),
        (b"",),
        (b"2026-11-21T12:00:00Z",),
        (b"Sat, 21 Nov 2026 12:00:00 GMT",),
        (b"20261121T120000",),
        (b"20261121T1200Z",),
        (b"20261321T120000Z",),
        (b"20260230T120000Z",),
        (b"20261121T250000Z",),
        (b"20261121t120000z",),
        (b"00000000T000000Z",),
        (b"20261121T12000\xb2Z",),
        (b"20261121T120000Z\xa0",),
        (b" 20261121T120000Z",),
    ],
)
def test_a_date_that_is_missing_or_malformed_is_refused(dates: tuple[bytes, ...]) -> None:
    """Exactly one, in the basic format."""
    signed = sign()
    refused = problem(signed, with_header(signed.wire, b"x-amz-date", *dates))
    assert refused.error_type == "IncompleteSignatureException"


def test_the_scope_and_the_date_must_be_of_one_day() -> None:
    """A key derived for another day does not serve."""
    signed = sign()
    day, before = f"{signed.at:%Y%m%d}", f"{signed.at - timedelta(days=1):%Y%m%d}"
    refused = problem(signed, reauthorized(signed.wire, f"/{day}/", f"/{before}/"))
    assert refused.message.startswith("Date in Credential scope does not match YYYYMMDD")
    assert f"'{before}' != '{day}'" in refused.message


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (timedelta(seconds=301), "Signature expired: "),
        (timedelta(days=1), "Signature expired: "),
        (-timedelta(seconds=301), "Signature not yet current: "),
        (-timedelta(days=1), "Signature not yet current: "),
    ],
)
def test_an_expired_or_future_signature_is_refused(offset: timedelta, message: str) -> None:
    """Beyond five minutes; a valid signature does not help."""
    signed = sign()
    refused = problem(signed, now=signed.at + offset)
    assert refused.error_type == "InvalidSignatureException"
    assert refused.message.startswith(message)


segments = st.text(alphabet="ab-._~ %+=;é/\N{KEY}", max_size=6).map(lambda text: quote(text, ""))
pairs = st.tuples(
    st.text(alphabet="ab%+=&é ", min_size=1, max_size=3), st.text(alphabet="ab%+=&é ", max_size=4)
)
values = st.text(alphabet='ab \t,;"à…é', max_size=12)
# Neither of these is left in place by whatever stands between a signer and its bytes.
names = st.sampled_from(["X-Amz-Meta", "X-Amz-Target", "Content-Type", "x-apigw-api-id"])


@st.composite
def requests(draw: st.DrawFn) -> Signed:
    path = "/".join(draw(st.lists(segments, max_size=4)))
    # RFC 3986 and botocore disagree on a trailing dot segment; clients send none.
    assume(path.rpartition("/")[2] not in (".", ".."))
    query = "&".join(
        f"{quote(name, '')}={quote(value, '')}" for name, value in draw(st.lists(pairs, max_size=4))
    )
    return sign(
        draw(st.sampled_from(["GET", "POST", "DELETE"])),
        f"{ROOT}/{path}" + (f"?{query}" if query else ""),
        headers=draw(st.lists(st.tuples(names, values), max_size=3)),
        body=draw(st.binary(max_size=20)),
        token=draw(st.sampled_from([None, TOKEN])),
    )


@thorough
@given(signed=requests())
def test_what_botocore_signs_verifies(signed: Signed) -> None:
    """Paths, queries, headers and bodies of any kind."""
    signed.check()


@thorough
@given(signed=requests(), data=st.data())
def test_a_single_mutation_of_a_signed_part_is_refused(signed: Signed, data: st.DataObject) -> None:
    """One byte added, or one replaced, wherever it is."""
    wire = signed.wire
    # What stands before a dot segment is signed by its absence.
    assume(not {b".", b".."} & set(wire.path.split(b"/")))
    signed_names = re.findall(r"SignedHeaders=([^,]+)", wire.values("authorization")[0])[0]
    places = ["method", "path", "query", "body", *signed_names.split(";")]
    place = data.draw(st.sampled_from(places))
    # A byte that no canonical form treats like another: not a space, not an escape, no dot.
    new = data.draw(st.sampled_from([b"z", b"Z", b"9", b"\xe9", b"\xa0", b"\x85"]))

    def mutated(value: bytes) -> bytes:
        at = data.draw(st.integers(0, len(value)))
        # A byte of an escape or beside one may spell the same character another way.
        assume(b"%" not in value[max(0, at - 2) : at + 1])
        return value[:at] + new + value[at + data.draw(st.integers(0, 1)) :]

    if place == "method":
        changed = replace(wire, method=wire.method + "X")
    elif place == "path":
        changed = replace(wire, path=mutated(wire.path))
    elif place == "query":
        changed = replace(wire, query=mutated(wire.query))
    elif place == "body":
        changed = replace(wire, body=mutated(wire.body))
    else:
        name = place.encode()
        index = data.draw(
            st.sampled_from([i for i, (key, _) in enumerate(wire.headers) if key == name])
        )
        headers = list(wire.headers)
        headers[index] = (name, mutated(headers[index][1]))
        changed = replace(wire, headers=headers)
    assume(changed != wire)
    assert problem(signed, changed).error_type.endswith("SignatureException")


@thorough
@given(
    header=st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda text: b"AWS4-HMAC-SHA256 " + text)
    | st.lists(
        st.sampled_from(
            [
                b"Credential=",
                b"SignedHeaders=",
                b"Signature=",
                f"{KEY}/20261121/{REGION}/execute-api/aws4_request".encode(),
                b"host",
                b";",
                b"/",
                b", ",
                b"=",
                b"\xff",
                b"\xa0",
                b"\x00",
                b"\xb5",
            ]
        ),
        max_size=12,
    ).map(lambda parts: b"AWS4-HMAC-SHA256 " + b"".join(parts)),
    date=st.binary(max_size=20) | st.just(b"20261121T120000Z"),
)
def test_garbage_raises_nothing_but_a_signature_problem(header: bytes, date: bytes) -> None:
    """Any bytes, as Authorization and as date."""
    wire = with_header(sign().wire, b"authorization", header)
    signed = Signed(with_header(wire, b"x-amz-date", date), datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert problem(signed).message


@pytest.mark.parametrize("byte", [b"\x00", b" ", b"\t", b",", b";", b"=", b"/", b"\x80", b"\xff"])
def test_a_stray_byte_at_any_place_raises_nothing_else(byte: bytes) -> None:
    """Put in, or instead; beyond ASCII as well."""
    signed = sign()
    whole = authorization(signed.wire)
    key = range(whole.index(KEY.encode()) - 1, whole.index(KEY.encode()) + len(KEY) + 1)
    for at in range(len(whole)):
        for rest in (whole[at:], whole[at + 1 :]):
            header = whole[:at] + byte + rest
            try:
                signed.check_wire(with_header(signed.wire, b"authorization", header))
            except SignatureProblem:
                continue
            # Nothing signed has changed: white space between parameters, or whose key it is said
            # to be, which its secret then shows.
            assert header == whole or byte in b" \t" or at in key


@thorough
@given(
    path=st.binary(max_size=40),
    query=st.binary(max_size=40),
    headers=st.lists(
        st.tuples(st.sampled_from([b"host", b"x-amz-meta", b"\xe9"]), st.binary(max_size=10)),
        max_size=4,
    ),
    names=st.lists(st.sampled_from(["host", "x-amz-meta", "\xe9", ""]), max_size=4),
)
def test_any_bytes_have_a_canonical_form(
    path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], names: list[str]
) -> None:
    """Malformed escapes and bytes beyond ASCII included; it can always be hashed."""
    canonical = canonical_request(WireRequest("GET", path, query, headers), names)
    assert canonical.encode("latin-1")
    assert canonical.count("\n") >= 5
