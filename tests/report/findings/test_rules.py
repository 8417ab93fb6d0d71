"""Each rule finds what it is for, and nothing in what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backstairs.access import Known
from backstairs.report.findings import Severity, rule_modules
from tests.report.findings.reading import FIXTURES, found, ids, written

if TYPE_CHECKING:
    from pathlib import Path

RULES = {module.RULE.id: module.RULE for module in rule_modules()}

SELF = """\
      InlineCode: handler = None
      FunctionName: things
      Policies:
        - Statement:
            - Effect: Allow
              Action: lambda:InvokeFunction
              Resource: !Sub arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:things
"""
DENY = """
            - Effect: Deny
              Principal: "*"
              Action: execute-api:Invoke
              Resource: execute-api:/*
              Condition:
                {condition}
"""


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_finds_what_it_is_for(rule: str) -> None:
    """And no other rule finds anything there."""
    findings = found(FIXTURES / rule / "bad.yaml")
    assert ids(findings) == {rule}
    assert all(finding.name and finding.says for finding in findings)
    assert all(finding.source.file == "bad.yaml" for finding in findings)
    assert all(finding.source.line > 1 for finding in findings)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_is_content_with_what_is_right(rule: str) -> None:
    """As the neighbouring fixture shows it."""
    assert rule not in ids(found(FIXTURES / rule / "good.yaml"))


def test_every_rule_has_its_fixtures_and_every_fixture_its_rule() -> None:
    """One good and one bad for each; a module is named like its rule."""
    held = {f"{path.parent.name}/{path.name}" for path in FIXTURES.glob("*/*")}
    assert held == {f"{rule}/{kind}.yaml" for rule in RULES for kind in ("good", "bad")}
    names = {module.__name__.rpartition(".")[2] for module in rule_modules()}
    assert names == {rule.replace("-", "_") for rule in RULES}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_says_why_it_matters_what_mends_it_and_how_it_is_known(rule: str) -> None:
    """In sentences; a source can be opened, unless nobody vouches for the rule."""
    said = RULES[rule]
    assert all(text.endswith(".") for text in (said.why, said.mend))
    assert not said.title.endswith(".")
    assert said.source.startswith("https://") or said.known is Known.UNVERIFIED


@pytest.mark.parametrize(
    "condition",
    [
        'ArnNotLike: {aws:PrincipalArn: "arn:aws:iam::123456789012:role/Meant"}',
        "StringNotEquals: {aws:PrincipalTag/team: claims}",
    ],
)
def test_a_deny_by_who_signs_mends_the_whitelist(tmp_path: Path, condition: str) -> None:
    """Grants still do not decide, but not everybody gets in."""
    whitelist = "IntrinsicVpceWhitelist: [vpce-0123456789abcdef0]"
    statements = "\n          CustomStatements:" + DENY.format(condition=condition)
    path = written(tmp_path, "whitelist-trap", "bad", (whitelist, whitelist + statements))
    assert "whitelist-trap" not in ids(found(path))


def test_a_deny_of_other_accounts_does_not_mend_the_whitelist(tmp_path: Path) -> None:
    """Everybody of this one still gets in."""
    whitelist = "IntrinsicVpceWhitelist: [vpce-0123456789abcdef0]"
    condition = "StringNotEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}"
    statements = "\n          CustomStatements:" + DENY.format(condition=condition)
    path = written(tmp_path, "whitelist-trap", "bad", (whitelist, whitelist + statements))
    assert ids(found(path)) == {"whitelist-trap"}


def test_an_allow_for_the_account_is_no_trap(tmp_path: Path) -> None:
    """It leaves the choice to grants."""
    allow = """
            - Effect: Allow
              Principal: {AWS: !Ref AWS::AccountId}
              Action: execute-api:Invoke
              Resource: execute-api:/*
"""
    statements = "CustomStatements:"
    path = written(tmp_path, "whitelist-trap", "good", (statements, statements + allow))
    assert ids(found(path)) == set()


@pytest.mark.parametrize(
    "values",
    [
        "vpce-0123456789abcdef0",
        '["vpce-0123456789abcdef0,vpce-0fedcba9876543210"]',
        "[vpc-0123456789abcdef0]",
    ],
)
def test_a_list_that_is_none_is_found(tmp_path: Path, values: str) -> None:
    """A bare string, two values in one, another kind of value."""
    change = ('!Split [",", !Ref Endpoints]', values)
    assert ids(found(written(tmp_path, "list-corrupted", "bad", change))) == {"list-corrupted"}


def test_what_sam_is_handed_of_a_list_typed_parameter_is_not_known(tmp_path: Path) -> None:
    """So nothing is said of it; of one that Systems Manager keeps SAM sees the reference."""
    change = ('!Split [",", !Ref Endpoints]', "!Ref Endpoints")
    plain = ("{Type: String,", "{Type: CommaDelimitedList,")
    assert ids(found(written(tmp_path, "list-corrupted", "bad", change, plain))) == set()
    kept = ("{Type: String,", '{Type: "AWS::SSM::Parameter::Value<CommaDelimitedList>",')
    assert ids(found(written(tmp_path, "list-corrupted", "bad", change, kept))) == {
        "list-corrupted"
    }


def test_a_whitelist_that_hangs_on_a_parameter_is_not_taken_for_one_without_effect(
    tmp_path: Path,
) -> None:
    """SAM takes from SourceVpcWhitelist what begins as ids do; the parameter may."""
    change = ("IntrinsicVpceWhitelist: []", "SourceVpcWhitelist: [!Ref Endpoint]")
    given = ("Resources:\n", "Parameters: {Endpoint: {Type: String}}\nResources:\n")
    path = written(tmp_path, "whitelist-without-effect", "bad", change, given)
    assert "whitelist-without-effect" not in ids(found(path))


def test_a_private_api_that_any_grant_opens_from_anywhere_is_a_warning(tmp_path: Path) -> None:
    """Somebody still has to have granted it."""
    account = "Principal: {AWS: !Ref AWS::AccountId}"
    authorizer = ("      Auth:\n", "      Auth:\n        DefaultAuthorizer: AWS_IAM\n")
    invoke = ("        ResourcePolicy:", "        InvokeRole: NONE\n        ResourcePolicy:")
    path = written(tmp_path, "any-endpoint", "bad", ('Principal: "*"', account), authorizer, invoke)
    (finding,) = found(path)
    assert (finding.rule.id, finding.severity) == ("any-endpoint", Severity.WARNING)


def test_a_policy_over_its_quota_is_an_error(tmp_path: Path) -> None:
    """It cannot be deployed; near the quota is a warning."""
    (finding,) = found(FIXTURES / "policy-near-quota" / "bad.yaml")
    assert finding.severity is Severity.ERROR
    fewer = ("/collections/of-many-things/", "/")
    (finding,) = found(written(tmp_path, "policy-near-quota", "bad", fewer))
    assert finding.severity is Severity.WARNING


def test_a_grant_on_one_functions_versions_is_none_on_every_function(tmp_path: Path) -> None:
    """The star is the qualifier's; one for the function is every function."""
    of_one = ("!GetAtt Function.Arn", '!Sub "arn:aws:lambda:us-east-1:123456789012:function:a:*"')
    assert ids(found(written(tmp_path, "invoke-grant", "bad", of_one))) == set()
    alias = ("!GetAtt Function.Arn", '!Sub "arn:aws:lambda:*:*:function:*:SSM*"')
    assert ids(found(written(tmp_path, "invoke-grant", "bad", alias))) == set()
    of_all = ("!GetAtt Function.Arn", '!Sub "arn:aws:lambda:us-east-1:123456789012:function:*"')
    assert ids(found(written(tmp_path, "invoke-grant", "bad", of_all))) == {"invoke-grant"}
    everything = ("!GetAtt Function.Arn", '"*"')
    assert ids(found(written(tmp_path, "invoke-grant", "bad", everything))) == {"invoke-grant"}


def test_an_action_with_its_variants_is_no_wildcard(tmp_path: Path) -> None:
    """As SAM's policy templates write them; a verb with a star is one."""
    variants = ("dynamodb:*", "sqs:SendMessage*")
    assert ids(found(written(tmp_path, "wildcard-grant", "bad", variants))) == set()
    verb = ("dynamodb:*", '"dynamodb:Put*"')
    assert ids(found(written(tmp_path, "wildcard-grant", "bad", verb))) == {"wildcard-grant"}


def test_a_function_that_invokes_itself_gets_past_nobody(tmp_path: Path) -> None:
    """Though an API stands before it."""
    own = ("      InlineCode: handler = None\n      Events:", f"{SELF}      Events:")
    assert ids(found(written(tmp_path, "invoke-grant", "good", own))) == set()


def test_an_endpoint_that_is_imported_is_one_like_any_other(tmp_path: Path) -> None:
    """Its id is not known, and whoever comes through it gets in all the same."""
    imported = ("[vpce-0123456789abcdef0]", "[!ImportValue Endpoint]")
    assert "whitelist-trap" in ids(found(written(tmp_path, "whitelist-trap", "bad", imported)))
    denied = ("aws:SourceVpce: vpce-0123456789abcdef0", "aws:SourceVpce: !ImportValue Endpoint")
    assert "whitelist-trap" not in ids(found(written(tmp_path, "whitelist-trap", "good", denied)))


def test_an_allow_for_the_organisation_may_be_a_trap(tmp_path: Path) -> None:
    """Which principals are of it is not known here; those of the account most likely are."""
    allow = """
            - Effect: Allow
              Principal: "*"
              Action: execute-api:Invoke
              Resource: execute-api:/*
              Condition:
                StringEquals: {aws:PrincipalOrgID: o-0123456789}
"""
    statements = ("CustomStatements:", "CustomStatements:" + allow)
    (finding,) = found(written(tmp_path, "whitelist-trap", "good", statements))
    assert (finding.rule.id, finding.severity) == ("whitelist-trap", Severity.WARNING)
    assert "not known" in finding.says


def test_a_mend_whose_role_is_imported_is_one(tmp_path: Path) -> None:
    """Its ARN is not known, but a condition asks who signed."""
    whitelist = "IntrinsicVpceWhitelist: [vpce-0123456789abcdef0]"
    condition = "ArnNotEquals: {aws:PrincipalArn: !ImportValue Role}"
    statements = "\n          CustomStatements:" + DENY.format(condition=condition)
    path = written(tmp_path, "whitelist-trap", "bad", (whitelist, whitelist + statements))
    assert "whitelist-trap" not in ids(found(path))


def test_a_role_that_api_gateway_invokes_by_gets_past_nobody(tmp_path: Path) -> None:
    """The API's own way to its function; any other service's is another way."""
    role = """\
  InvokingRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: TRUSTED}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: invoke
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Function.Arn}
"""
    for trusted, expected in (
        ("apigateway.amazonaws.com", set()),
        ("states.amazonaws.com", {"invoke-grant"}),
    ):
        more = ("Resources:\n", "Resources:\n" + role.replace("TRUSTED", trusted))
        assert ids(found(written(tmp_path, "invoke-grant", "good", more))) == expected
