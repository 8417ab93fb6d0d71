"""Facts that a template does not say, as a file has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from backstairs.access import Organization, Verdict
from backstairs.report.facts import FactsError, read_facts
from backstairs.report.matrix import matrix_of
from tests.report.built import ONLY_ACCOUNT, api, application, everybody, policy

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.report.facts import Facts

FACTS = """\
account: 123456789012
region: eu-west-1
addresses: {office: 203.0.113.7}
endpoints:
  vpce-0d: {vpc: vpc-0e, policy: endpoint.json}
organizations:
  "123456789012": {id: o-a1b2c3d4e5}
policies:
  "arn:aws:iam::123456789012:policy/boundary": endpoint.json
"""


def written(folder: Path, text: str = FACTS) -> Facts:
    """Facts in a file, with the policy that they name beside it."""
    closed = everybody("Deny", "*")
    (folder / "endpoint.json").write_text(json.dumps({"Statement": [closed]}))
    path = folder / "facts.yaml"
    path.write_text(text)
    return read_facts(path)


def test_facts_are_read(tmp_path: Path) -> None:
    """Numbers are text; a policy is read from beside the file."""
    facts = written(tmp_path)
    assert (facts.account, facts.region) == ("123456789012", "eu-west-1")
    assert facts.addresses == {"office": "203.0.113.7"}
    endpoint = facts.endpoints["vpce-0d"]
    assert (endpoint.endpoint_id, endpoint.vpc_id) == ("vpce-0d", "vpc-0e")
    assert endpoint.policy is not None
    assert facts.policies == {
        "arn:aws:iam::123456789012:policy/boundary": {"Statement": [everybody("Deny", "*")]}
    }
    assert facts.of_calls is not None
    assert facts.of_calls.organizations == {"123456789012": Organization("o-a1b2c3d4e5")}


def test_an_endpoint_of_the_facts_is_a_way_in_under_its_own_policy(tmp_path: Path) -> None:
    """Not taken for one with AWS's default."""
    named = everybody("Deny", StringNotEquals={"aws:SourceVpce": ["vpce-0a1b2c", "vpce-0d"]})
    allows = policy("ClaimsApi's resource policy", named, ONLY_ACCOUNT, api=True)
    routes = [("GET", "/members/{memberId}")]
    opened = application(apis=(api("ClaimsApi", routes, allows=allows),))
    for facts, expected in ((None, Verdict.ALLOWED), (written(tmp_path), Verdict.REFUSED)):
        verdicts = {
            cell.verdict
            for cell in matrix_of(opened, facts).cells
            if (cell.caller.name, cell.entrance.name) == ("NotifierFunction", "vpce-0d")
        }
        assert verdicts == {expected}


def test_an_organisation_decides_what_is_unknown_without_it(tmp_path: Path) -> None:
    """A Deny for whoever is of another one."""
    theirs = everybody("Deny", StringNotEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"})
    allows = policy("ClaimsApi's resource policy", theirs, api=True)
    opened = application(apis=(api("ClaimsApi", [("GET", "/members/{id}")], allows=allows),))
    for facts, expected in ((None, Verdict.UNKNOWN), (written(tmp_path), Verdict.ALLOWED)):
        (verdict,) = {
            cell.verdict
            for cell in matrix_of(opened, facts).cells
            if (cell.caller.name, cell.entrance.name) == ("NotifierFunction", "Endpoint")
        }
        assert verdict is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("account: 42", "account: 42 is not twelve digits (write it in quotes)"),
        ("organisation: o-1", "organisation is none of account, accounts-at-endpoints, addresses"),
        ("addresses: {office: here}", "addresses: office: 'here' does not appear to be"),
        ("endpoints: {vpce-0d: {policy: a}}", "endpoints: vpce-0d: says vpc, and policy"),
        ("endpoints: {vpce-0d: {vpc: v, policy: none.json}}", "none.json: cannot be read"),
        ("endpoints: {vpce-0d: {vpc: v, policy: facts.yaml}}", "is no policy document"),
        ("organizations: {a: b}", "the organization of a is none, or an id and a path"),
        ("- a", "the file is not a mapping"),
        ("a: [", "is not YAML"),
    ],
)
def test_facts_that_cannot_be_read_say_what_is_wrong(
    text: str, problem: str, tmp_path: Path
) -> None:
    """And where."""
    with pytest.raises(FactsError) as raised:
        written(tmp_path, text)
    assert problem in str(raised.value)
