"""A crowd is decided on as each of it would be, down to the names in the reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Crowd,
    Decision,
    Endpoint,
    Kind,
    Origin,
    Policy,
    Principal,
    Route,
    decide,
    parse_policy,
    said_of,
)

ACCOUNTS = ("111111111111", "222222222222")
NAMES = ("a", "b", "c")
API = "arn:aws:execute-api:eu-west-1:111111111111:api"
ROUTES = tuple(
    Route(verb, path, kind, None)
    for verb, path in (("GET", "/x/{id}"), ("PUT", "/y"))
    for kind in (Authorization.AWS_IAM, Authorization.NONE)
)
ARNS = [f"arn:aws:iam::{account}:role/{name}" for account in ACCOUNTS for name in NAMES]

conditions = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNTS[0]}},
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a"}},
        {"StringLike": {"aws:PrincipalTag/team": "red*"}},
        {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team, 'red'}"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"Null": {"aws:userid": "true"}},
    ]
)
resources = st.sampled_from(
    [
        "*",
        f"{API}/*",
        f"{API}/dev/GET/x/*",
        f"{API}/dev/PUT/y",
        f"{API}/dev/GET/x/${{aws:PrincipalTag/team}}",
        "arn:aws:s3:::bucket",
    ]
)
principals = st.sampled_from(["*", *ARNS, *(f"arn:aws:iam::{one}:root" for one in ACCOUNTS)])


def documents(*, of_resource: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Policy documents."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.just("execute-api:Invoke"),
        "Resource": resources,
        "Condition": conditions,
    }
    if of_resource:
        parts["Principal"] = st.fixed_dictionaries({"AWS": principals})
    statements = st.lists(st.fixed_dictionaries(parts), min_size=1, max_size=3)
    return st.builds(lambda given: {"Version": "2012-10-17", "Statement": given}, statements)


def policies(name: str, *, of_resource: bool = False) -> st.SearchStrategy[Policy]:
    """Policies, read."""
    return documents(of_resource=of_resource).map(
        lambda document: parse_policy(name, document, resource_based=of_resource)
    )


@st.composite
def callers(draw: st.DrawFn) -> Principal | None:
    """Somebody who calls."""
    if draw(st.integers(0, 9)) == 0:
        return None
    account, name = draw(st.sampled_from(ACCOUNTS)), draw(st.sampled_from(NAMES))
    kind = draw(st.sampled_from(["AssumedRole", "AssumedRole", "User", "Account"]))
    few = st.lists(policies("own"), max_size=1).map(tuple)
    return Principal(
        f"arn:aws:sts::{account}:assumed-role/{name}/session",
        f"arn:aws:iam::{account}:role/{name}",
        account,
        kind,
        user_id=draw(st.sampled_from([None, "AROA"])),
        policies=draw(few),
        limits=draw(few) if draw(st.booleans()) else (),
        session=draw(few) if draw(st.integers(0, 5)) == 0 else (),
        tags=draw(st.sampled_from([{}, {"team": "red"}, {"team": "blue"}])),
    )


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A call that anybody may make."""
    route = draw(st.sampled_from(ROUTES))
    api = Api(
        "api",
        "Api",
        "dev",
        "eu-west-1",
        ACCOUNTS[0],
        draw(st.booleans()),
        draw(st.none() | policies("api", of_resource=True)),
        (route,),
        kind=draw(st.sampled_from([Kind.REST, Kind.REST, Kind.HTTP])),
    )
    endpoint = Endpoint("vpce-1", "vpc-1", draw(st.none() | policies("end", of_resource=True)))
    origin = draw(st.sampled_from([Origin("endpoint", endpoint), Origin("internet")]))
    path = draw(st.sampled_from(["/x/red", "/x/1", "/x//1", "/x/a%20b"]))
    return Call(origin, route.method, path if "x" in route.path else "/y", api, route)


def told(decision: Decision) -> tuple[object, ...]:
    """All that a decision says."""
    return (
        decision.verdict,
        [(reason.rule, reason.text, reason.source) for reason in decision.reasons],
        decision.refusal,
        decision.lacks,
    )


@given(st.lists(callers(), max_size=6), st.lists(calls(), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_crowd_is_decided_on_as_each_of_it(
    who: list[Principal | None], asked: list[Call]
) -> None:
    """One crowd for several calls, of which some are alike."""
    crowd = Crowd(who)
    for call in (*asked, *asked):
        for caller, (decision, one) in zip(who, crowd.decide(call), strict=True):
            expected = told(decide(replace(call, caller=caller)))
            if caller is None or one is None:
                assert (caller, told(decision)) == (one, expected)
            else:
                assert told(said_of(caller, decision, one)) == expected


def test_those_who_are_alike_are_decided_on_once() -> None:
    """A hundred roles without a grant are one decision, with the name of each."""
    who = [
        Principal(
            f"arn:aws:sts::{ACCOUNTS[0]}:assumed-role/r{number}/s", arn, ACCOUNTS[0], "AssumedRole"
        )
        for number in range(100)
        for arn in [f"arn:aws:iam::{ACCOUNTS[0]}:role/r{number}"]
    ]
    api = Api("api", "Api", "dev", "eu-west-1", ACCOUNTS[0], private=False, policy=None, routes=())
    call = Call(Origin("internet"), "GET", "/x/1", api, ROUTES[0])
    found = list(Crowd(who).decide(call))
    assert len({id(decision) for decision, _ in found}) == 1
    decision, one = found[7]
    assert one is not None
    assert (
        said_of(who[7], decision, one).reasons[-1].text == "r7 holds no grant for GET /x/1 of Api"
    )
