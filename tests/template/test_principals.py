"""Who a template's callers are, and what each of them holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Origin,
    Policy,
    Principal,
    Route,
    Unresolved,
    Verdict,
    decide,
    parse_policy,
)
from backstairs.template.application import ACCOUNT, REGION, read_application
from backstairs.template.managed_policies import NOT_TOUCHING, TOUCHING, managed_document
from tests.template.reading import line, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.template.model import DeclaredPrincipal

ROOT = Path(__file__).parents[2]
ROUTE = Route("GET", "/members/{memberId}", Authorization.AWS_IAM, None)
API = Api("a1", "Api", "dev", REGION, ACCOUNT, private=False, policy=None, routes=(ROUTE,))

TRUST = """
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
"""
ROLE = f"""
Resources:
  Caller:
    Type: AWS::IAM::Role
    Properties:
{TRUST}
"""
ALLOW = "Effect: Allow, Action: execute-api:Invoke"
GRANT = f"{{Statement: [{{{ALLOW}, Resource: 'arn:aws:execute-api:*:*:*/dev/GET/*'}}]}}"


def principals(
    text: str, parameters: Mapping[str, str] | None = None
) -> dict[str, DeclaredPrincipal]:
    """The principals of a template, by name."""
    return {one.name: one for one in read(text, parameters).principals}


def verdict(principal: Principal) -> Verdict:
    """Whether a principal gets an answer from a route that asks for IAM."""
    origin = Origin("internet")
    return decide(Call(origin, "GET", "/members/m-1", API, ROUTE, principal)).verdict


def names(policies: tuple[Policy, ...]) -> list[str]:
    return [policy.name for policy in policies]


def test_the_role_that_sam_makes_is_a_principal_with_the_functions_policies() -> None:
    """It signs as Lambda's session of it, which has the function's name."""
    found = principals(f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Claims:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "-"
      Handler: index.handler
      Runtime: python3.13
      FunctionName: claims
      Policies:
        - AWSLambdaRole
        - SQSPollerPolicy: {{QueueName: work}}
        - {GRANT}
""")
    role = found["ClaimsRole"]
    assert role.functions == ("Claims",)
    assert role.trusted == ("lambda.amazonaws.com",)
    name = role.principal.principal_arn.removeprefix(f"arn:aws:iam::{ACCOUNT}:role/")
    assert name.startswith("stack-ClaimsRole-")
    assert role.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/claims"
    assert role.principal.tags == {"lambda:createdBy": "SAM"}
    assert set(names(role.principal.policies)) == {
        "ClaimsRole's managed policy AWSLambdaBasicExecutionRole",
        "ClaimsRole's managed policy AWSLambdaRole",
        "ClaimsRole's policy ClaimsRolePolicy1",
        "ClaimsRole's policy ClaimsRolePolicy2",
    }
    assert verdict(role.principal) is Verdict.ALLOWED


def test_statements_know_where_they_are_written() -> None:
    """Each by its place in the policy."""
    text = f"""{ROLE}
      Policies:
        - PolicyName: First
          PolicyDocument:
            Statement:
              - {{Effect: Allow, Action: s3:GetObject, Resource: "*"}}
              - {{Effect: Deny, Action: execute-api:Invoke, Resource: "*"}}
"""
    role = principals(text)["Caller"]
    (policy,) = role.principal.policies
    assert policy.name == "Caller's policy First"
    assert [line(text, one.source)[:15] for one in policy.statements] == [
        "- {Effect: Allo",
        "- {Effect: Deny",
    ]
    assert line(text, role.source) == "Caller:"


@pytest.mark.parametrize(
    ("kind", "attached", "name"),
    [
        ("Policy", "PolicyName: grant\n      Roles: [!Ref Caller]", "policy"),
        ("ManagedPolicy", "Roles: [!Ref Caller]", "managed policy"),
        ("RolePolicy", "PolicyName: grant\n      RoleName: !Ref Caller", "policy"),
    ],
)
def test_a_policy_attached_from_its_side_is_the_roles(kind: str, attached: str, name: str) -> None:
    """By a list of roles or by one name."""
    text = f"""{ROLE}
  Grant:
    Type: AWS::IAM::{kind}
    Properties:
      {attached}
      PolicyDocument: {GRANT}
"""
    role = principals(text)["Caller"].principal
    assert names(role.policies) == [f"Caller's {name} Grant"]
    assert verdict(role) is Verdict.ALLOWED


def test_a_managed_policy_attached_from_both_sides_counts_once() -> None:
    """The role names it, and it names the role."""
    text = f"""{ROLE}
      RoleName: caller
      ManagedPolicyArns: [!Ref Grant]
  Grant:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [caller]
      PolicyDocument: {GRANT}
"""
    role = principals(text)["Caller"].principal
    assert names(role.policies) == ["Caller's managed policy Grant"]
    assert verdict(role) is Verdict.ALLOWED


USERS = f"""
Resources:
  Ops:
    Type: AWS::IAM::User
    Properties:
      UserName: ops
      Path: /people/
      MEMBERSHIP
  Readers:
    Type: AWS::IAM::Group
    Properties:
      Policies:
        - PolicyName: read
          PolicyDocument: {GRANT}
"""


@pytest.mark.parametrize(
    "text",
    [
        USERS.replace("MEMBERSHIP", "Groups: [!Ref Readers]"),
        USERS.replace("MEMBERSHIP", "")
        + """
  Addition:
    Type: AWS::IAM::UserToGroupAddition
    Properties: {GroupName: !Ref Readers, Users: [ops]}
""",
    ],
)
def test_a_user_holds_what_its_groups_hold(text: str) -> None:
    """The user says its groups, or a resource of its own does."""
    user = principals(text)["Ops"].principal
    assert user.arn == user.principal_arn == f"arn:aws:iam::{ACCOUNT}:user/people/ops"
    assert user.kind == "User"
    assert names(user.policies) == ["Readers's policy read"]
    assert verdict(user) is Verdict.ALLOWED


def test_a_group_is_no_principal_and_an_unknown_group_leaves_its_user_unknown() -> None:
    """What a group of another stack allows or denies nobody here can say."""
    found = principals(USERS.replace("MEMBERSHIP", "Groups: [elsewhere]"))
    assert list(found) == ["Ops"]
    assert names(found["Ops"].principal.policies) == ["what else elsewhere holds"]
    assert verdict(found["Ops"].principal) is Verdict.UNKNOWN


def test_a_policy_for_a_role_elsewhere_makes_it_a_principal_with_more_than_is_known() -> None:
    """The grant is seen, and so is that it is not all of it."""
    (role,) = principals(f"""
Resources:
  Grant:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: grant
      Roles: [deployed-elsewhere]
      PolicyDocument: {GRANT}
""").values()
    assert role.principal.principal_arn == f"arn:aws:iam::{ACCOUNT}:role/deployed-elsewhere"
    assert names(role.principal.policies) == [
        "deployed-elsewhere's policy Grant",
        "what else deployed-elsewhere holds",
    ]
    assert role.source.line == 7
    assert verdict(role.principal) is Verdict.UNKNOWN


def test_a_role_elsewhere_may_be_named_like_a_resource_here() -> None:
    """A resource's name is not its role's: the grant is not this role's."""
    here, elsewhere = read(f"""{ROLE}
      RoleName: other
  Grant:
    Type: AWS::IAM::Policy
    Properties: {{PolicyName: grant, Roles: [Caller], PolicyDocument: {GRANT}}}
""").principals
    assert here.principal.policies == ()
    assert elsewhere.principal.principal_arn == f"arn:aws:iam::{ACCOUNT}:role/Caller"
    assert verdict(elsewhere.principal) is Verdict.UNKNOWN


def test_a_function_with_a_role_from_elsewhere_runs_as_one_that_is_not_known() -> None:
    """Given as a parameter, with its path."""
    text = """
Parameters:
  RoleArn: {Type: String}
Resources:
  Claims:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: read, Role: !Ref RoleArn, Code: {ZipFile: "-"}}
"""
    arn = f"arn:aws:iam::{ACCOUNT}:role/app/claims"
    (role,) = principals(text, {"RoleArn": arn}).values()
    assert (role.name, role.functions) == ("claims", ("Claims",))
    assert role.principal.principal_arn == arn
    assert role.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/claims/read"
    assert verdict(role.principal) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess", Verdict.ALLOWED),
        ("arn:aws:iam::aws:policy/AdministratorAccess", Verdict.ALLOWED),
        ("arn:aws:iam::aws:policy/PowerUserAccess", Verdict.ALLOWED),
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaRole", Verdict.REFUSED),
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", Verdict.REFUSED),
        ("arn:aws:iam::aws:policy/AWSDenyAll", Verdict.REFUSED),
        ("arn:aws:iam::aws:policy/AWSOfTomorrow", Verdict.UNKNOWN),
        ("arn:aws-cn:iam::aws:policy/AdministratorAccess", Verdict.UNKNOWN),
        ("arn:aws:iam::123456789012:policy/ours", Verdict.UNKNOWN),
        ("AWSOfTomorrow", Verdict.UNKNOWN),
    ],
)
def test_a_policy_of_awss_counts_by_the_table_or_is_unknown(arn: str, expected: Verdict) -> None:
    """By name; what the table does not have is not taken for harmless."""
    role = principals(f"{ROLE}\n      ManagedPolicyArns: ['{arn}']\n")["Caller"].principal
    assert names(role.policies) == [f"Caller's managed policy {arn.rpartition('/')[2]}"]
    assert verdict(role) is expected


def test_the_table_of_awss_policies_is_read_without_a_problem() -> None:
    """What touches APIs or functions has statements that are understood; the rest has none."""
    assert not TOUCHING.keys() & NOT_TOUCHING
    for name in TOUCHING:
        document = managed_document(f"arn:aws:iam::aws:policy/{name}")
        statements = parse_policy(name, document).statements
        assert statements
        assert {statement.problem for statement in statements} == {None}, name
    for name in NOT_TOUCHING:
        assert managed_document(f"arn:aws:iam::aws:policy/service-role/{name}") is None


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", Verdict.ALLOWED),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", Verdict.REFUSED),
        ("arn:aws:iam::123456789012:policy/bounds", Verdict.UNKNOWN),
        ("!Ref Grant", Verdict.ALLOWED),
        ('!ImportValue "bounds"', Verdict.UNKNOWN),
    ],
)
def test_a_permissions_boundary_must_allow_as_well(boundary: str, expected: Verdict) -> None:
    """It is the template's, AWS's, or not known."""
    text = f"""{ROLE}
      ManagedPolicyArns: [!Ref Grant]
      PermissionsBoundary: {boundary}
  Grant:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {GRANT}
"""
    assert verdict(principals(text)["Caller"].principal) is expected


def test_a_managed_policy_that_is_not_in_the_template_can_be_given() -> None:
    """By its ARN, as a policy or as a boundary, AWS's own among them."""
    arn, elsewhere = "arn:aws:iam::123456789012:policy/bounds", "arn:aws:iam::aws:policy/New"
    text = f"""{ROLE}
      ManagedPolicyArns: ['{elsewhere}']
      PermissionsBoundary: {arn}
"""
    document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    (role,) = read(text, policies={arn: document, elsewhere: document}).principals
    assert verdict(role.principal) is Verdict.ALLOWED
    (half,) = read(text, policies={elsewhere: document}).principals
    assert verdict(half.principal) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "held",
    [
        "ManagedPolicyArns: !ImportValue policies",
        "ManagedPolicyArns: [!ImportValue policy]",
        "Policies: !ImportValue policies",
        "Policies: [!ImportValue policy]",
        "Policies: [{PolicyName: x, PolicyDocument: !ImportValue policy}]",
        "Policies: [{PolicyName: x, PolicyDocument: {Statement: !ImportValue policy}}]",
        "Policies: [{PolicyName: x}]",
    ],
)
def test_what_cannot_be_resolved_is_a_policy_that_is_not_known(held: str) -> None:
    """At whatever depth it stands."""
    role = principals(f"{ROLE}\n      {held}\n")["Caller"].principal
    assert len(role.policies) == 1
    assert verdict(role) is Verdict.UNKNOWN


def test_a_document_may_be_json_as_text() -> None:
    """CloudFormation takes it for what it says."""
    text = f"""{ROLE}
      Policies:
        - PolicyName: text
          PolicyDocument: >-
            {{"Statement":
            {{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}}}}
"""
    assert verdict(principals(text)["Caller"].principal) is Verdict.ALLOWED


def test_a_policy_that_may_not_exist_leaves_its_role_unknown() -> None:
    """Its condition depends on what is not known."""
    text = f"""
Conditions:
  Granted: !Equals [!ImportValue granted, "true"]
{ROLE}
  Grant:
    Type: AWS::IAM::Policy
    Condition: Granted
    Properties:
      PolicyName: grant
      Roles: [!Ref Caller]
      PolicyDocument: {GRANT}
"""
    role = principals(text)["Caller"].principal
    assert verdict(role) is Verdict.UNKNOWN
    assert "whether Grant exists is not known" in role.policies[0].statements[0].doubt


def test_tags_are_the_principals() -> None:
    """One that is not known is not taken for absent."""
    text = ROLE + "\n      Tags: [{Key: team, Value: claims}, {Key: cost, Value: !ImportValue c}]\n"
    role = principals(text)["Caller"].principal
    assert role.tags == {"team": "claims", "cost": Unresolved("import of c")}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("[]", Verdict.REFUSED),
        ("[{Key: team, Value: claims}]", Verdict.ALLOWED),
        ("[{Key: team, Value: !ImportValue team}]", Verdict.UNKNOWN),
        ("[{Key: !ImportValue key, Value: claims}]", Verdict.UNKNOWN),
        ("!ImportValue tags", Verdict.UNKNOWN),
    ],
)
def test_a_grant_may_hang_on_a_tag(tags: str, expected: Verdict) -> None:
    """Known, absent, or not known."""
    text = f"""{ROLE}
      Tags: {tags}
      Policies:
        - PolicyName: tagged
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: execute-api:Invoke
                Resource: "*"
                Condition: {{StringEquals: {{"aws:PrincipalTag/team": claims}}}}
"""
    assert verdict(principals(text)["Caller"].principal) is expected


def test_who_may_assume_a_role_is_named() -> None:
    """Services, accounts by their number, and what is not known."""
    role = principals("""
Resources:
  Caller:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal:
              Service: [lambda.amazonaws.com, ec2.amazonaws.com]
              AWS: [!Ref AWS::AccountId, "arn:aws:iam::210987654321:root"]
            Action: sts:AssumeRole
          - {Effect: Allow, Principal: {AWS: !ImportValue who}, Action: sts:AssumeRole}
          - {Effect: Deny, Principal: "*", Action: sts:AssumeRole}
""")["Caller"]
    assert role.trusted == (
        "lambda.amazonaws.com",
        "ec2.amazonaws.com",
        ACCOUNT,
        "210987654321",
        "<import of who>",
    )


def test_the_applications_own_callers_are_read_without_a_doubt() -> None:
    """Of no policy it is unknown what it says."""
    application = read_application(ROOT / "template.yaml")
    found = {one.name: one for one in application.principals}
    notifier = found["NotifierFunctionRole"]
    assert notifier.functions == ("NotifierFunction",)
    assert names(notifier.principal.policies)[0] == (
        "NotifierFunctionRole's policy NotifierFunctionRolePolicy0"
    )
    held = [
        (policy.name, statement.doubt)
        for one in found.values()
        for policy in (*one.principal.policies, *one.principal.limits)
        for statement in policy.statements
        if statement.problem
    ]
    assert held == []
