"""The contract: sentences that the matrix keeps to or breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Authorization, Source, Verdict
from backstairs.report.check import Breach, Broken, check
from backstairs.report.contract import ContractError, read_contract
from backstairs.report.formats import check_text, markdown
from backstairs.report.matrix import matrix_of
from backstairs.template.model import NotRead, OtherWay
from tests.report.built import (
    FILE,
    ONLY_ENDPOINT,
    api,
    application,
    everybody,
    grant,
    policy,
    role,
)

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.report.matrix import Matrix
    from backstairs.template.model import Application

RULES = """
rules:
  - NotifierFunction may GET /members/{memberId} of ClaimsApi from Endpoint
  - everybody but another account may GET /claim-types of ReferenceApi from Endpoint
"""


def checked(text: str, folder: Path, **changes: Any) -> tuple[Matrix, list[Broken]]:
    """A variant of the application against a contract."""
    path = folder / "access.yaml"
    path.write_text(text)
    contract = read_contract(path)
    matrix = matrix_of(application(**changes), also=contract.named)
    return matrix, check(matrix, contract)


def test_an_application_keeps_to_its_contract(tmp_path: Path) -> None:
    """Two sentences say all."""
    matrix, broken = checked(RULES, tmp_path)
    assert broken == []
    assert check_text.render(broken, matrix, "access.yaml") == (
        "template.yaml keeps to access.yaml: 60 calls decided.\n"
    )


def test_what_no_rule_says_is_a_breach_with_its_reason_and_a_call(tmp_path: Path) -> None:
    """The trap: an Allow for everybody on the API by grant."""
    allows = policy("ClaimsApi's resource policy", everybody("Allow"), ONLY_ENDPOINT, api=True)
    routes = [("GET", "/members/{memberId}")]
    apis = (api("ClaimsApi", routes, allows=allows), application().apis[1])
    matrix, broken = checked(RULES, tmp_path, apis=apis)
    assert [one.breach for one in broken] == [Breach.OPENED]
    assert check_text.render(broken, matrix, "access.yaml") == (
        """\
template.yaml breaks access.yaml.

What may be made, and no rule says so:
  ClaimsFunction and anybody in this account may GET /members/{memberId} of
      ClaimsApi from Endpoint
      Allow statement 1 of ClaimsApi's resource policy matches (template.yaml:1)
      curl --aws-sigv4 aws:amz:us-east-1:execute-api --user "$KEY_ID:$SECRET" \
--header "x-amz-security-token: $TOKEN" \
'https://claimsapi-vpce-0a1b2c.execute-api.us-east-1.amazonaws.com/dev/members/~any'
"""
    )
    assert "- ClaimsFunction and anybody in this account may GET" in (
        markdown.render_check(broken, matrix, "access.yaml")
    )


def test_a_rule_that_does_not_come_true_is_a_breach(tmp_path: Path) -> None:
    """A grant that is gone breaks the contract too."""
    broken = checked(RULES, tmp_path, principals=(role("NotifierFunction"),))[1]
    (closed,) = broken
    assert closed.breach is Breach.CLOSED
    assert {cell.caller.name for cell in closed.cells} == {"NotifierFunction"}


def test_one_members_path_can_be_a_rule(tmp_path: Path) -> None:
    """Whether or not a policy names that path."""
    rule = "  - AuditFunction may GET /members/m-1 of ClaimsApi from Endpoint\n"
    narrow = (*application().principals, role("AuditFunction", grant("*/dev/GET/members/m-1")))
    assert checked(RULES + rule, tmp_path, principals=narrow)[1] == []
    wide = (*application().principals, role("AuditFunction", grant("*/dev/GET/members/*")))
    (opened,) = checked(RULES + rule, tmp_path, principals=wide)[1]
    assert {cell.question.label for cell in opened.cells} == {"GET /members/{memberId}"}


@pytest.mark.parametrize(
    "rule",
    [
        "NotifierFunction and AuditFunction may GET /claims/{memberId} of ClaimsApi from Endpoint",
        "AuditFunctionRole may GET and POST /claims/{memberId} of ClaimsApi from Endpoint",
        "AuditFunction may call every route of ClaimsApi from Endpoint",
        "everybody but anonymous may call every route of ClaimsApi from Endpoint",
    ],
)
def test_what_a_sentence_covers(rule: str, tmp_path: Path) -> None:
    """Several callers, verbs, whole APIs, all but some; a role by its own name."""
    path = tmp_path / "access.yaml"
    path.write_text(f"rules:\n  - {rule}\n")
    (read,) = read_contract(path).rules
    people = (*application().principals, role("AuditFunction"))
    asked = matrix_of(application(principals=people)).cells
    (one,) = (
        cell
        for cell in asked
        if (cell.caller.name, cell.question.label, cell.entrance.name)
        == ("AuditFunction", "GET /claims/{memberId}", "Endpoint")
    )
    assert read.covers(one)
    strangers = [cell for cell in asked if cell.caller.name == "anonymous"]
    assert not any(read.covers(cell) for cell in strangers)


def lambda_authorizer() -> Application:
    """An API whose authorizer is code: nobody can tell."""
    own = api(
        "HooksApi",
        [("POST", "/hooks")],
        allows=None,
        authorization=Authorization.CUSTOM,
        private=False,
    )
    return application(apis=(own,))


def test_what_cannot_be_decided_breaks_the_contract_unless_it_is_accepted(tmp_path: Path) -> None:
    """With a reason, for exactly these calls."""
    apis = lambda_authorizer().apis
    matrix, broken = checked("rules: []", tmp_path, apis=apis)
    assert [one.breach for one in broken] == [Breach.UNKNOWN]
    assert {cell.verdict for cell in broken[0].cells} == {Verdict.UNKNOWN}
    assert "authorization CUSTOM is not modelled" in check_text.render(broken, matrix, "c")
    accepted = """
accepted:
  - what: everybody may POST /hooks of HooksApi from the internet
    because: the authorizer looks up who sends it
"""
    assert checked(accepted, tmp_path, apis=apis)[1] == []


def test_accepting_what_is_unknown_admits_nobody(tmp_path: Path) -> None:
    """An open route stays a breach."""
    accepted = """
accepted:
  - what: everybody may GET /claim-types of ReferenceApi from Endpoint
    because: whatever
"""
    broken = checked(accepted, tmp_path, apis=application().apis[1:])[1]
    assert [one.breach for one in broken] == [Breach.OPENED]


def test_another_way_in_and_a_part_not_read_break_it_unless_accepted(tmp_path: Path) -> None:
    """By their names."""
    besides: dict[str, Any] = {
        "other_ways": (OtherWay("HooksUrl", "function URL", None, "anybody", Source(FILE, 90)),),
        "not_read": (NotRead("Odd", "Fn::Transform", Source(FILE, 95)),),
    }
    matrix, broken = checked(RULES, tmp_path, **besides)
    assert [one.breach for one in broken] == [Breach.OTHER_WAY, Breach.NOT_READ]
    assert "HooksUrl: function URL: anybody (template.yaml:90)" in check_text.render(
        broken, matrix, "c"
    )
    accepted = """
accepted:
  - {what: HooksUrl, because: the function checks a signature}
  - {what: Odd, because: it declares a table}
"""
    assert checked(RULES + accepted, tmp_path, **besides)[1] == []


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("Nobody may GET /members/{memberId} of ClaimsApi from Endpoint", "caller Nobody"),
        ("NotifierFunction may GET /nothing of ClaimsApi from Endpoint", "no such route"),
        ("NotifierFunction may GET /members/{memberId} of NoApi from Endpoint", "no API NoApi"),
        ("NotifierFunction may GET /members/{memberId} of ClaimsApi from Mars", "called Mars"),
    ],
)
def test_a_rule_about_nothing_is_a_breach(line: str, missing: str, tmp_path: Path) -> None:
    """Or a misspelt name would hide what is meant; it says on which line."""
    (broken,) = checked(f"{RULES}  - {line}\n", tmp_path)[1]
    assert broken.breach is Breach.NOTHING
    assert missing in broken.text
    assert broken.source == Source(str(tmp_path / "access.yaml"), 5)


def test_a_name_of_two_ways_accepts_neither(tmp_path: Path) -> None:
    """What was accepted of a role is not what it may do besides; the contract says which."""
    ways = (
        OtherWay("Role", "sts:AssumeRole", None, "another account may", Source(FILE, 8)),
        OtherWay("Role", "lambda:InvokeFunction", "F", "it may", Source(FILE, 9)),
    )
    text = RULES + "accepted: [{what: Role, because: known}]"
    assert checked(text, tmp_path, other_ways=ways[:1])[1] == []
    assert len(checked(text, tmp_path, other_ways=ways)[1]) == 2
    text = RULES + 'accepted: [{what: "Role: sts:AssumeRole", because: known}]'
    (broken,) = checked(text, tmp_path, other_ways=ways)[1]
    assert broken.text == "Role: lambda:InvokeFunction: it may"


def test_an_acceptance_of_nothing_is_a_breach(tmp_path: Path) -> None:
    """What was once accepted does not wait for a namesake."""
    (broken,) = checked(RULES + "accepted: [{what: Gone, because: it was}]", tmp_path)[1]
    assert (broken.breach, broken.text) == (
        Breach.NOTHING,
        "Gone: there is no such way and no such part",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [Somebody can do something]", ":1: not a rule: Somebody can do something"),
        ("rules: yes", ":1: a list is expected"),
        ("allow: []", ":1: allow is none of accepted, rules"),
        ("[]", "are expected in a mapping"),
        ("rules: [{a: b}]", ":1: a sentence is expected"),
        ("accepted: [{what: Odd}]", ":1: what is accepted has `what` and `because`"),
        ("rules: [", "is not YAML"),
    ],
)
def test_a_contract_that_cannot_be_read_says_where(text: str, problem: str, tmp_path: Path) -> None:
    """And what is wrong."""
    with pytest.raises(ContractError) as raised:
        checked(text, tmp_path)
    assert problem in str(raised.value)


def test_a_closed_api_is_named_with_the_rule_that_it_breaks(tmp_path: Path) -> None:
    """Of both APIs' policies one Deny too many."""
    closed = policy("ClaimsApi's resource policy", ONLY_ENDPOINT, everybody("Deny"), api=True)
    routes = [("GET", "/members/{memberId}")]
    apis = (api("ClaimsApi", routes, allows=closed), application().apis[1])
    matrix, broken = checked(RULES, tmp_path, apis=apis)
    assert [one.breach for one in broken] == [Breach.CLOSED]
    assert "NotifierFunction may not GET /members/{memberId}" in check_text.render(
        broken, matrix, "access.yaml"
    )
