"""Small random worlds for `benchmarks.access.reference`: an API, its ways in, and its callers.

A world is plain JSON throughout and a function of its number. Left out, because AWS's documents
say nothing, or two things, of them: accounts in an endpoint's policy, wildcards inside an ARN's
segment before the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Document = dict[str, Any]
ACCOUNT, OTHER = "111122223333", "444455556666"
REGION, API_ID, STAGE = "eu-central-1", "a1b2c3d4e5", "dev"
API_ARN = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}"
NAMES = {"reader": ACCOUNT, "writer": ACCOUNT, "reader-2": OTHER, "guest": OTHER}
ARNS = [f"arn:aws:iam::{account}:role/{name}" for name, account in NAMES.items()]
TAGS = ("m-1", "m-2", "Blue", "a", "b")
# The paths to ask for at each pattern of a route.
PATHS = {
    "/": ("/",),
    "/members": ("/members",),
    "/members/me": ("/members/me",),
    "/members/{id}": ("/members/m-1", "/members/Blue", "/members/m:2", "/members/m-"),
    "/members/{id}/claims": ("/members/m-1/claims", "/members/m-2/claims"),
    "/{kind}/m-1": ("/members/m-1", "/files/m-1"),
    "/files/{proxy+}": ("/files/m-1", "/files/a/b", "/files/dev/GET/members"),
    "/{proxy+}": ("/m-1", "/members/me", "/files/a/b"),
}
# The same, so small that every path of a few characters can be tried.
TINY = {
    "/": ("/",),
    "/a": ("/a",),
    "/{x}": ("/a", "/b", "/ab"),
    "/a/{x}": ("/a/a", "/a/b"),
    "/{x}/b": ("/a/b", "/b/b"),
    "/{p+}": ("/b", "/a/b", "/ab"),
}
VERBS = ("GET", "POST", "DELETE")


@dataclass(frozen=True)
class Role:
    """A role that calls, with what limits it."""

    name: str
    account: str
    identity: tuple[Document, ...]
    boundary: Document | None
    session: tuple[Document, ...]
    tags: dict[str, str]

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/{self.name}"


@dataclass(frozen=True)
class Place:
    """Where a call comes from: an interface endpoint, or the internet where that is None."""

    endpoint: str | None
    vpc: str | None
    policy: Document | None
    address: str


@dataclass(frozen=True)
class World:
    """One REST API of `ACCOUNT`; `routes` are verb, pattern, and whether AWS_IAM protects it."""

    private: bool
    policy: Document | None
    routes: tuple[tuple[str, str, bool], ...]
    places: tuple[Place, ...]
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Request:
    """One cell; nobody's, where `role` is None."""

    role: Role | None
    place: Place
    verb: str
    path: str


def drawn(number: int, patterns: Sequence[str] = tuple(PATHS)) -> World:
    """World `number` of some patterns, always the same."""
    random = Random(number)  # noqa: S311  worlds, no secrets
    some = random.sample(patterns, random.randint(1, 3))
    verbs = (*VERBS, "ANY")
    routes = tuple((random.choice(verbs), each, _happens(random, 75)) for each in some)
    policy = _document(random, routes, "api") if _happens(random, 85) else None
    roles = random.sample(list(NAMES), random.randint(1, 3))
    is_private = _happens(random, 70)
    return World(
        private=is_private,
        policy=policy,
        routes=routes,
        places=_places(random, routes, is_private=is_private),
        roles=tuple(_role(random, routes, name) for name in roles),
    )


def _places(random: Random, routes: Routes, *, is_private: bool) -> tuple[Place, ...]:
    """Mostly those that can reach the API at all."""

    def policy() -> Document | None:
        return _document(random, routes, "endpoint") if _happens(random, 50) else None

    one = Place("vpce-1", "vpc-1", policy(), "10.0.0.7")
    two = Place("vpce-2", random.choice(["vpc-1", "vpc-2"]), policy(), "10.9.0.8")
    internet = Place(None, None, None, random.choice(["203.0.113.9", "198.51.100.4"]))
    usual, rare = ([one, two], internet) if is_private else ([internet], one)
    return (*usual, rare) if _happens(random, 25) else tuple(usual)


def _role(random: Random, routes: Routes, name: str) -> Role:
    def documents(*counts: int) -> tuple[Document, ...]:
        count = random.choice(counts)
        return tuple(_document(random, routes, "identity") for _ in range(count))

    tags = {key: random.choice(TAGS) for key in ("member", "team") if _happens(random, 60)}
    boundary = _document(random, routes, "identity") if _happens(random, 25) else None
    session = documents(1, 2) if _happens(random, 25) else ()
    return Role(name, NAMES[name], documents(0, 1, 1, 2), boundary, session, tags)


def _document(random: Random, routes: Routes, kind: str) -> Document:
    """A policy; `kind` is "api", "endpoint" or "identity"."""
    statements = [_statement(random, routes, kind) for _ in range(random.choice([1, 2, 2, 3]))]
    # Without a version a document is of 2008-10-17, in which a variable is mere text.
    version = random.choice([{"Version": "2012-10-17"}] * 6 + [{"Version": "2008-10-17"}, {}])
    return {**version, "Statement": statements[0] if len(statements) == 1 else statements}


def _statement(random: Random, routes: Routes, kind: str) -> Document:
    allows = _happens(random, 80)
    statement: Document = {"Effect": "Allow" if allows else "Deny"}
    if kind != "identity":
        statement["Principal"] = _principal(random, kind)
    statement |= _actions(random)
    resources = _some(random, _resources(random, routes))
    if kind == "api" and _happens(random, 60):
        resources = [each.replace(API_ARN + "/", "execute-api:/") for each in resources]
    negated = _happens(random, 10)
    statement["NotResource" if negated else "Resource"] = _one_or_list(random, resources)
    if _happens(random, 35):
        statement["Condition"] = _conditions(random)
    return statement


def _principal(random: Random, kind: str) -> Any:
    if _happens(random, 60):
        return random.choice(["*", {"AWS": "*"}, {"AWS": ["*"]}])
    accounts = [ACCOUNT, OTHER, f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER}:root"]
    choices = ARNS + (accounts if kind == "api" else [])
    return {"AWS": _one_or_list(random, _some(random, choices))}


def _actions(random: Random) -> Document:
    if _happens(random, 10):
        others = ["s3:*", "execute-api:ManageConnections", "execute-api:Invoke", "execute-api:*"]
        return {"NotAction": _one_or_list(random, _some(random, others))}
    usual = ["execute-api:Invoke"] * 12 + ["execute-api:*", "*", "execute-api:invoke"]
    rare = ["execute-api:Inv*", "execute-api:Invok?", "EXECUTE-API:Invoke", "s3:GetObject"]
    return {"Action": _one_or_list(random, _some(random, usual + rare))}


def _resources(random: Random, routes: Routes) -> list[str]:
    verb, pattern, _ = random.choice(routes)
    verb = random.choice(VERBS) if verb == "ANY" else verb
    path = random.choice((PATHS | TINY)[pattern])
    above = path.rpartition("/")[0]
    broad = ["*", f"{API_ARN}/*", f"{API_ARN}/{STAGE}/*", "arn:aws:execute-api:*:*:*"]
    narrow = [
        f"{API_ARN}/{STAGE}/{verb}/*",
        f"{API_ARN}/{STAGE}/{verb}{path}",
        f"{API_ARN}/{STAGE}/{verb}{path}",
        f"{API_ARN}/*/{verb}{path}",
        f"{API_ARN}/{STAGE}/*{path}",
        f"{API_ARN}/{STAGE}/*{path[:2]}*",
        f"{API_ARN}/{STAGE}/{verb}{path[:-1]}?",
        f"{API_ARN}/{STAGE}/{verb}/?{path[2:]}",
        f"{API_ARN}/*/GET{above}",
        f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*/{STAGE}/GET/*",
        f"arn:aws:execute-api:*:*:{API_ID}/*",
        f"{API_ARN}/prod/*",
        f"{API_ARN}/{STAGE}/{verb}{path.upper()}",
        f"arn:aws:execute-api:{REGION}:{OTHER}:{API_ID}/*",
        f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{API_ID}/*",
        "arn:aws:execute-api:*:*:zzzzzzzzzz/*",
    ]
    owned = [
        f"{API_ARN}/{STAGE}/{verb}{above}/${{aws:PrincipalTag/member}}",
        f"{API_ARN}/{STAGE}/*/${{aws:PrincipalTag/member}}",
        f"{API_ARN}/{STAGE}/{verb}{above}/${{aws:PrincipalTag/member, 'm-1'}}*",
    ]
    return broad * 6 + narrow + owned


def _conditions(random: Random) -> Document:
    block: Document = {}
    for _ in range(random.choice([1, 1, 1, 2])):
        operator, key, values = _condition(random)
        if key.lower().startswith("aws:principaltag") and _happens(random, 30):
            operator, values = "Null", ["true", "false"]
        if operator in {"Bool", "Null"}:
            block.setdefault(operator, {})[key] = random.choice(values)
            continue
        operator += "IfExists" if _happens(random, 15) else ""
        block.setdefault(operator, {})[key] = _one_or_list(random, _some(random, values))
    return block


def _condition(random: Random) -> tuple[str, str, list[Any]]:
    """An operator, a key, and values to choose from."""
    strings = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]
    strings += ["StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]
    arns = ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"]
    roles = [*ARNS, f"arn:aws:iam::{ACCOUNT}:role/*", "arn:aws:iam::*:role/reader*"]
    tags = [*TAGS, "m-*", "?lue", "blue", "${aws:PrincipalTag/team}"]
    endpoints = ["vpce-1", "vpce-2", "VPCE-1", "vpce-*"]
    private, public = ["10.0.0.0/16", "10.9.0.8", "10.0.0.7/32"], ["203.0.113.0/24", "198.51.100.4"]
    addresses = ["IpAddress", "NotIpAddress"]
    choices: list[tuple[str, str, list[Any]]] = [
        (random.choice(strings), "aws:SourceVpce", endpoints),
        (random.choice(strings), "aws:sourceVpce", endpoints),
        (random.choice(strings), "aws:SourceVpc", ["vpc-1", "vpc-2", "vpc-?"]),
        (random.choice(strings), "aws:PrincipalAccount", [ACCOUNT, OTHER, "4444*"]),
        (random.choice(strings), "aws:PrincipalTag/member", tags),
        (random.choice(strings), "aws:PrincipalArn", roles),
        (random.choice(arns), "aws:PrincipalArn", roles),
        (random.choice(addresses), "aws:SourceIp", public),
        (random.choice(addresses), "aws:VpcSourceIp", private),
        ("Bool", "aws:SecureTransport", ["true", "true", True, "false", False]),
        ("Null", random.choice(["aws:SourceVpce", "aws:PrincipalArn"]), ["true", False, True]),
    ]
    return random.choice(choices)


def _happens(random: Random, percent: int) -> bool:
    return random.randrange(100) < percent


def _some(random: Random, choices: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(random.choices(choices, k=random.choice([1, 1, 1, 2, 3]))))


def _one_or_list(random: Random, values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 and _happens(random, 70) else values


Routes = tuple[tuple[str, str, bool], ...]
