"""A contract is kept by every request that exists, or it says which one breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.report.beyond import beyond
from backstairs.report.check import Breach, Broken, check
from backstairs.report.contract import read_contract
from backstairs.report.formats import check_text, markdown
from backstairs.report.matrix import matrix_of
from backstairs.report.requests import FULL_GRANT, ROOT
from tests.report.built import (
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
    from pathlib import Path

RULES = """\
rules:
  - NotifierFunction may GET /members/{memberId} of ClaimsApi from Endpoint
  - everybody but another account may GET /claim-types of ReferenceApi from Endpoint
"""
READINGS = """\
accepted:
  - what: path-as-sent
    because: the functions refuse ids with slashes
"""


def checked(text: str, folder: Path, **changes: Any) -> tuple[list[Broken], str]:
    """How the contract is broken, and what is printed."""
    path = folder / "access.yaml"
    path.write_text(text, "utf-8")
    contract = read_contract(path)
    matrix = matrix_of(application(**changes), also=contract.named)
    more = beyond(matrix, contract)
    broken = check(matrix, contract, more)
    assert markdown.render_check(broken, matrix, "access.yaml")
    return broken, check_text.render(broken, matrix, "access.yaml", more)


def claims(*statements: dict[str, Any]) -> dict[str, Any]:
    """The application with more in its API's policy."""
    allows = policy("Api's policy", ONLY_ENDPOINT, ONLY_ACCOUNT, *statements, api=True)
    return {"apis": (api("ClaimsApi", CLAIMS_ROUTES, allows=allows), application().apis[1])}


def test_paths_that_may_be_read_otherwise_break_it_unless_accepted(tmp_path: Path) -> None:
    """Nobody says how AWS reads an escaped slash; the contract may say that this is known."""
    (broken,), printed = checked(RULES, tmp_path)
    assert broken.breach is Breach.UNKNOWN
    assert "NotifierFunction may or may not" in printed
    assert "%2F" in printed
    kept, printed = checked(RULES + READINGS, tmp_path)
    assert kept == []
    assert "that stand for" in printed


def test_whoever_has_a_tag_breaks_it(tmp_path: Path) -> None:
    """The matrix asks nobody with tags; the request that shows it says who."""
    tagged = everybody("Allow", StringEquals={"aws:PrincipalTag/team": "claims"})
    (broken,), printed = checked(RULES + READINGS, tmp_path, **claims(tagged))
    assert broken.breach is Breach.OPENED
    assert "anybody in this account (" in printed
    assert "tagged team=claims" in printed


def test_what_anybody_may_is_said_once(tmp_path: Path) -> None:
    """And not again of whoever is granted everything."""
    broken, printed = checked(RULES + READINGS, tmp_path, **claims(everybody("Allow")))
    assert [one.breach for one in broken] == [Breach.OPENED]
    assert "anybody in this account may" in printed
    assert FULL_GRANT not in printed
    assert ROOT not in printed


def test_a_grant_of_everything_is_no_pass_for_other_ways(tmp_path: Path) -> None:
    """By an endpoint that the contract opens to nobody, its holder is news too."""
    allows = policy("Api's policy", ONLY_ACCOUNT, api=True)
    apis = (api("ClaimsApi", CLAIMS_ROUTES, allows=allows), application().apis[1])
    (broken,), printed = checked(RULES + READINGS, tmp_path, apis=apis)
    assert broken.breach is Breach.OPENED
    assert f"{FULL_GRANT} may call every route" in " ".join(printed.split())


def test_one_path_more_breaks_it(tmp_path: Path) -> None:
    """A grant below a greedy route, by its stage and verb once more."""
    routes = [*CLAIMS_ROUTES, ("POST", "/files/{path+}")]
    allows = policy("Api's policy", ONLY_ENDPOINT, ONLY_ACCOUNT, api=True)
    apis = (api("ClaimsApi", routes, allows=allows), application().apis[1])
    (broken,), printed = checked(RULES + READINGS, tmp_path, apis=apis)
    assert broken.breach is Breach.OPENED
    assert "POST /files/dev/GET/members/" in printed


def test_a_rule_for_one_path_is_none_for_others(tmp_path: Path) -> None:
    """Who may read one member may read no other."""
    rule = "  - AuditFunction may GET /members/m-1 of ClaimsApi from Endpoint\n"
    principals = application().principals
    narrow = role("AuditFunction", grant("*/dev/GET/members/m-1"))
    kept, _ = checked(RULES + rule + READINGS, tmp_path, principals=(*principals, narrow))
    assert kept == []
    wide = role("AuditFunction", grant("*/dev/GET/members/m-1*"))
    (broken,), printed = checked(RULES + rule + READINGS, tmp_path, principals=(*principals, wide))
    assert broken.breach is Breach.OPENED
    assert "AuditFunction may GET /members/m-1" in printed


def test_what_is_left_out_breaks_it_unless_accepted(tmp_path: Path) -> None:
    """Values that strangers choose cannot be enumerated: the contract may say so."""
    own = everybody("Deny", "execute-api:/dev/GET/members/${aws:username}")
    found, printed = checked(RULES + READINGS, tmp_path, **claims(own))
    assert Breach.LEFT_OUT in {one.breach for one in found}
    assert "aws:username" in printed
    what = next(one.text for one in found if one.breach is Breach.LEFT_OUT)
    accepted = f'  - what: "{what}"\n    because: it is a Deny\n'
    found, _ = checked(RULES + READINGS + accepted, tmp_path, **claims(own))
    assert not {Breach.LEFT_OUT, Breach.NOTHING} & {one.breach for one in found}


ACCEPTED_IN_PART = """\
  - what: anybody in this account may GET /members/m-1 of ClaimsApi from Endpoint
    because: it is asked with a second factor
"""


def test_what_is_accepted_of_one_path_hides_no_other(tmp_path: Path) -> None:
    """Two teams have one name in the contract: the one may be unsure of a path, the other not."""

    def unsure(team: str, path: str) -> dict[str, Any]:
        is_so = {"aws:PrincipalTag/team": team}
        factor = {"aws:MultiFactorAuthPresent": "true"}
        resource = f"execute-api:/dev/GET/{path}"
        return everybody("Allow", resource, StringEquals=is_so, Bool=factor)

    text = RULES + READINGS + ACCEPTED_IN_PART
    one = unsure("audit", "members/m-1")
    assert checked(text, tmp_path, **claims(one))[0] == []
    (broken,), printed = checked(text, tmp_path, **claims(one, unsure("claims", "members/*")))
    assert broken.breach is Breach.UNKNOWN
    assert "tagged team=claims" in printed


def test_a_request_that_is_read_otherwise_can_be_accepted(tmp_path: Path) -> None:
    """Its words say what may be asked, and are no rule."""
    text = RULES + READINGS + '  - {what: "ClaimsApi: it may be asked for so", because: known}\n'
    (broken,) = checked(text, tmp_path)[0]
    assert broken.breach is Breach.NOTHING
    assert broken.text == "ClaimsApi: it may be asked for so: there is no such way and no such part"
