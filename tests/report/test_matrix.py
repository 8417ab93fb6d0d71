"""The matrix: who and what is asked about, and what each is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backstairs.access import Authorization, Endpoint, Verdict
from backstairs.report.callers import granted
from backstairs.report.facts import Facts
from backstairs.report.matrix import Matrix, matrix_of
from tests.report.built import (
    ACCOUNT,
    CLAIMS_ROUTES,
    ONLY_ACCOUNT,
    ONLY_ENDPOINT,
    api,
    application,
    everybody,
    grant,
    policy,
    role,
)

if TYPE_CHECKING:
    from backstairs.access import Policy
    from backstairs.template.model import Application


def verdict(matrix: Matrix, caller: str, label: str, entrance: str) -> Verdict:
    """What one cell says."""
    (found,) = {
        cell.verdict
        for cell in matrix.cells
        if (cell.caller.name, cell.question.label, cell.entrance.name) == (caller, label, entrance)
    }
    return found


def admitted(matrix: Matrix) -> set[tuple[str, str, str]]:
    """Caller, request and way in of every call that may be made."""
    return {
        (cell.caller.name, cell.question.label, cell.entrance.name)
        for cell in matrix.cells
        if cell.verdict is Verdict.ALLOWED
    }


def test_a_grant_lets_in_its_holder_by_the_endpoint_and_nobody_else() -> None:
    """The API by grant: one cell of all."""
    claims = application(apis=application().apis[:1])
    assert admitted(matrix_of(claims)) == {
        ("NotifierFunction", "GET /members/{memberId}", "Endpoint")
    }


def test_the_network_lets_in_everybody_whom_the_endpoint_lets_through() -> None:
    """The API by network: a stranger's signature does not pass the endpoint's own policy."""
    reference = application(apis=application().apis[1:])
    callers = {caller for caller, _, _ in admitted(matrix_of(reference))}
    assert callers == {"ClaimsFunction", "NotifierFunction", "anybody in this account", "anonymous"}
    assert {entrance for _, _, entrance in admitted(matrix_of(reference))} == {"Endpoint"}


def test_every_cell_is_there() -> None:
    """No question, caller or entrance is left out."""
    matrix = matrix_of(application())
    expected = len(matrix.questions) * len(matrix.callers) * len(matrix.entrances)
    assert len(matrix.cells) == expected == 4 * 5 * 3
    assert all(cell.decision.reasons for cell in matrix.cells)


def with_claims_policy(*statements: dict[str, object]) -> Application:
    """The API by grant under another policy."""
    allows = policy("ClaimsApi's resource policy", *statements, api=True)
    return application(apis=(api("ClaimsApi", CLAIMS_ROUTES, allows=allows),))


def test_the_whitelist_trap_is_a_principal_without_a_grant() -> None:
    """SAM's whitelist on an API by grant admits anybody of the account who signs."""
    trap = matrix_of(with_claims_policy(everybody("Allow"), ONLY_ENDPOINT))
    assert verdict(trap, "anybody in this account", "POST /claims/{memberId}", "Endpoint") is (
        Verdict.ALLOWED
    )
    assert verdict(trap, "anonymous", "POST /claims/{memberId}", "Endpoint") is Verdict.REFUSED


def test_an_endpoint_that_a_policy_alone_names_is_asked_about() -> None:
    """It may let in by an endpoint of another template."""
    other = everybody("Deny", StringNotEquals={"aws:SourceVpce": ["vpce-0a1b2c", "vpce-0d"]})
    matrix = matrix_of(with_claims_policy(other, ONLY_ACCOUNT))
    assert ("NotifierFunction", "GET /members/{memberId}", "vpce-0d") in admitted(matrix)
    (entrance,) = (one for one in matrix.entrances if one.name == "vpce-0d")
    assert entrance.assumes == "it has AWS's default policy, which allows everything"


def test_which_vpc_an_undeclared_endpoint_is_in_is_not_known() -> None:
    """A condition on the VPC cannot be decided there, unless the facts say which it is."""
    statements = (
        everybody("Deny", StringNotEquals={"aws:SourceVpce": ["vpce-0a1b2c", "vpce-0d"]}),
        everybody("Deny", StringEquals={"aws:SourceVpc": "vpc-9"}),
    )
    call = ("NotifierFunction", "GET /members/{memberId}", "vpce-0d")
    assert verdict(matrix_of(with_claims_policy(*statements)), *call) is Verdict.UNKNOWN
    facts = Facts(endpoints={"vpce-0d": Endpoint("vpce-0d", "vpc-9")})
    assert verdict(matrix_of(with_claims_policy(*statements), facts), *call) is Verdict.REFUSED


def test_an_endpoint_of_a_vpc_that_a_policy_alone_names_is_asked_about() -> None:
    """`aws:SourceVpc` admits whatever endpoint is in it."""
    inside = everybody("Deny", StringNotEquals={"aws:SourceVpc": ["vpc-1", "vpc-9"]})
    matrix = matrix_of(with_claims_policy(inside, ONLY_ACCOUNT))
    entrances = {entrance for _, _, entrance in admitted(matrix)}
    assert entrances == {"Endpoint", "an endpoint of vpc-9"}


def test_an_account_that_a_policy_names_is_asked_about() -> None:
    """With all that it can grant its own principals."""
    partner = everybody("Allow") | {"Principal": {"AWS": "arn:aws:iam::210987654321:root"}}
    open_endpoint = application().endpoints[0]
    open_endpoint = replace(open_endpoint, endpoint=replace(open_endpoint.endpoint, policy=None))
    changed = replace(with_claims_policy(partner, ONLY_ENDPOINT), endpoints=(open_endpoint,))
    matrix = matrix_of(changed)
    callers = {caller for caller, label, _ in admitted(matrix) if label.startswith("POST")}
    assert callers == {"account 210987654321"}


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::210987654321:role/partner",
        "arn:aws:iam::210987654321:user/partner",
        "arn:aws:sts::210987654321:assumed-role/partner/one",
    ],
)
def test_a_principal_that_a_policy_names_is_asked_about(arn: str) -> None:
    """Of another account; nobody else of that account gets in."""
    partner = everybody("Allow") | {"Principal": {"AWS": arn}}
    open_endpoint = application().endpoints[0]
    open_endpoint = replace(open_endpoint, endpoint=replace(open_endpoint.endpoint, policy=None))
    changed = replace(with_claims_policy(partner, ONLY_ENDPOINT), endpoints=(open_endpoint,))
    callers = {
        caller for caller, label, _ in admitted(matrix_of(changed)) if label.startswith("POST")
    }
    assert callers == {arn}


def test_a_grant_for_one_members_path_is_a_question_of_its_own() -> None:
    """The route is closed to its holder, but for that path."""
    changed = application(principals=(role("AuditFunction", grant("*/dev/GET/members/m-1")),))
    assert {
        (caller, label) for caller, label, _ in admitted(matrix_of(changed)) if "members" in label
    } == {("AuditFunction", "GET /members/m-1")}


def test_a_verb_that_a_policy_names_is_a_question_of_its_own() -> None:
    """A route for any verb, a grant for one."""
    greedy = api("ClaimsApi", [("ANY", "/{proxy+}")], allows=policy("p", ONLY_ENDPOINT, api=True))
    changed = application(
        apis=(greedy,), principals=(role("AuditFunction", grant("*/dev/DELETE/*")),)
    )
    assert {label for _, label, _ in admitted(matrix_of(changed))} == {"DELETE /~any"}


def test_a_path_of_a_more_exact_route_is_not_asked_of_the_greedy_one() -> None:
    """API Gateway takes the exact one."""
    routes = [("GET", "/{proxy+}"), ("GET", "/members/{memberId}")]
    both = api("ClaimsApi", routes, allows=policy("p", ONLY_ENDPOINT, api=True))
    changed = application(
        apis=(both,), principals=(role("AuditFunction", grant("*/dev/GET/members/m-1")),)
    )
    labels = [question.label for question in matrix_of(changed).questions]
    assert labels == ["GET /{proxy+}", "GET /members/{memberId}", "GET /members/m-1"]


def public(allows: Policy | None, *, needs_key: bool = False) -> Application:
    """A public API without authorization."""
    one = api(
        "PublicApi",
        [("GET", "/")],
        allows=allows,
        authorization=Authorization.NONE,
        private=False,
        needs_key=needs_key,
    )
    return application(apis=(one,))


def test_an_api_keys_holder_gets_in_where_one_is_required() -> None:
    """And nobody without one."""
    matrix = matrix_of(public(None, needs_key=True))
    assert verdict(matrix, "a key holder", "GET /", "the internet") is Verdict.ALLOWED
    assert verdict(matrix, "anonymous", "GET /", "the internet") is Verdict.REFUSED


def test_a_range_of_addresses_is_an_origin_of_its_own() -> None:
    """Who calls from it gets in, who calls from elsewhere does not; an address of the facts too."""
    ranges = ["203.0.113.0/24", "192.0.2.0/28"]
    allows = policy("p", everybody("Allow", IpAddress={"aws:SourceIp": ranges}), api=True)
    facts = Facts(addresses={"office": "203.0.113.9"})
    matrix = matrix_of(public(allows), facts)
    entrances = {entrance for _, _, entrance in admitted(matrix)}
    assert entrances == {"203.0.113.0/24 by the internet", "office"}
    assert verdict(matrix, "anonymous", "GET /", "the internet") is Verdict.REFUSED


def test_a_principal_can_be_added() -> None:
    """As `--principal` does, with the policies it is given."""
    document = {"Statement": [grant("*/dev/POST/claims/*")]}
    more = {"partner": granted(ACCOUNT, [("partner.json", document)], "partner")}
    assert ("partner", "POST /claims/{memberId}", "Endpoint") in admitted(
        matrix_of(application(), more=more)
    )


def test_a_verb_of_a_method_of_its_own_is_not_asked_of_any() -> None:
    """API Gateway takes the method; ANY is for the others."""
    routes = [("ANY", "/members"), ("GET", "/members")]
    both = api("ClaimsApi", routes, allows=policy("p", ONLY_ENDPOINT, api=True))
    changed = application(
        apis=(both,), principals=(role("AuditFunction", grant("*/dev/GET/members")),)
    )
    labels = [question.label for question in matrix_of(changed).questions]
    assert labels == ["ANY /members", "GET /members"]
