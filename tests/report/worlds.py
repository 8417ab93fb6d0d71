"""Small made-up applications, every request that exists in them, and a claim about who may call.

A world is drawn from random numbers. `requests` lists, by brute force, whatever policies of its
kind can tell apart: short paths over a few letters, callers, endpoints, addresses and times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any

from backstairs.access import (
    Api,
    ApiKey,
    Authorization,
    Call,
    Decision,
    Endpoint,
    Kind,
    Origin,
    Principal,
    Route,
    Source,
    Verdict,
    decide,
    parse_policy,
)
from backstairs.access.paths import readings
from backstairs.report.callers import (
    ANONYMOUS,
    EVERYTHING,
    KEY_HOLDER,
    OTHER_ACCOUNT,
    THIS_ACCOUNT,
    Caller,
)
from backstairs.report.entrances import INTERNET, OTHER_ENDPOINT, Entrance
from backstairs.report.requests import FULL_GRANT, ROOT, Requests, Witness
from backstairs.template.model import DeclaredApi
from backstairs.template.routes import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from backstairs.report.matrix import Cell

Json = dict[str, Any]

OURS, THEIRS, NAMED = "123456789012", "210987654321", "333333333333"
ROLE, PARTNER = f"arn:aws:iam::{OURS}:role/Role", f"arn:aws:iam::{OURS}:role/Partner"
FOREIGN = f"arn:aws:iam::{NAMED}:role/Foreign"
ARN = f"arn:aws:execute-api:eu-west-1:{OURS}:api"
RESOURCES = ("/", "/a", "/{x}", "/a/{x}", "/{x}/a", "/{p+}", "/a/{p+}", "/b")
TAILS = ("*", "a*", "*a", "a", "a/*", "*/a", "?", "a/b", "b*", "*b/a", "a:*", "*/s/GET/a")
VERBS = ("GET", "POST", "*")
PATHS = tuple(
    "/" + "".join(letters)
    for pieces, most in ((("a", "b", "/"), 3), (("a", "/", ".", "%2F", ":"), 2))
    for length in range(most + 1)
    for letters in product(pieces, repeat=length)
)
LONG = ("/s/GET/a", "/a/s/GET/a", "/b/s/GET/a", "/b/../a", "/b/..%2Fa", "/a/b/a", "/b%2F..%2Fa")
TIMES = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
CONDITIONS: tuple[Json, ...] = (
    {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    {"StringNotEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
    {"StringLike": {"aws:SourceVpce": "vpce-2*"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
    {"StringNotEquals": {"aws:PrincipalAccount": OURS}},
    {"StringEquals": {"aws:PrincipalAccount": [OURS, NAMED]}},
    {"StringEquals": {"aws:PrincipalTag/team": "x"}},
    {"StringNotEqualsIfExists": {"aws:PrincipalTag/team": "x"}},
    {"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "X"}},
    {"Null": {"aws:PrincipalTag/team": "true"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/P*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": ROLE}},
    {"StringLike": {"aws:username": "bob*"}},
    {"IpAddress": {"aws:VpcSourceIp": "10.1.0.0/16"}},
    {"NotIpAddress": {"aws:VpcSourceIp": ["10.1.2.0/24", "10.0.0.0/16"]}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
)
ADDRESSES = ("10.1.2.3", "10.1.9.9", "10.0.0.1", "192.0.2.1", "203.0.113.9", "2001:db8::5")


@dataclass(frozen=True)
class World:
    """An API with its policy, a role, an endpoint, and who may call: names by route.

    `guards` is what the API's and the endpoint's policies say, `texts` what all say.
    """

    api: Api
    role: Caller
    endpoint: Entrance
    claim: frozenset[tuple[Route, str, str]]
    guards: str
    texts: str

    def allowed(self, cell: Cell) -> bool:
        """Whether the claim lets it in."""
        return _key(cell) in self.claim

    def search(self) -> Requests:
        """Our answer."""
        declared = DeclaredApi("Api", self.api, Source("made up", 1))
        return Requests([declared], [self.role], [self.endpoint], self.allowed)

    def requests(self) -> Iterator[tuple[tuple[Route, str, str], Call, Decision]]:
        """Every request: its route, its caller's name, its way in, and what is decided."""
        router = routes_of(self.api)
        here = frozenset({(self.api.api_id, self.api.stage)})
        key = ApiKey("key", "", enabled=True, stages=here)
        leads = [
            (method, path, route)
            for method, path in product(("GET", "POST"), (*PATHS, *LONG))
            if (route := router.find(method, path)[0]) is not None
        ]
        addresses = ADDRESSES if "SourceIp" in self.texts else ADDRESSES[:1]
        times: Sequence[datetime | None] = TIMES if "CurrentTime" in self.texts else (None,)
        for (who, principal), (way, endpoint) in product(self._people(), self._ways()):
            for address, now, (method, path, route) in product(addresses, times, leads):
                origin = Origin(way, endpoint, address)
                call = Call(origin, method, path, self.api, route, principal, api_key=key, now=now)
                yield (route, who, way), call, decide(call)

    def _people(self) -> Iterator[tuple[str, Principal | None]]:
        yield ANONYMOUS, None
        yield self.role.name, self.role.principal
        teams = ("x", "X", "y") if "PrincipalTag" in self.guards else ()
        told = any(word in self.guards for word in ("PrincipalArn", "username", "Partner"))
        several = ("role/Some", "role/P1", "role/Partner", "user/bob1", "user/eve")
        names = several if told else ("role/Some",)
        for tags in ({}, *({"team": team} for team in teams)):
            for name in names:
                ours = self._person(f"arn:aws:iam::{OURS}:{name}", tags)
                known = ours.principal_arn if ours.principal_arn in self.guards else THIS_ACCOUNT
                yield known, ours
                yield FULL_GRANT, replace(ours, policies=(EVERYTHING,))
            yield ROOT, self._person(f"arn:aws:iam::{OURS}:root", tags)
            for account, name in product((THEIRS, NAMED), ("role/P1", "role/Foreign", "user/bob1")):
                other = self._person(f"arn:aws:iam::{account}:{name}", tags)
                yield self._foreigner(other), replace(other, policies=(EVERYTHING,))

    def _foreigner(self, principal: Principal) -> str:
        if f'"{principal.principal_arn}"' in self.guards:
            return principal.principal_arn
        named = f'"{principal.account}"' in self.guards
        return f"account {principal.account}" if named else OTHER_ACCOUNT

    def _person(self, arn: str, tags: dict[str, str]) -> Principal:
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        if ":role/" in arn:
            session = f"arn:aws:sts::{account}:assumed-role/{name}/session"
            return Principal(session, arn, account, "AssumedRole", tags=tags)
        kind = "Account" if arn.endswith(":root") else "User"
        return Principal(arn, arn, account, kind, tags=tags)

    def _ways(self) -> Iterator[tuple[str, Endpoint | None]]:
        yield INTERNET, None
        yield self.endpoint.name, self.endpoint.origin.endpoint
        vpcs = ("vpc-1", "vpc-9") if '"aws:SourceVpc"' in self.texts else ("vpc-9",)
        for number, vpc in product(("2", "2b", "9"), vpcs):
            yield OTHER_ENDPOINT, Endpoint(f"vpce-{number}", vpc)


def _key(cell: Cell) -> tuple[Route, str, str]:
    """The route, caller and way in, without API key and address."""
    who = cell.caller.name.removesuffix(" with an API key")
    who = ANONYMOUS if who == KEY_HOLDER else who
    way = cell.entrance.name.partition(", from ")[0]
    return cell.question.route, who, OTHER_ENDPOINT if way.startswith("vpce-") else way


def drawn(random: Random) -> World:
    """A world."""

    def some(most: int, *, guard: bool) -> list[Json]:
        return [statement(guard=guard) for _ in range(random.randint(0, most))]

    def statement(*, guard: bool) -> Json:
        verb, tail = random.choice(VERBS), random.choice(TAILS)
        of_api = f"execute-api:/s/{verb}/{tail}" if guard else f"{ARN}/s/{verb}/{tail}"
        element = "NotResource" if random.random() < 0.1 else "Resource"
        everywhere = random.choice(("*", f"arn:aws:execute-api:*:*:*/s/{verb}/{tail}"))
        body: Json = {
            "Effect": random.choice(("Allow", "Allow", "Deny")),
            "Action": random.choice(("execute-api:Invoke",) * 5 + ("execute-api:*", "s3:*")),
            element: random.choice((of_api, of_api, of_api, f"{ARN}/s/{verb}/{tail}", everywhere)),
        }
        if guard:
            named: Sequence[Any] = (OURS, PARTNER, NAMED, FOREIGN)
            body["Principal"] = random.choice(["*"] * 4 + [{"AWS": one} for one in named])
        if random.random() < 0.5:
            body["Condition"] = random.choice(CONDITIONS)
        return body

    http = random.random() < 0.15
    guard = [] if http else some(3, guard=True)
    own = some(2, guard=True) if random.random() < 0.2 else []
    grants = some(2, guard=False)
    routes = tuple(
        Route(
            random.choice(("GET", "GET", "ANY")),
            path,
            random.choice((Authorization.AWS_IAM,) * 3 + (Authorization.NONE,)),
            None,
            needs_key=random.random() < 0.1,
        )
        for path in random.sample(RESOURCES, random.randint(1, 3))
    )
    policy = parse_policy("guard", _document(guard), resource_based=True) if guard else None
    api = Api(
        "api",
        "Api",
        random.choice(("s", "$default")) if http else "s",
        "eu-west-1",
        OURS,
        private=not http and random.random() < 0.9,
        policy=policy,
        routes=routes,
        kind=Kind.HTTP if http else Kind.REST,
    )
    endpoint_policy = parse_policy("own", _document(own), resource_based=True) if own else None
    endpoint = Endpoint("vpce-1", "vpc-1", endpoint_policy)
    session = f"arn:aws:sts::{OURS}:assumed-role/Role/session"
    held = (parse_policy("grants", _document(grants)),) if grants else ()
    tags = random.choice(({}, {"team": "x"}))
    bounds = some(2, guard=False) if random.random() < 0.2 else []
    limits = (parse_policy("boundary", _document(bounds)),) if bounds else ()
    role = Principal(session, ROLE, OURS, "AssumedRole", policies=held, limits=limits, tags=tags)
    names = ("Role", FULL_GRANT, ROOT, ANONYMOUS, THIS_ACCOUNT)
    claim = frozenset(
        (route, name, "Endpoint") for route, name in product(routes, names) if random.random() < 0.5
    )
    return World(
        api,
        Caller("Role", role, "declared"),
        Entrance("Endpoint", Origin("Endpoint", endpoint), "declared"),
        claim,
        _text((guard, own)),
        _text((guard, own, grants, bounds)),
    )


def disagreements(world: World) -> tuple[int, list[str]]:
    """How many requests there are, and where brute force and the search disagree."""
    search = world.search()
    found: dict[tuple[Route, str, str], Witness] = {}
    wrong = []
    router = routes_of(world.api)
    for witness in search.witnesses():
        call, cell = witness.call, witness.cell
        if _key(cell) not in found or witness.admitted:
            found[_key(cell)] = witness
        leads = router.find(call.method, call.path)[0] is call.route
        same = decide(call).verdict is witness.decision.verdict is not Verdict.REFUSED
        if not leads or not same or world.allowed(cell):
            wrong.append(f"no witness: {witness}")
    number, http = 0, world.api.kind is Kind.HTTP
    for key, call, decision in world.requests():
        number += 1
        if decision.verdict is Verdict.REFUSED or key in world.claim:
            continue
        seen = found.get(key)
        certain = decision.verdict is Verdict.ALLOWED and not readings(call.path, http=http)
        if (seen is None or (certain and not seen.admitted)) and search.coverage.whole:
            wrong.append(f"not found: {decision.verdict.value} {call.method} {call.path} {key}")
    return number, wrong


def _document(statements: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": statements}


def _text(value: object) -> str:
    return str(value).replace("'", '"')
