"""Why a signature does not match: which usual mistake makes the one that was sent.

A signature is a hash, so a guess is proved by it: the canonical request is written anew with each
mistake that signers are known to make, alone and in pairs, until one gives the signature that
came. What is found is certain for the signer's side; what AWS makes of a path with `//`, `..` or
`/.` is not documented, and is worded so.
Source: IAM User Guide, "Create a signed AWS API request"; the mistakes are those of 31 public
signers, run against a server that recorded what they sent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from backstairs.access import sigv4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from backstairs.access.sigv4 import Claim, WireRequest

# A part of the canonical request as a mistake makes it, and what the mistake is called.
Variants = dict[str, tuple[str, ...]]
# More are not tried: a caller chooses the request, and must not choose how long this takes.
_LARGEST = 8192
_EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class _Parts:
    """The five parts of a canonical request that mistakes change; the method is the first line."""

    paths: Variants
    queries: Variants
    headers: Variants
    payloads: Variants

    def combinations(self) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """Mistakes and the parts that they make, in one part and in two: few mistakes first."""
        parts = (self.paths, self.queries, self.headers, self.payloads)
        right = [next(text for text, mistakes in part.items() if not mistakes) for part in parts]
        wrong = [
            (at, text, mistakes)
            for at, part in enumerate(parts)
            for text, mistakes in part.items()
            if mistakes
        ]
        chosen: list[tuple[tuple[int, str, tuple[str, ...]], ...]] = [(one,) for one in wrong]
        chosen += [(one, other) for one, other in combinations(wrong, 2) if one[0] != other[0]]
        for changes in sorted(chosen, key=lambda changes: sum(len(one[2]) for one in changes)):
            made = list(right)
            for at, text, _ in changes:
                made[at] = text
            yield tuple(mistake for _, _, found in changes for mistake in found), made


def find_mistakes(
    request: WireRequest, claim: Claim, secret_key: str, region: str, hosts: Iterable[str] = ()
) -> tuple[str, ...]:
    """What the signer did otherwise, in words; nothing where no usual mistake explains it.

    `hosts` are other names of the API, which may have been signed in place of the Host sent.
    """
    if len(request.path) + len(request.query) > _LARGEST:
        return ()
    request = sigv4.as_signed(request, claim)
    if claim.region != region or claim.service != sigv4.SERVICE:
        _, to_sign = sigv4.to_be_signed(request, claim)
        right = sigv4.is_signed(to_sign, claim, secret_key)
        return ("the rest of the signature is right",) if right else ()
    signed = ";".join(claim.signed_headers)
    parts = _Parts(
        _paths(request.path),
        _queries(request.query),
        _headers(request, claim.signed_headers, hosts),
        _payloads(request),
    )
    start = f"{sigv4.ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n"
    for mistakes, (path, query, headers, payload) in parts.combinations():
        canonical = f"{request.method}\n{path}\n{query}\n{headers}\n{signed}\n{payload}"
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        if sigv4.is_signed(f"{start}{digest}", claim, secret_key):
            return mistakes
    return ()


def _variants(made: Iterable[tuple[str, tuple[str, ...]]]) -> Variants:
    """Each text by the fewest mistakes that make it."""
    found: Variants = {}
    for text, mistakes in made:
        if text not in found or len(mistakes) < len(found[text]):
            found[text] = mistakes
    return found


def _paths(path: bytes) -> Variants:
    sent = path.decode("latin-1")
    plain = unquote_to_bytes(path)
    once = "the path was encoded once, as for S3: encode each segment of it once more"
    decoded = "the path was decoded before it was encoded: encode it as it is sent, once more"
    bare = "the path was decoded and not encoded: encode it as it is sent, once more"
    dots = (
        "the path was signed with its empty and dot segments (what API Gateway makes of them is "
        "unverified): send a path without them"
    )
    slash = (
        "a slash at the end was left out (unverified for a path that ends in `/.`): sign the path "
        "that is sent"
    )
    stage = "the stage was left out of the path: sign the path that is sent"
    normal = sigv4.canonical_path(path)
    return _variants(
        [
            (normal, ()),
            (_quoted(path), (dots,)),
            (sent, (once,)),
            (sigv4.normalised(path).decode("latin-1"), (once,)),
            (_quoted(plain), (decoded,)),
            (_quoted(sigv4.normalised(plain)), (decoded,)),
            (plain.decode("latin-1"), (bare,)),
            (_quoted(path.partition(b";")[0]), ("the path was cut at `;`: sign all of it",)),
            (path.partition(b";")[0].decode("latin-1"), ("the path was cut at `;`", once)),
            (normal.removesuffix("/") or "/", (slash,)),
            (sigv4.canonical_path(b"/" + path[1:].partition(b"/")[2]), (stage,)),
        ]
    )


def _quoted(path: bytes) -> str:
    return quote(path, safe="/-_.~") or "/"


Pair = tuple[bytes, bytes | None]
_AS_SENT = (
    "the query was signed as sent: decode each name and value, then encode all but letters, "
    "digits and - _ . ~"
)
_ENCODINGS: dict[str, tuple[Callable[[bytes], str], tuple[str, ...]]] = {
    "right": (sigv4.requoted, ()),
    "as sent": (lambda text: text.decode("latin-1"), (_AS_SENT,)),
    "literal plus": (
        lambda text: sigv4.requoted(text.replace(b"+", b"%2B")),
        ("a `+` in the query was signed as `%2B`: send a space as `%20`",),
    ),
    "kept plus": (
        lambda text: "+".join(map(sigv4.requoted, text.split(b"+"))),
        ("a `+` in the query was signed as `+`: send a space as `%20`",),
    ),
    "plus for space": (
        lambda text: sigv4.requoted(text).replace("%20", "+"),
        ("spaces in the query were signed as `+`: sign `%20`",),
    ),
    "twice": (
        lambda text: quote(text, safe="-_.~"),
        ("the query was encoded twice: encode each name and value once",),
    ),
    "tilde": (
        lambda text: text.decode("latin-1").replace("~", "%7E"),
        ("the query was rewritten after it was signed (`%7E` was sent as `~`): send it as signed",),
    ),
    "lower case": (
        lambda text: _lower_escapes(text.decode("latin-1")),
        ("the query was rewritten after it was signed (its escapes were lower-case): sign `%2F`",),
    ),
}


def _lower_escapes(text: str) -> str:
    first, *others = text.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in others)])


def _queries(query: bytes) -> Variants:
    """What a query may have been signed as: encodings, orders, repeated and bare names."""
    if not query:
        return {"": ()}
    pairs: list[Pair] = []
    for part in query.split(b"&"):
        name, equals, value = part.partition(b"=")
        if part:
            pairs.append((name, value if equals else None))
    made: list[tuple[str, tuple[str, ...]]] = []
    made.append(("", ("the query was not signed: sign all of it",)))
    for encode, encoding in _ENCODINGS.values():
        written = [
            (encode(name), None if value is None else encode(value)) for name, value in pairs
        ]
        for chosen, repeats in _repeats(written):
            for texts, bare in _bare(chosen):
                made += [
                    ("&".join(ordered), (*encoding, *repeats, *bare, *order))
                    for ordered, order in _orders(texts)
                ]
    return _variants(made)


Written = list[tuple[str, str | None]]


def _repeats(pairs: Written) -> Iterator[tuple[Written, tuple[str, ...]]]:
    yield pairs, ()
    last = dict(pairs)
    if len(last) < len(pairs):
        yield list(last.items()), ("of a repeated name only the last value was signed: sign all",)


def _bare(pairs: Written) -> Iterator[tuple[list[tuple[str, str]], tuple[str, ...]]]:
    yield [(name, f"{name}={value or ''}") for name, value in pairs], ()
    if any(value is None for _, value in pairs):
        texts = [(name, name if value is None else f"{name}={value}") for name, value in pairs]
        yield texts, ("a name without a value was signed without its `=`: sign `name=`",)


def _orders(pairs: list[tuple[str, str]]) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    texts = [text for _, text in pairs]
    yield [text for _, text in sorted(pairs)], ()
    yield texts, ("the query was not sorted: sort it by name, then by value",)
    whole = "the query was sorted as whole text: sort it by name, then by value"
    yield sorted(texts), (whole,)


def _headers(request: WireRequest, signed: Sequence[str], hosts: Iterable[str]) -> Variants:
    values = {name: request.values(name) for name in signed}
    right = {name: [sigv4.folded(value) for value in found] for name, found in values.items()}
    made: list[tuple[str, tuple[str, ...]]] = [(_lines(right), ())]
    spaces = "spaces within a header's value were kept: sign one for several"
    made.append((_lines({**values}), (spaces,)))
    utf8 = "a header was signed in UTF-8 and sent in Latin-1: send ASCII alone"
    encoded = {
        name: [value.encode().decode("latin-1") for value in found] for name, found in right.items()
    }
    made.append((_lines(encoded), (utf8,)))
    made += [
        (
            _lines({other: found for other, found in right.items() if other != name}),
            (f"the header {name} was added or changed after signing, or signed without its line",),
        )
        for name in right
        if name != "host"
    ]
    (host,) = right.get("host", [""])[:1] or [""]
    bare = host.partition(":")[0]
    others = dict.fromkeys((bare, bare.lower(), f"{bare}:443", *hosts))
    for other in others:
        which = (
            f"another Host was signed ({other}) than was sent ({host}): sign the one that is sent"
        )
        made.append((_lines({**right, "host": [other]}), (which,)))
    return _variants(made)


def _lines(headers: dict[str, list[str]]) -> str:
    return "".join(f"{name}:{','.join(found)}\n" for name, found in headers.items() if found)


def _payloads(request: WireRequest) -> Variants:
    hashed = "API Gateway hashes the body that it gets: sign its SHA-256"
    made = [
        (hashlib.sha256(request.body).hexdigest(), ()),
        ("UNSIGNED-PAYLOAD", (f"the payload was signed as UNSIGNED-PAYLOAD: {hashed}",)),
        (_EMPTY, (f"the payload was signed as empty: {hashed}",)),
        ("", (f"the payload was left out: {hashed}",)),
    ]
    said = request.values("x-amz-content-sha256")
    made += [(value, (f"x-amz-content-sha256 is not the body's: {hashed}",)) for value in said[:1]]
    return _variants(made)
