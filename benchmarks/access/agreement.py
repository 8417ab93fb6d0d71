"""Generated cases, decided here and by an independent evaluator of IAM policies.

    .venv/local/bin/python -m benchmarks.access agreement [CASES]

The plain IAM part of a decision is compared: identity policies, the API's resource policy, the
endpoint's policy, permissions boundary and session policy, with actions, resources, principals,
conditions of every kind (set operators, IfExists, Null) and policy variables, for callers of the
same account and of another, and anonymous ones. What the evaluator cannot express is left out: the
network path of private and regional APIs, private APIs without a policy, the route and the form of
the answer, signatures, API keys, authorizers, paths that can be read in two ways, principals in an
endpoint's policy (it does not look at them), wildcards in the API's id (it refuses all of them),
unknown values. The cases that are unknown here are counted, and their share has a limit.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Endpoint,
    Facts,
    Origin,
    Policy,
    Principal,
    Route,
    Verdict,
    decide,
    parse_policy,
)
from benchmarks.access.simulator import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.access.simulator import Simulator

Json = dict[str, Any]

CASES = 100_000
BATCH = 2_000
UNKNOWN_LIMIT = 0.05

ACCOUNT, OTHER = "123456789012", "210987654321"
REGION = "eu-central-1"
API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PATH = "members/m-1"

PATTERNS = (
    *["*", "/*", "/dev/*", "/dev/GET/members/*"] * 2,
    "/dev/*/members/m-1",
    "/dev/GET/members/m-?",
    "/prod/*",
    "/dev/POST/*",
    "/dev/GET/members/${aws:PrincipalTag/Team}",
    "/dev/GET/members/${aws:username}",
    "/dev/GET/${aws:PrincipalTag/Absent, 'members'}/*",
)
ACTIONS = (*["execute-api:Invoke"] * 6, "execute-api:*", "*", "Execute-API:invo*", "s3:GetObject")
TEXTS = {
    "aws:SourceVpce": ("vpce-1", "vpce-2", "vpce-*"),
    "aws:SourceVpc": ("vpc-1", "vpc-2"),
    "aws:PrincipalAccount": (ACCOUNT, OTHER),
    "aws:PrincipalTag/Team": ("m-1", "claims", "${aws:PrincipalAccount}"),
    "aws:PrincipalTag/Absent": ("x", "${aws:PrincipalTag/Team}"),
    "aws:PrincipalType": ("AssumedRole", "User"),
    "aws:PrincipalOrgID": ("o-1", "o-2", "O-1"),
    "aws:username": ("ann", "bob", "${aws:PrincipalTag/Team}"),
    "aws:userid": ("AROAX:session", "AIDAX"),
}
ARNS = (
    f"arn:aws:iam::{ACCOUNT}:role/app/Notifier",
    f"arn:aws:iam::{OTHER}:role/app/Notifier",
    f"arn:aws:iam::{ACCOUNT}:user/team/ann",
    "arn:aws:iam::*:role/app/*",
    f"arn:aws:iam::{ACCOUNT}:*",
)
MANY = {
    "aws:PrincipalOrgPaths": ("o-1/r-1/ou-1/", "o-1/r-1/*", "o-2/*"),
    "aws:CalledVia": ("athena.amazonaws.com", "dynamodb.amazonaws.com", "*.amazonaws.com"),
}

NETWORKS = ("10.0.0.0/16", "10.0.1.7", "192.168.0.0/16", "203.0.113.0/24", "::/0")
DATES = ("2026-01-01T00:00:00Z", "2026-11-27T12:00:00Z", "2027-01-01T00:00:00Z")


@dataclass(frozen=True)
class Documents:
    """The policies of a case, as they are written."""

    of_api: Json | None
    endpoint: Json | None
    grants: list[Json]
    boundary: Json | None
    session: Json | None


@dataclass(frozen=True)
class Case:
    """One call with the documents that decide on it."""

    call: Call
    simulation: Json


class Generator:
    """Cases from a seed, each a little world of its own."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - cases, not secrets

    def case(self) -> Case:
        """One more."""
        odds, choice = self._odds, self._random.choice
        kind = choice(["role", "role", "role", "user", "nobody"])
        account = choice([ACCOUNT, ACCOUNT, OTHER])
        private = odds(70)
        documents = Documents(
            of_api=self._document(resource_based=True)
            if private or kind == "nobody" or odds(80)
            else None,
            endpoint=self._document(endpoint=True) if private and odds(40) else None,
            grants=[self._document() for _ in range(choice([0, 1, 1, 2]))],
            boundary=self._document() if odds(25) else None,
            session=self._document() if kind == "role" and odds(20) else None,
        )
        if kind == "nobody":
            documents = replace(documents, grants=[], boundary=None)
        caller = None if kind == "nobody" else _caller(kind, account, documents)
        facts = self._facts(kind)
        authorization = Authorization.NONE if caller is None else Authorization.AWS_IAM
        route = Route("GET", "/members/{memberId}", authorization, None)
        api = Api(
            api_id=API.rpartition(":")[2],
            name="Api",
            stage="dev",
            region=REGION,
            account=ACCOUNT,
            private=private,
            policy=_policy(documents.of_api, of_resource=True) if documents.of_api else None,
            routes=(route,),
        )
        origin = Origin("the internet", None, "203.0.113.10")
        if private:
            endpoint = documents.endpoint
            own = _policy(endpoint, of_resource=True) if endpoint else None
            origin = Origin("inside", Endpoint("vpce-1", "vpc-1", own), "10.0.1.7")
        call = Call(origin, "GET", f"/{PATH}", api, route, caller, now=NOW, facts=facts)
        return Case(call, _simulation(call, documents))

    def _odds(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def _document(self, *, resource_based: bool = False, endpoint: bool = False) -> Json:
        number = self._random.choice([1, 1, 2, 3])
        statements = [
            self._statement(resource_based=resource_based, endpoint=endpoint) for _ in range(number)
        ]
        return {"Version": "2012-10-17", "Statement": statements}

    def _statement(self, *, resource_based: bool, endpoint: bool) -> Json:
        odds, choice = self._odds, self._random.choice
        body: Json = {"Effect": choice(["Allow", "Allow", "Allow", "Deny"])}
        if resource_based or endpoint:
            body["Principal"] = self._principal() if resource_based else "*"
        body["NotAction" if odds(5) else "Action"] = choice(ACTIONS)
        patterns = self._some([*PATTERNS], 2)
        short = resource_based and odds(50)
        base = "execute-api:" if short else API
        texts = [one if one == "*" else f"{base}{one}" for one in patterns]
        body["NotResource" if odds(8) else "Resource"] = texts
        condition = self._condition()
        return body | ({"Condition": condition} if condition else {})

    def _principal(self) -> object:
        roles = [
            f"arn:aws:iam::{ACCOUNT}:role/app/Notifier",
            f"arn:aws:iam::{OTHER}:role/app/Notifier",
            f"arn:aws:iam::{ACCOUNT}:user/team/ann",
        ]
        accounts = [ACCOUNT, f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{ACCOUNT}:root"]
        named = self._some([*roles, *accounts], 2)
        return "*" if self._odds(60) else {"AWS": named}

    def _condition(self) -> Json:
        condition: Json = {}
        for _ in range(self._random.choice([0, 0, 1, 1, 2])):
            operator, key, values = self._operator()
            condition.setdefault(operator, {})[key] = values
        return condition

    def _operator(self) -> tuple[str, str, list[str]]:
        """An operator, a key that it is made for, and values."""
        choice = self._random.choice
        no, if_exists = choice(["", "Not"]), "IfExists" if self._odds(25) else ""
        equals = choice(["Equals", "Equals", "Like", "EqualsIgnoreCase"])
        order = choice(["Equals", "NotEquals", "LessThan", "GreaterThan", "LessThanEquals"])
        quantifier = choice(["ForAllValues", "ForAnyValue"])
        like, pick = choice(["Equals", "Like"]), self._some
        text, many = choice([*TEXTS]), choice([*MANY])
        address = choice(["aws:VpcSourceIp", "aws:SourceIp"])
        flag = choice(["aws:SecureTransport", "aws:MultiFactorAuthPresent"])
        of_text = (f"String{no}{equals}{if_exists}", text, pick(TEXTS[text], 2))
        kinds = [
            *[of_text] * 3,
            (f"Arn{no}{like}{if_exists}", "aws:PrincipalArn", pick(ARNS, 2)),
            (f"{no}IpAddress{if_exists}", address, pick(NETWORKS, 2)),
            (f"Bool{if_exists}", flag, [choice(["true", "false"])]),
            (f"Numeric{order}{if_exists}", "aws:MultiFactorAuthAge", [choice(["60", "300"])]),
            (f"Date{order}{if_exists}", "aws:CurrentTime", [choice(DATES)]),
            (f"{quantifier}:String{no}{like}", many, pick(MANY[many], 2)),
            ("Null", choice([*TEXTS, *MANY, "aws:PrincipalArn"]), [choice(["true", "false"])]),
        ]
        return choice(kinds)

    def _some(self, values: Sequence[str], most: int) -> list[str]:
        chosen = self._random.sample(values, self._random.randint(1, min(most, len(values))))
        return list(dict.fromkeys(chosen))

    def _facts(self, kind: str) -> Facts:
        """Keys that no call says, there or absent."""
        odds, choice = self._odds, self._random.choice
        keys: dict[str, tuple[str, ...]] = {
            "aws:CalledVia": tuple(self._some(MANY["aws:CalledVia"][:2], 2)),
            "aws:MultiFactorAuthPresent": (choice(["true", "false"]),),
            "aws:MultiFactorAuthAge": (choice(["60", "120", "300"]),),
            "aws:PrincipalOrgID": ("o-1",),
            "aws:PrincipalOrgPaths": ("o-1/r-1/ou-1/",),
            "aws:SourceIp": (),
            "aws:userid": (),
        }
        of_callers = {"aws:PrincipalOrgID", "aws:PrincipalOrgPaths"}
        for key in keys:
            if odds(30) or (kind == "nobody" and key in of_callers):
                keys[key] = ()
        return Facts(keys=keys)


def _caller(kind: str, account: str, documents: Documents) -> Principal:
    role = kind == "role"
    arn = f"arn:aws:iam::{account}:{'role/app/Notifier' if role else 'user/team/ann'}"
    signed = f"arn:aws:sts::{account}:assumed-role/Notifier/session" if role else arn
    return Principal(
        arn=signed,
        principal_arn=arn,
        account=account,
        kind="AssumedRole" if role else "User",
        user_id="AROAX:session" if role else "AIDAX",
        policies=tuple(map(_policy, documents.grants)),
        limits=(_policy(documents.boundary),) if documents.boundary else (),
        session=(_policy(documents.session),) if documents.session else (),
        tags={"Team": "m-1"},
    )


def _policy(document: Json, *, of_resource: bool = False) -> Policy:
    return parse_policy("a policy", document, resource_based=of_resource)


def _simulation(call: Call, documents: Documents) -> Json:
    """The same for the evaluator, which knows no short form of ARNs."""
    full = json.loads(json.dumps(documents.of_api).replace('"execute-api:/', f'"{API}/'))
    simulation: Json = {
        "request": {
            "principal": _signed(call),
            "action": "execute-api:Invoke",
            "resource": {"resource": f"{API}/dev/GET/{PATH}", "accountId": ACCOUNT},
            "contextVariables": _context(call),
        },
        "identityPolicies": [
            {"name": f"grants {number}", "policy": one}
            for number, one in enumerate(documents.grants)
        ],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if full:
        simulation["resourcePolicy"] = full
    if documents.endpoint:
        own = {"name": "endpoint", "policy": documents.endpoint}
        simulation["vpcEndpointPolicies"] = [own]
    if documents.boundary:
        limit = {"name": "boundary", "policy": documents.boundary}
        simulation["permissionBoundaryPolicies"] = [limit]
    if documents.session:
        simulation["sessionPolicy"] = documents.session
    return simulation


def _signed(call: Call) -> object:
    return call.caller.arn if call.caller else {"type": "Anonymous"}


# As AWS writes the keys: the evaluator takes those that it knows.
NAMES = (
    *TEXTS,
    *MANY,
    "aws:PrincipalArn",
    "aws:VpcSourceIp",
    "aws:SourceIp",
    "aws:SecureTransport",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:CurrentTime",
)


def _context(call: Call) -> Json:
    """Every key that the call has."""
    caller = call.caller
    given: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (f"{NOW:%Y-%m-%dT%H:%M:%SZ}",),
        **(call.facts.keys if call.facts else {}),
        **call.origin.keys,
        **(caller.keys if caller else {}),
    }
    found: Json = {}
    for name in NAMES:
        values = given.get(name.lower())
        if values:
            found[name] = list(values) if name in MANY else values[0]
    return found


def batches(cases: int, seed: int = 1) -> Iterator[list[Case]]:
    """So many cases, some at a time."""
    generator = Generator(seed)
    for start in range(0, cases, BATCH):
        yield [generator.case() for _ in range(min(BATCH, cases - start))]


def compare(evaluator: Simulator, cases: int) -> bool:
    """Print how the two agree, and the first cases on which they do not; say whether they do."""
    agreed: Counter[str] = Counter()
    unknown = 0
    apart: list[tuple[Case, str, str]] = []
    for batch in batches(cases):
        results, _ = evaluator.run([case.simulation for case in batch])
        for case, result in zip(batch, results, strict=True):
            ours = decide(case.call).verdict
            if ours is Verdict.UNKNOWN:
                unknown += 1
            elif (ours is Verdict.ALLOWED) is (result == "Allowed") and result[0] != "{":
                agreed[ours.value] += 1
            else:
                apart.append((case, ours.value, result))
    said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(agreed.items()))
    print(f"agreement: {cases} cases, {said}, {unknown} unknown here, {len(apart)} disagree")
    for case, verdict, result in apart[:3]:
        print(f"  here {verdict}, there {result}: {json.dumps(case.simulation)}")
    return not apart and unknown <= UNKNOWN_LIMIT * cases


def measure(cases: int = CASES) -> bool:
    """Compare so many cases."""
    with simulator(remember=True) as evaluator:
        return compare(evaluator, cases)
