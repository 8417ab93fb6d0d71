"""Nobody else, for every request that exists: what the matrix's cells do not ask is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from backstairs.access import Authorization, Kind, Verdict
from backstairs.access.facts import Facts, Organization
from backstairs.report.callers import ANONYMOUS, KEY_HOLDER, OTHER_ACCOUNT, THIS_ACCOUNT
from backstairs.report.entrances import OTHER_ENDPOINT
from backstairs.report.matrix import matrix_of
from backstairs.report.named import address_classes
from backstairs.report.requests import FULL_GRANT, ROOT, Requests
from tests.report.built import (
    ACCOUNT,
    ENDPOINT,
    ONLY_ENDPOINT,
    api,
    application,
    everybody,
    grant,
    policy,
    role,
)
from tests.report.worlds import disagreements, drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backstairs.report.matrix import Cell
    from backstairs.report.requests import Witness
    from backstairs.template.model import DeclaredApi, DeclaredPrincipal

POWERFUL = {FULL_GRANT, ROOT}
OTHER = "210987654321"


def found(
    one: DeclaredApi, *principals: DeclaredPrincipal, claim: Sequence[str] = (), **more: Any
) -> tuple[list[Witness], Requests]:
    """What of an API is open but to whom everything is granted, and to the callers of a claim."""
    application_ = application(apis=(one,), principals=principals)
    matrix = matrix_of(application_)

    def allowed(cell: Cell) -> bool:
        return cell.caller.name in POWERFUL or cell.caller.name in claim

    search = Requests(application_.apis, matrix.callers, matrix.entrances, allowed, **more)
    return list(search.witnesses()), search


def by_grant(*routes: tuple[str, str], **more: Any) -> DeclaredApi:
    """An API whose callers need a grant."""
    only = policy("Api's policy", ONLY_ENDPOINT, api=True)
    return api("Api", routes, **{"allows": only} | more)


def guarded(*statements: Mapping[str, Any], **more: Any) -> DeclaredApi:
    """An API with one route and this policy."""
    allows = policy("Api's policy", *statements, api=True)
    return api("Api", [("GET", "/claims")], allows=allows, **more)


def test_a_grant_for_one_member_is_found() -> None:
    """One path among all that a route has."""
    granted = role("Reader", grant("api/dev/GET/members/m-1"))
    witnesses, search = found(by_grant(("GET", "/members/{id}")), granted)
    certain = [one for one in witnesses if one.admitted]
    assert [one.call.path for one in certain] == ["/members/m-1"]
    assert certain[0].cell.caller.name == "Reader"
    assert search.coverage.whole


def test_a_grant_that_reaches_below_a_greedy_route_is_found() -> None:
    """A star for the API's id passes slashes: the path repeats stage and verb."""
    granted = role("Reader", grant("*/dev/GET/members/*"))
    witnesses, _ = found(by_grant(("POST", "/files/{path+}")), granted)
    (one,) = [one for one in witnesses if one.admitted]
    assert one.call.method == "POST"
    assert one.call.path.startswith("/files/dev/GET/members/")


def test_a_path_that_may_be_read_as_another_is_unknown() -> None:
    """Its escapes hide a path for which there is a grant."""
    granted = role("Reader", grant("api/dev/GET/members/m-1"))
    witnesses, _ = found(by_grant(("GET", "/claims/{id}")), granted)
    (one,) = witnesses
    assert one.decision.verdict is Verdict.UNKNOWN
    assert one.by_reading
    assert "%2F" in one.call.path


def test_a_wildcard_that_may_pass_a_colon_is_unknown() -> None:
    """A Deny that would hold in one reading of it alone."""
    denied = everybody("Deny", "execute-api:/dev/GET/*/x")
    odd = policy("Api's policy", everybody("Allow"), denied, api=True)
    nobody = api("Api", [("GET", "/{id}/x")], allows=odd, authorization=Authorization.NONE)
    witnesses, _ = found(nobody)
    assert {one.decision.verdict for one in witnesses} == {Verdict.UNKNOWN}
    assert all(":" in one.call.path for one in witnesses)


def test_everybody_is_let_in_by_a_whitelist() -> None:
    """The trap: an Allow for everybody, where grants were to decide."""
    witnesses, _ = found(guarded(everybody("Allow"), ONLY_ENDPOINT))
    names = {one.cell.caller.name for one in witnesses}
    assert {one.cell.entrance.name for one in witnesses} == {"Endpoint"}
    assert names == {THIS_ACCOUNT}


@pytest.mark.parametrize(
    ("condition", "name", "tells"),
    [
        ({"StringEquals": {"aws:PrincipalTag/Team": "claims"}}, THIS_ACCOUNT, "claims"),
        ({"StringLike": {"aws:PrincipalTag/Team": "cl*s"}}, THIS_ACCOUNT, "cls"),
        ({"StringEqualsIgnoreCase": {"aws:PrincipalTag/Team": "X"}}, THIS_ACCOUNT, "team="),
        ({"NumericGreaterThan": {"aws:PrincipalTag/Level": "3"}}, THIS_ACCOUNT, "4.0"),
        (
            {
                "NumericGreaterThan": {"aws:PrincipalTag/Level": "3"},
                "NumericLessThan": {"aws:PrincipalTag/Level": "3.2"},
            },
            THIS_ACCOUNT,
            "3.1",
        ),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ad*"}}, THIS_ACCOUNT, "role/ad"),
        ({"StringLike": {"aws:username": "bob*"}}, THIS_ACCOUNT, "user/bob"),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, THIS_ACCOUNT, "user/"),
        (
            {"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*:federated-user/*"}},
            THIS_ACCOUNT,
            "federated-user/",
        ),
        ({"StringLike": {"aws:userid": "*:bob"}}, THIS_ACCOUNT, ":bob"),
        ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, f"account {OTHER}", OTHER),
        ({"StringLike": {"aws:PrincipalAccount": "77*"}}, OTHER_ACCOUNT, "::77"),
    ],
)
def test_whoever_a_condition_lets_in_is_found(
    condition: Mapping[str, Any], name: str, tells: str
) -> None:
    """By tag, ARN, name, type, id or account, with one that has it."""
    witnesses, search = found(guarded(everybody("Allow", **condition)))
    assert search.coverage.whole
    certain = [one for one in witnesses if one.admitted]
    assert name in {one.cell.caller.name for one in certain}
    assert any(tells in f"{one.call.caller}{one}" for one in certain)


def test_a_session_that_a_policy_names_is_found() -> None:
    """A role without a grant, by the name of its session."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/ReaderRole/nightly"
    named = everybody("Allow") | {"Principal": {"AWS": session}}
    witnesses, _ = found(guarded(named, ONLY_ENDPOINT), role("Reader"))
    assert {one.call.caller.arn for one in witnesses if one.call.caller} == {session}


def test_another_endpoint_of_the_vpc_is_found() -> None:
    """A condition on the VPC lets every endpoint of it in."""
    only_vpc = everybody("Deny", StringNotEquals={"aws:SourceVpc": "vpc-1"})
    witnesses, _ = found(guarded(everybody("Allow"), only_vpc))
    others = [one for one in witnesses if one.cell.entrance.name == OTHER_ENDPOINT]
    assert {one.call.origin.endpoint.vpc_id for one in others if one.call.origin.endpoint} == {
        "vpc-1"
    }


def test_an_endpoint_whose_name_a_pattern_covers_is_found() -> None:
    """Ours is not alone with it."""
    like = everybody("Deny", StringNotLike={"aws:SourceVpce": f"{ENDPOINT}*"})
    witnesses, _ = found(guarded(everybody("Allow"), like))
    ids = {one.call.origin.endpoint.endpoint_id for one in witnesses if one.call.origin.endpoint}
    assert ENDPOINT in ids
    assert any(one.startswith(ENDPOINT) and one != ENDPOINT for one in ids)


def test_an_address_of_each_class_is_asked() -> None:
    """Among them those before the first network, after the last, and of the other version."""
    high = address_classes([("128.0.0.0/1",)])
    assert {network for _, network in high} == {None, "128.0.0.0/1"}
    all_of_one = dict(address_classes([("0.0.0.0/0",)]))
    assert any(":" in address and network is None for address, network in all_of_one.items())


def test_an_address_that_no_list_has_is_found() -> None:
    """Every address of version 4 is denied, which leaves the others."""
    denied = everybody("Deny", IpAddress={"aws:SourceIp": "0.0.0.0/0"})
    public = guarded(everybody("Allow"), denied, private=False, authorization=Authorization.NONE)
    witnesses, _ = found(public)
    assert {":" in str(one.call.origin.source_ip) for one in witnesses} == {True}


def test_a_time_at_which_a_condition_holds_is_found() -> None:
    """A request of the day before the Allow ends."""
    until = everybody("Allow", DateLessThan={"aws:CurrentTime": "2027-01-01T00:00:00Z"})
    witnesses, _ = found(guarded(until, ONLY_ENDPOINT))
    assert witnesses
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    assert all(one.call.now and one.call.now < ends for one in witnesses)


def test_a_verb_that_no_deny_names_is_found() -> None:
    """ANY has seven."""
    denied = everybody("Deny", "execute-api:/dev/GET/*")
    one = guarded(everybody("Allow"), denied, authorization=Authorization.NONE)
    anything = replace(one.api.routes[0], method="ANY")
    open_ = replace(one, api=replace(one.api, routes=(anything,)))
    witnesses, _ = found(open_)
    assert ANONYMOUS in {one.cell.caller.name for one in witnesses}
    assert "GET" not in {one.call.method for one in witnesses}


def test_the_holder_of_an_api_key_is_asked() -> None:
    """Where a method asks for a key, somebody has one."""
    with_key = guarded(everybody("Allow"), authorization=Authorization.NONE, needs_key=True)
    witnesses, _ = found(with_key)
    assert KEY_HOLDER in {one.cell.caller.name for one in witnesses}


def test_dot_segments_of_an_http_api_are_asked() -> None:
    """Its parameters hold no slash, but they can be dots."""
    one = by_grant(("GET", "/{a}/{b}"), private=False)
    http = replace(one, api=replace(one.api, kind=Kind.HTTP, policy=None))
    witnesses, _ = found(http, role("Reader", grant("api/dev/GET/m-1")))
    assert [one.call.path for one in witnesses] == ["/m-1/."]


def test_an_organisation_that_is_not_known_leaves_it_unknown() -> None:
    """Which one a caller's account is in is nowhere said."""
    only = everybody("Allow", StringEquals={"aws:PrincipalOrgID": "o-1"})
    witnesses, _ = found(guarded(only))
    by_name = {one.cell.caller.name: one for one in witnesses}
    assert by_name[THIS_ACCOUNT].decision.verdict is Verdict.UNKNOWN
    assert by_name[OTHER_ACCOUNT].admitted
    assert "o-1" in str(by_name[OTHER_ACCOUNT])


def test_the_organisation_of_this_account_is_a_fact() -> None:
    """Stated by somebody who knows, it decides."""
    only = everybody("Allow", StringEquals={"aws:PrincipalOrgID": "o-1"})
    facts = Facts({ACCOUNT: Organization("o-2")})
    witnesses, _ = found(guarded(only), facts=facts)
    assert THIS_ACCOUNT not in {one.cell.caller.name for one in witnesses}


def test_a_claim_about_one_path_is_kept_apart() -> None:
    """What is claimed for one member is none for another."""
    granted = role("Reader", grant("api/dev/GET/members/*"))
    application_ = application(apis=(by_grant(("GET", "/members/{id}")),), principals=(granted,))
    matrix = matrix_of(application_)

    def allowed(cell: Cell) -> bool:
        return cell.caller.name in POWERFUL or cell.question.path == "/members/m-1"

    search = Requests(
        application_.apis, matrix.callers, matrix.entrances, allowed, named=["/members/m-1"]
    )
    (one,) = [one for one in search.witnesses() if one.admitted]
    assert one.call.path not in ("/members/m-1", "/members/{id}")


def test_what_the_claim_lets_in_is_no_witness() -> None:
    """Nobody else may, and nobody else can."""
    granted = role("Reader", grant("api/dev/GET/members/*"))
    witnesses, search = found(by_grant(("GET", "/members/{id}")), granted, claim=["Reader"])
    assert witnesses == []
    assert search.coverage.whole
    assert search.coverage.decided > 10


@pytest.mark.parametrize(
    ("statement", "tells"),
    [
        (everybody("Allow", "execute-api:/dev/GET/${aws:username}"), "aws:username"),
        (everybody("Allow", "execute-api:/dev/GET/a%2*"), "a%2*"),
        (everybody("Allow", StringLike={"aws:CurrentTime": "2027-*"}), "aws:CurrentTime"),
        (everybody("Allow", StringLike={"aws:VpcSourceIp": "10.*"}), "aws:VpcSourceIp"),
        (everybody("Allow", NumericEquals={"aws:SourceVpce": "1"}), "aws:SourceVpce"),
        (everybody("Allow", NumericEquals={"aws:PrincipalAccount": "1"}), "aws:PrincipalAccount"),
        (everybody("Deny", StringEquals={"aws:PrincipalTag/a": "x"}), "AuditorRole"),
    ],
)
def test_what_cannot_be_enumerated_is_left_out_by_name(
    statement: Mapping[str, Any], tells: str
) -> None:
    """Variables that strangers fill, comparisons that are not understood, tags of sessions."""
    auditor = replace(role("Auditor"), functions=())
    _, search = found(guarded(statement), auditor)
    assert any(tells in why for why in search.coverage.left_out)
    assert not search.coverage.whole


def test_what_takes_too_long_is_left_out_by_name() -> None:
    """A limit, and what it left out."""
    granted = role("Reader", grant("api/dev/GET/members/*"))
    _, search = found(by_grant(("GET", "/members/{id}")), granted, states=3)
    assert any("too many" in why for why in search.coverage.left_out)


# Seeds are not simpler for being smaller.
@settings(max_examples=12, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
@example(seed=124_091)
@given(seed=st.integers(min_value=0, max_value=10**9))
def test_brute_force_agrees(seed: int) -> None:
    """In small worlds every request is decided: what is open has a witness, and nothing else."""
    number, wrong = disagreements(drawn(Random(seed)))  # noqa: S311 - a world, no secret
    assert wrong == []
    assert number >= 0
