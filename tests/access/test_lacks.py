"""What an unknown decision lacks, what would admit, and facts that settle it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import (
    Authorization,
    Call,
    Endpoint,
    Facts,
    Lack,
    Organization,
    Origin,
    Unresolved,
    Verdict,
    admitted_if,
    decide,
    parse_facts,
)
from backstairs.access.facts import ACCOUNT_AT_ENDPOINT
from tests.access.test_gates import ACCOUNT, ALLOW, BASE, GRANT, INSIDE, INTERNET, api, policy, role

if TYPE_CHECKING:
    from backstairs.access import Api

IAM, NONE, CUSTOM = Authorization.AWS_IAM, Authorization.NONE, Authorization.CUSTOM


def deny(operator: str, key: str, *values: Any) -> dict[str, Any]:
    return {"Effect": "Deny", **BASE, "Condition": {operator: {key: list(values)}}}


def signed(target: Api, **more: Any) -> Call:
    """A call by a role with a grant."""
    call = {
        "origin": INSIDE,
        "method": "GET",
        "path": "/members/m-1",
        "api": target,
        "route": target.routes[0],
        "caller": role(GRANT),
    }
    return Call(**{**call, **more})


def said(call: Call) -> str:
    """What would admit it, as a report words it."""
    return " or ".join(" and ".join(map(str, all_of)) for all_of in admitted_if(call, decide(call)))


ORGANIZATION = deny("StringNotEquals", "aws:PrincipalOrgID", "o-1234")


def test_what_is_lacking_has_key_operator_and_values() -> None:
    """Not only words: a report groups by it."""
    decision = decide(signed(api(ORGANIZATION, authorization=IAM)))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.lacks == (Lack("StringEquals", "aws:PrincipalOrgID", ("o-1234",)),)
    assert "whether aws:PrincipalOrgID is o-1234" in decision.reasons[-1].text


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((ORGANIZATION,), "aws:PrincipalOrgID is o-1234"),
        (
            (deny("StringEquals", "aws:PrincipalOrgID", "o-1", "o-2"),),
            "aws:PrincipalOrgID is not o-1 or o-2",
        ),
        (
            (ORGANIZATION, deny("Bool", "aws:MultiFactorAuthPresent", "false")),
            "aws:PrincipalOrgID is o-1234 and aws:MultiFactorAuthPresent is not false",
        ),
        ((deny("Null", "aws:MultiFactorAuthAge", "true"),), "aws:MultiFactorAuthAge is present"),
        ((deny("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"),), "aws:SourceIp is in 10.0.0.0/8"),
        (
            (deny("StringNotLikeIfExists", "aws:PrincipalOrgID", "o-*"),),
            "not: StringNotLikeIfExists aws:PrincipalOrgID [o-*]",
        ),
        ((deny("StringSame", "aws:x", "y"),), "not: StringSame aws:x [y]"),
        # An organisation cannot be two, so the second Deny always matches.
        ((ORGANIZATION, deny("StringNotEquals", "aws:PrincipalOrgID", "o-5")), ""),
        # Inside the one is inside the other.
        (
            (ORGANIZATION, deny("StringNotEquals", "aws:PrincipalOrgID", "o-1234", "o-5")),
            "aws:PrincipalOrgID is o-1234",
        ),
    ],
)
def test_what_would_admit_is_as_small_as_can_be(
    statements: tuple[dict[str, Any], ...], expected: str
) -> None:
    """Alternatives of conditions, each of which alone would be too little."""
    assert said(signed(api(*statements, authorization=IAM))) == expected


def test_alternatives_are_all_named() -> None:
    """Either Allow admits a caller without a grant."""
    allows = [
        {**ALLOW, "Condition": {"StringEquals": {key: "x"}}}
        for key in ("aws:PrincipalOrgID", "aws:FederatedProvider")
    ]
    call = signed(api(*allows, authorization=IAM), caller=role())
    assert said(call) == "aws:PrincipalOrgID is x or aws:FederatedProvider is x"


def test_an_authorizer_and_accounts_at_an_endpoint_are_lacks_too() -> None:
    """What is no condition is a statement."""
    authorized = signed(api(ALLOW, authorization=CUSTOM), caller=None)
    assert said(authorized) == "the authorizer CUSTOM admits it"
    named = policy({**ALLOW, "Principal": {"AWS": ACCOUNT}, "Resource": "*"}, resource_based=True)
    origin = Origin("inside", Endpoint("vpce-1", "vpc-1", named))
    through = signed(api(ALLOW, authorization=IAM), origin=origin)
    assert decide(through).lacks == (ACCOUNT_AT_ENDPOINT,)
    assert said(through) == str(ACCOUNT_AT_ENDPOINT)


def test_more_than_three_are_listed_and_not_combined() -> None:
    """Each would double the work."""
    denies = [deny("StringNotEquals", f"aws:PrincipalX{number}", "x") for number in range(4)]
    call = signed(api(*denies, authorization=IAM))
    assert len(decide(call).lacks) == 4
    assert admitted_if(call, decide(call)) == ()


def test_what_nothing_would_admit_has_no_conditions() -> None:
    """A grant that cannot be read: no condition is to blame."""
    call = signed(api(ALLOW, authorization=IAM))
    assert admitted_if(call, decide(call)) == ()
    unreadable = role({**GRANT, "Resource": Unresolved("not known yet")})
    puzzle = signed(api(ORGANIZATION, authorization=IAM), caller=unreadable)
    assert decide(puzzle).verdict is Verdict.UNKNOWN
    assert admitted_if(puzzle, decide(puzzle)) == ()


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (Facts(organizations={ACCOUNT: Organization("o-1234")}), Verdict.ALLOWED),
        (Facts(organizations={ACCOUNT: Organization("o-5")}), Verdict.REFUSED),
        (Facts(organizations={ACCOUNT: Organization(None)}), Verdict.REFUSED),
        (Facts(organizations={"210987654321": Organization("o-1234")}), Verdict.UNKNOWN),
        (Facts(keys={"AWS:PrincipalOrgId": ("o-1234",)}), Verdict.ALLOWED),
        (
            Facts(holds={Lack("StringEquals", "aws:PrincipalOrgID", ("o-1234",)): True}),
            Verdict.ALLOWED,
        ),
        (Facts(), Verdict.UNKNOWN),
    ],
)
def test_a_fact_settles_what_was_unknown(facts: Facts, verdict: Verdict) -> None:
    """The caller's organisation, any key, or what the decision lacks itself."""
    assert decide(signed(api(ORGANIZATION, authorization=IAM), facts=facts)).verdict is verdict


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("o-1/r-1/ou-1/", Verdict.ALLOWED),
        ("o-1/r-1/ou-2/", Verdict.REFUSED),
        (None, Verdict.UNKNOWN),
    ],
)
def test_paths_of_an_organisation_have_many_values(path: str | None, verdict: Verdict) -> None:
    """As a set operator asks for them."""
    allow = {
        **ALLOW,
        "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/ou-1/*"}},
    }
    facts = Facts(organizations={ACCOUNT: Organization("o-1", path)})
    call = signed(api(allow, authorization=IAM), caller=role(), facts=facts)
    assert decide(call).verdict is verdict


def test_a_fact_overrides_nothing_that_is_known() -> None:
    """What comes with the call stays as it came."""
    other = deny("StringNotEquals", "aws:SourceVpce", "vpce-1")
    facts = Facts(keys={"aws:SourceVpce": ("vpce-9",), "aws:PrincipalAccount": ("1",)})
    assert decide(signed(api(other, authorization=IAM), facts=facts)).verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("network", "verdict"),
    [
        ("10.0.1.0/24", Verdict.ALLOWED),
        ("192.168.0.0/16", Verdict.REFUSED),
        ("10.0.0.0/8", Verdict.UNKNOWN),
        ("2001:db8::/32", Verdict.REFUSED),
        ("10.0.1.7", Verdict.ALLOWED),
    ],
)
def test_an_origin_may_be_a_whole_network(network: str, verdict: Verdict) -> None:
    """In a policy's network, beside it, or in it in part."""
    outside = deny("NotIpAddress", "aws:VpcSourceIp", "10.0.0.0/16")
    origin = replace(INSIDE, source_ip=network)
    assert decide(signed(api(outside, authorization=IAM), origin=origin)).verdict is verdict


def test_a_network_is_not_an_address() -> None:
    """Compared as text, or as a variable's value, it says nothing."""
    origin = replace(INSIDE, source_ip="10.0.0.0/16")
    for operator in ("StringEquals", "StringNotEquals"):
        target = api(deny(operator, "aws:VpcSourceIp", "10.0.0.0/16"), authorization=IAM)
        assert decide(signed(target, origin=origin)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "key", ["aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths", "aws:SourceVpcArn"]
)
def test_keys_of_endpoints_are_absent_from_the_internet(key: str) -> None:
    """Through an endpoint API Gateway is not among the services that AWS lists for them."""
    target = api(ALLOW, deny("Null", key, "true"), authorization=NONE, private=False)
    from_internet = signed(target, origin=INTERNET, caller=None)
    assert decide(from_internet).verdict is Verdict.REFUSED
    through = signed(api(ALLOW, deny("Null", key, "true"), authorization=NONE), caller=None)
    assert decide(through).verdict is Verdict.UNKNOWN


def test_facts_are_read_from_a_file() -> None:
    """As it says in the docstring."""
    facts = parse_facts(
        {
            "organizations": {ACCOUNT: {"id": "o-1", "path": "o-1/r-1/"}, "1": "none"},
            "keys": {"aws:MultiFactorAuthPresent": True, "aws:Referer": []},
            "accounts-at-endpoints": True,
        }
    )
    assert facts.organizations == {
        ACCOUNT: Organization("o-1", "o-1/r-1/"),
        "1": Organization(None),
    }
    assert facts.keys == {"aws:multifactorauthpresent": ("true",), "aws:referer": ()}
    assert facts.holds == {ACCOUNT_AT_ENDPOINT: True}
    assert parse_facts({}) == Facts()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"organisations": {}},
        {"organizations": []},
        {"organizations": {"1": "some"}},
        {"organizations": {"1": {"path": "o-1/"}}},
        {"keys": "x"},
        {"keys": {"aws:x": {"y": 1}}},
        {"accounts-at-endpoints": "yes"},
    ],
)
def test_facts_that_are_not_understood_are_refused(document: object) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=r"organizations|keys|accounts|organization|values"):
        parse_facts(document)
