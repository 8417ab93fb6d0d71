"""What holds of every decision, whatever the policies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Decision,
    Endpoint,
    Facts,
    Organization,
    Origin,
    Policy,
    Principal,
    Route,
    Unresolved,
    Verdict,
    admitted_if,
    decide,
    parse_policy,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]

thorough = settings(max_examples=400, deadline=None, database=None)

ACCOUNT, OTHER = "123456789012", "210987654321"
PREFIX = f"arn:aws:execute-api:eu-central-1:{ACCOUNT}:a1b2c3d4e5"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Notifier"
UNKNOWN = Unresolved("not known yet")
INSIDE = Origin("inside", Endpoint("vpce-1", "vpc-1"), "10.0.1.7")
ELSEWHERE = Origin("another endpoint", Endpoint("vpce-2", "vpc-2"), "10.9.0.7")


def policy(statements: Sequence[Any], *, resource_based: bool = False) -> Policy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return parse_policy("a policy", document, resource_based=resource_based)


values = st.sampled_from(["vpce-1", "vpce-2", ACCOUNT, OTHER, "claims"])
maybe = values | st.just(UNKNOWN)
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringNotEqualsIfExists"]),
    st.dictionaries(
        st.sampled_from(
            [
                "aws:SourceVpce",
                "aws:PrincipalAccount",
                "aws:PrincipalTag/Team",
                "aws:PrincipalOrgID",
            ]
        ),
        st.lists(maybe, min_size=1, max_size=2),
        min_size=1,
        max_size=2,
    ),
    max_size=1,
)
principals = st.just("*") | st.builds(
    lambda names: {"AWS": names},
    st.lists(st.sampled_from([ACCOUNT, OTHER, ROLE, UNKNOWN]), min_size=1, max_size=2),
)
effects = st.sampled_from(["Allow", "Allow", "Deny"])
# Much of what is drawn has to match, or nobody would ever be admitted.
actions = st.sampled_from([*["execute-api:Invoke"] * 6, "s3:*", UNKNOWN])
resources = st.sampled_from([*["*", f"{PREFIX}/*"] * 3, f"{PREFIX}/prod/*", UNKNOWN])
of_the_api = st.fixed_dictionaries(
    {
        "Effect": effects,
        "Principal": principals,
        "Action": actions,
        "Resource": resources,
        "Condition": conditions,
    }
)
of_the_caller = st.fixed_dictionaries(
    {
        "Effect": effects,
        "Action": actions,
        "Resource": resources,
        "Condition": conditions,
    }
)
origins = st.sampled_from([INSIDE, ELSEWHERE])
kinds = st.sampled_from(
    [Authorization.NONE, *[Authorization.AWS_IAM] * 4, *list(Authorization)[2:]]
)


@dataclass(frozen=True)
class World:
    """Documents and circumstances of a call, from which it is decided anew."""

    of_api: Sequence[Any]
    grants: Sequence[Any]
    boundary: Sequence[Any] | None
    session: Sequence[Any] | None
    endpoint: Sequence[Any] | None
    account: str | None
    authorization: Authorization
    origin: Origin
    facts: Facts | None = None

    def decide(self) -> Verdict:
        return self.decision().verdict

    def decision(self) -> Decision:
        return decide(self.call())

    def call(self) -> Call:
        api = Api(
            api_id="a1b2c3d4e5",
            name="Api",
            stage="dev",
            region="eu-central-1",
            account=ACCOUNT,
            private=True,
            policy=policy(self.of_api, resource_based=True),
            routes=(),
        )
        origin = self.origin
        if self.endpoint is not None and origin.endpoint is not None:
            own = policy(self.endpoint, resource_based=True)
            origin = replace(origin, endpoint=replace(origin.endpoint, policy=own))
        return Call(
            origin=origin,
            method="GET",
            path="/members/m-1",
            api=api,
            route=Route("GET", "/members/{memberId}", self.authorization, None),
            caller=self._caller(),
            facts=self.facts,
        )

    def _caller(self) -> Principal | None:
        if self.account is None:
            return None
        return Principal(
            arn=f"arn:aws:sts::{self.account}:assumed-role/Notifier/session",
            principal_arn=f"arn:aws:iam::{self.account}:role/Notifier",
            account=self.account,
            kind="AssumedRole",
            policies=(policy(self.grants),) if self.grants else (),
            limits=() if self.boundary is None else (policy(self.boundary),),
            session=() if self.session is None else (policy(self.session),),
            tags={"Team": "claims"},
        )


some = st.lists(of_the_api, min_size=1, max_size=3)
few = st.none() | st.none() | st.lists(of_the_caller, min_size=1, max_size=2)
worlds = st.builds(
    World,
    of_api=some,
    grants=st.lists(of_the_caller, max_size=2),
    boundary=few,
    session=few,
    endpoint=st.none() | st.none() | st.lists(of_the_api, min_size=1, max_size=2),
    account=st.sampled_from([ACCOUNT, ACCOUNT, OTHER, None]),
    authorization=kinds,
    origin=origins,
)


def resolved(value: Any, choose: Callable[[], str]) -> Any:
    """A document with each unresolved value replaced by a choice."""
    if isinstance(value, Unresolved):
        return choose()
    if isinstance(value, dict):
        return {key: resolved(item, choose) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item, choose) for item in value]
    return value


@thorough
@given(world=worlds, data=st.data())
def test_no_resolution_contradicts_a_verdict(world: World, data: st.DataObject) -> None:
    """Admitted or refused with values unresolved is so however they resolve."""
    verdict = world.decide()
    choices = ["*", "execute-api:Invoke", "vpce-1", ROLE, ACCOUNT, "execute-api:/*", "claims"]

    def choose() -> str:
        return data.draw(st.sampled_from(choices))

    known = replace(
        world,
        of_api=resolved(world.of_api, choose),
        grants=resolved(world.grants, choose),
        boundary=resolved(world.boundary, choose),
        session=resolved(world.session, choose),
        endpoint=resolved(world.endpoint, choose),
    )
    if verdict is not Verdict.UNKNOWN:
        assert known.decide() in (verdict, Verdict.UNKNOWN)


places = st.sampled_from(["of_api", "grants", "boundary", "session", "endpoint"])


def with_one_more(world: World, place: str, statement: Json) -> World:
    """The world with a statement more in one of its policies, where it has that policy."""
    statements = getattr(world, place)
    if statements is None:
        return world
    body = dict(statement)
    if place not in ("of_api", "endpoint"):
        del body["Principal"]
    changed: dict[str, Any] = {place: [*statements, body]}
    return replace(world, **changed)


@thorough
@given(world=worlds, place=places, statement=of_the_api)
def test_a_deny_more_never_admits(world: World, place: str, statement: Json) -> None:
    """Whoever is refused stays refused, and nobody unknown becomes admitted."""
    before = world.decide()
    after = with_one_more(world, place, statement | {"Effect": "Deny"}).decide()
    if before is Verdict.REFUSED:
        assert after is Verdict.REFUSED
    elif before is Verdict.UNKNOWN:
        assert after is not Verdict.ALLOWED


@thorough
@given(world=worlds, place=places, statement=of_the_api)
def test_an_allow_more_never_refuses(world: World, place: str, statement: Json) -> None:
    """It takes nothing away, in whatever policy it stands."""
    before = world.decide()
    after = with_one_more(world, place, statement | {"Effect": "Allow"}).decide()
    if before is Verdict.ALLOWED:
        assert after is Verdict.ALLOWED
    elif before is Verdict.UNKNOWN:
        assert after is not Verdict.REFUSED


@thorough
@given(
    world=worlds,
    place=places,
    effect=effects,
    what=st.sampled_from(
        [
            {"Action": "s3:*", "Resource": "*"},
            {"Action": "execute-api:ManageConnections", "Resource": "*"},
            {"Action": "execute-api:Invoke", "Resource": "arn:aws:s3:::bucket/*"},
            {"Action": "execute-api:Invoke", "Resource": f"{PREFIX}/dev/POST/*"},
            {"Action": "execute-api:Invoke", "Resource": f"{PREFIX[:-1]}9/*"},
            {"Action": "*", "NotResource": f"{PREFIX}/*"},
        ]
    ),
)
def test_a_statement_about_something_else_changes_nothing(
    world: World, place: str, effect: str, what: Json
) -> None:
    """Neither the verdict nor a reason."""
    before = world.decision()
    after = with_one_more(world, place, what | {"Principal": "*", "Effect": effect}).decision()
    assert after.verdict is before.verdict
    assert list(map(str, after.reasons)) == list(map(str, before.reasons))


@thorough
@given(world=worlds, organization=st.sampled_from(["claims", "vpce-1", "o-1", None]))
def test_a_fact_contradicts_no_verdict(world: World, organization: str | None) -> None:
    """What is known stays; what is unknown becomes known, or stays unknown."""
    before = world.decide()
    organizations = {account: Organization(organization) for account in (ACCOUNT, OTHER)}
    after = replace(world, facts=Facts(organizations)).decide()
    assert before in (after, Verdict.UNKNOWN)


@thorough
@given(world=worlds)
def test_what_is_said_to_admit_admits(world: World) -> None:
    """Each alternative, told as facts; and an unknown verdict always says what it lacks."""
    call = world.call()
    decision = decide(call)
    assert bool(decision.lacks) is (decision.verdict is Verdict.UNKNOWN)
    for conditions in admitted_if(call, decision):
        holds = {replace(lack, holds=True): lack.holds for lack in conditions}
        assert replace(world, facts=Facts(holds=holds)).decide() is Verdict.ALLOWED or not holds


@thorough
@given(world=worlds)
def test_deny_only_policies_admit_nobody_without_a_grant(world: World) -> None:
    """With no Allow in the API's policy, only what a caller holds itself can admit."""
    denies = [statement | {"Effect": "Deny"} for statement in world.of_api]
    without = replace(world, of_api=denies, grants=[])
    assert without.decide() is not Verdict.ALLOWED


@thorough
@given(world=worlds)
def test_every_decision_has_a_reason_and_an_answer_unless_allowed(world: World) -> None:
    """Nothing is decided silently."""
    decision = world.decision()
    assert decision.reasons
    assert (decision.refusal is None) is (decision.verdict is Verdict.ALLOWED)
