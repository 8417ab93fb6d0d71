"""stacks/deploy-role.yaml: what a workflow deploys one stack with, and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from tests.local.application import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.delivery.conftest import Typed

TEMPLATE = ROOT / "stacks" / "deploy-role.yaml"
STACK = "backstairs-dev"
ACCOUNT, REGION = "123456789012", "us-east-1"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"

# What CloudFormation does to make, change and delete a resource, and on what; {} is the name that
# it makes: stack, logical id, something random. Source: AWS's Service Authorization Reference.
WORK = {
    "AWS::ApiGateway::Account": ("apigateway", "PATCH", "/account"),
    "AWS::ApiGateway::Deployment": ("apigateway", "POST", "/restapis/a/deployments"),
    "AWS::ApiGateway::RestApi": (
        "apigateway",
        "POST PUT DELETE UpdateRestApiPolicy",
        "/restapis/a",
    ),
    "AWS::ApiGateway::Stage": ("apigateway", "PATCH", "/restapis/a/stages/dev"),
    "AWS::CloudFormation::Stack": (
        "cloudformation",
        "CreateStack UpdateStack DeleteStack",
        "stack/{}/1",
    ),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "PutMetricAlarm DeleteAlarms", "alarm:{}"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "PutDashboard DeleteDashboards", "dashboard/{}"),
    "AWS::CodeDeploy::Application": (
        "codedeploy",
        "CreateApplication DeleteApplication",
        "application:{}",
    ),
    "AWS::CodeDeploy::DeploymentGroup": (
        "codedeploy",
        "CreateDeploymentGroup CreateDeployment GetDeployment",
        "deploymentgroup:{}/{}",
    ),
    "AWS::DynamoDB::Table": (
        "dynamodb",
        "CreateTable UpdateTable DeleteTable UpdateTimeToLive UpdateContinuousBackups",
        "table/{}",
    ),
    "AWS::EC2::RouteTable": ("ec2", "CreateRouteTable DeleteRouteTable", "route-table/{}"),
    "AWS::EC2::SecurityGroup": (
        "ec2",
        "CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups",
        "security-group/{}",
    ),
    "AWS::EC2::SecurityGroupEgress": ("ec2", "AuthorizeSecurityGroupEgress", "*"),
    "AWS::EC2::SecurityGroupIngress": ("ec2", "AuthorizeSecurityGroupIngress", "*"),
    "AWS::EC2::Subnet": ("ec2", "CreateSubnet DeleteSubnet", "subnet/{}"),
    "AWS::EC2::SubnetRouteTableAssociation": (
        "ec2",
        "AssociateRouteTable DisassociateRouteTable",
        "*",
    ),
    "AWS::EC2::VPC": ("ec2", "CreateVpc ModifyVpcAttribute DeleteVpc", "vpc/{}"),
    "AWS::EC2::VPCEndpoint": (
        "ec2",
        "CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints",
        "vpc-endpoint/{}",
    ),
    "AWS::Events::Rule": ("events", "PutRule PutTargets RemoveTargets DeleteRule", "rule/{}"),
    "AWS::IAM::Role": (
        "iam",
        "CreateRole PutRolePolicy AttachRolePolicy DeleteRolePolicy DeleteRole PassRole",
        "role/{}",
    ),
    "AWS::Lambda::Alias": ("lambda", "CreateAlias UpdateAlias", "function:{}"),
    "AWS::Lambda::EventSourceMapping": (
        "lambda",
        "CreateEventSourceMapping DeleteEventSourceMapping",
        "*",
    ),
    "AWS::Lambda::Function": (
        "lambda",
        "CreateFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction GetFunction",
        "function:{}",
    ),
    "AWS::Lambda::LayerVersion": (
        "lambda",
        "PublishLayerVersion GetLayerVersion DeleteLayerVersion",
        "layer:SigningLayer:1",
    ),
    "AWS::Lambda::Permission": ("lambda", "AddPermission RemovePermission", "function:{}"),
    "AWS::Lambda::Version": ("lambda", "PublishVersion ListVersionsByFunction", "function:{}"),
    "AWS::Logs::LogGroup": (
        "logs",
        "CreateLogGroup PutRetentionPolicy DeleteLogGroup",
        "log-group:{}",
    ),
    "AWS::Logs::MetricFilter": ("logs", "PutMetricFilter", "log-group:{}"),
    "AWS::SQS::Queue": (
        "sqs",
        "CreateQueue SetQueueAttributes GetQueueAttributes DeleteQueue",
        "{}",
    ),
}
# Whatever the stack is made of, nobody who deploys it gets at data, or at other stacks.
BEYOND = [
    ("dynamodb:GetItem", f"dynamodb:::table/{STACK}-ClaimsTable-1"),
    ("dynamodb:DeleteTable", "dynamodb:::table/backstairs-prod-ClaimsTable-1"),
    ("sqs:ReceiveMessage", f"sqs:::{STACK}-UndeliveredQueue-1"),
    ("lambda:UpdateFunctionCode", "lambda:::function:backstairs-prod-ClaimsFunction-1"),
    ("logs:GetLogEvents", f"logs:::log-group:{STACK}-ClaimsLogGroup-1"),
    ("iam:CreateRole", "iam:::role/admin"),
    ("iam:PassRole", "iam:::role/admin"),
    ("iam:CreateUser", "iam:::user/somebody"),
    ("iam:PutRolePermissionsBoundary", f"iam:::role/{STACK}-Role-1"),
    ("iam:DeleteRolePermissionsBoundary", f"iam:::role/{STACK}-Role-1"),
    ("ec2:RunInstances", "ec2:::instance/i-1"),
    ("ec2:CreateInternetGateway", "ec2:::internet-gateway/igw-1"),
    ("lambda:InvokeFunction", f"lambda:::function:{STACK}-ClaimsFunction-1"),
    ("execute-api:Invoke", "execute-api:::a/dev/GET/members/m-1001"),
    ("s3:GetObject", "s3:::somebody-elses/key"),
]


def arn(short: str) -> str:
    """A whole ARN for `service:::rest`."""
    service, _, rest = short.partition(":::")
    if not rest:
        return short
    region = "" if service in {"iam", "s3"} or "dashboard/" in rest else REGION
    account = "" if service in {"s3", "apigateway"} else ACCOUNT
    return f"arn:aws:{service}:{region}:{account}:{rest}"


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it was deployed."""

    trust: Mapping[str, Any]
    statements: list[Mapping[str, Any]]

    def may(self, action: str, resource: str) -> bool:
        """Whether a statement allows it, conditions left aside."""
        return any(
            any(fnmatchcase(action.lower(), one.lower()) for one in _list(statement["Action"]))
            and any(fnmatchcase(resource, one) for one in _list(statement["Resource"]))
            for statement in self.statements
        )


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _without_provider() -> str:
    """The template for an account whose provider is there; the emulated one knows no such type."""
    text = TEMPLATE.read_text("utf-8")
    before, _, after = text.partition("  GitHubProvider:\n")
    after = "  DeploymentRole:\n" + after.partition("  DeploymentRole:\n")[2]
    provider = "!If [MakesProvider, !Ref GitHubProvider, !Ref GitHubProviderArn]"
    return (before + after).replace(provider, "!Ref GitHubProviderArn")


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack of the roles."""

    typed: Typed
    outputs: Mapping[str, str]

    def role(self, output: str) -> Role:
        """One of the two roles."""
        iam = self.typed.account.client("iam")
        name = self.outputs[output].rpartition("/")[2]
        policies = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        return Role(
            iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
            [statement for policy in policies for statement in policy["Statement"]],
        )

    def credentials(self) -> dict[str, str]:
        """The deployment role's, as GitHub's token would get them."""
        arn = self.outputs["DeploymentRoleArn"]
        # Instead of GitHub, which is not here to sign a token.
        root = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [root]}
        iam = self.typed.account.client("iam")
        name = arn.rpartition("/")[2]
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        sts = self.typed.account.client("sts")
        given = sts.assume_role(RoleArn=arn, RoleSessionName="workflow")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def deploy(self, *words: str) -> tuple[int, str]:
        """What the workflow's last step runs."""
        given = ["--role-arn", self.outputs["ExecutionRoleArn"], "--no-resolve-s3"]
        given += ["--s3-bucket", self.outputs["PackagesBucketName"]]
        ran = self.typed.sam(
            "deploy", "--config-env", "dev", *given, *words, who=self.credentials()
        )
        return ran.status, ran.output


@pytest.fixture(scope="module")
def roles(typed: Typed) -> Deployed:
    """The roles for the environment dev."""
    (typed.root / "deploy-role.yaml").write_text(_without_provider(), "utf-8")
    parameters = [
        "Repository=somebody@123456/backstairs@456789",
        "EnvironmentName=dev",
        f"ApplicationStackName={STACK}",
        f"GitHubProviderArn={PROVIDER}",
        f"PermissionsBoundaryArn={BOUNDARY}",
    ]
    given = ["-t", "deploy-role.yaml", "--stack-name", "deploy-dev"]
    given += ["--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *parameters]
    ran = typed.sam("deploy", *given)
    assert ran.status == 0, ran.output
    deployed = Deployed(typed, typed.account.outputs("deploy-dev"))
    bucket = deployed.outputs["PackagesBucketName"]
    # The account here speaks no TLS, which the bucket insists on.
    typed.account.client("s3").delete_bucket_policy(Bucket=bucket)
    return deployed


def test_one_environment_of_one_repository_is_trusted(roles: Deployed) -> None:
    """Neither a pull request, nor a fork, nor another environment gets the role."""
    (statement,) = roles.role("DeploymentRoleArn").trust["Statement"]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    host = "token.actions.githubusercontent.com"
    assert statement["Condition"] == {
        "StringEquals": {
            f"{host}:aud": "sts.amazonaws.com",
            f"{host}:sub": "repo:somebody@123456/backstairs@456789:environment:dev",
        }
    }


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("somebody@123456/backstairs@456789", True),
        ("somebody/backstairs", True),
        ("somebody@123456/backstairs", False),
        ("somebody/backstairs@456789", False),
        ("somebody@123456/*", False),
        ("somebody", False),
    ],
)
def test_a_repository_is_named_as_its_tokens_name_it(name: str, *, taken: bool) -> None:
    """With both ids, or as an old one without; never half, and never with a wildcard."""
    pattern = load(TEMPLATE)["Parameters"]["Repository"]["AllowedPattern"]
    assert bool(re.fullmatch(str(pattern), name)) is taken


def test_the_deployment_role_deploys_its_stack_and_no_other(roles: Deployed) -> None:
    """With the account asking for a permission at every call that `sam deploy` makes."""
    roles.typed.build("dev")
    status, output = roles.deploy()
    assert status == 0, output
    assert f"Successfully created/updated stack - {STACK}" in output
    status, output = roles.deploy("--stack-name", "another")
    assert status != 0
    assert "is not authorized to perform: cloudformation:" in output


def test_cloudformation_may_make_what_the_stack_is_made_of(roles: Deployed) -> None:
    """Every kind of resource in the deployed stack and in the stacks nested in it."""
    role = roles.role("ExecutionRoleArn")
    client = roles.typed.account.client("cloudformation")
    names = [
        stack["StackName"]
        for stack in client.describe_stacks()["Stacks"]
        if stack["StackName"].startswith(STACK)
    ]
    assert len(names) > 1
    refused = []
    for name in names:
        for resource in client.list_stack_resources(StackName=name)["StackResourceSummaries"]:
            service, actions, rest = WORK[resource["ResourceType"]]
            named = f"{name}-{resource['LogicalResourceId']}-1A2B3C"
            target = arn(f"{service}:::{rest.replace('{}', named)}")
            wanted = [f"{service}:{action}" for action in actions.split()]
            refused += [(action, target) for action in wanted if not role.may(action, target)]
    assert refused == []


@pytest.mark.parametrize(("action", "resource"), BEYOND)
def test_neither_role_reaches_beyond(roles: Deployed, action: str, resource: str) -> None:
    """Data, other stacks, ways out to the internet, and roles that are not the stack's."""
    assert not roles.role("ExecutionRoleArn").may(action, arn(resource))
    assert not roles.role("DeploymentRoleArn").may(action, arn(resource))


def test_roles_of_the_stack_keep_to_the_boundary(roles: Deployed) -> None:
    """What gives a role permissions asks for it; nothing takes it away."""
    gives = {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"}
    for statement in roles.role("ExecutionRoleArn").statements:
        if gives & set(_list(statement["Action"])):
            assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
