"""What each function may do: what its code calls, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.template.conftest import nested

if TYPE_CHECKING:
    from collections.abc import Callable

GRANTS: dict[str, set[tuple[str, str]]] = {
    "ClaimsFunctionRole": {
        ("dynamodb:GetItem", "ClaimsTable.Arn"),
        ("dynamodb:PutItem", "ClaimsTable.Arn"),
        ("dynamodb:UpdateItem", "ClaimsTable.Arn"),
        ("dynamodb:Query", "ClaimsTable.Arn/index/ByCreation"),
    },
    "MembersFunctionRole": {("dynamodb:GetItem", "ClaimsTable.Arn")},
    "ClaimTypesFunctionRole": set(),
    "NotifierFunctionRole": {
        (
            "execute-api:Invoke",
            "arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/members/*",
        ),
        ("dynamodb:PutItem", "NotificationsTable.Arn"),
        ("dynamodb:DeleteItem", "UndeliveredTable.Arn"),
        ("dynamodb:PutItem", "UndeliveredTable.Arn"),
        ("dynamodb:Query", "UndeliveredTable.Arn"),
        ("dynamodb:DescribeStream", "ClaimsTable.StreamArn"),
        ("dynamodb:GetRecords", "ClaimsTable.StreamArn"),
        ("dynamodb:GetShardIterator", "ClaimsTable.StreamArn"),
        ("dynamodb:ListStreams", "ClaimsTable.Arn/stream/*"),
        ("sqs:SendMessage", "UndeliveredQueue.Arn"),
    },
}
PRUNER_GRANTS: dict[str, set[tuple[str, str]]] = {
    "PrunerRole": {
        *(
            (action, f"arn:aws:lambda:us-east-1:123456789012:function:{function}{versions}")
            for action, versions in (
                ("lambda:ListAliases", ""),
                ("lambda:ListVersionsByFunction", ""),
                # Of versions alone, never the function.
                ("lambda:DeleteFunction", ":*"),
            )
            for function in (
                "ClaimsFunction",
                "ClaimTypesFunction",
                "MembersFunction",
                "NotifierFunction",
            )
        ),
        ("logs:CreateLogStream", "PrunerLogGroup.Arn"),
        ("logs:PutLogEvents", "PrunerLogGroup.Arn"),
    },
}
# What Lambda itself does in the function's name: write its log and traces, reach its subnets.
MANAGED = {
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXrayWriteOnlyAccess",
}


@pytest.fixture(scope="module")
def roles(application_with: Callable[..., Any]) -> dict[str, Any]:
    """The roles of the application as it is by default."""
    found: dict[str, Any] = application_with().of_type("AWS::IAM::Role")
    return found


def as_list(value: object) -> list[Any]:
    """One or several, as policies write them."""
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def pruner(operation_with: Callable[..., Any]) -> dict[str, Any]:
    """The pruner's role, which the application brings in a stack of its own."""
    found: dict[str, Any] = operation_with().of_type("AWS::IAM::Role")
    return found


def granted(roles: dict[str, Any]) -> dict[str, set[tuple[str, str]]]:
    """Action and resource of everything that each role's own policies allow."""
    return {
        name: {
            (action, resource)
            for policy in role.get("Policies", [])
            for statement in policy["PolicyDocument"]["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        for name, role in roles.items()
    }


def test_each_role_is_granted_exactly_what_its_code_calls(
    roles: dict[str, Any], pruner: dict[str, Any]
) -> None:
    """Action by action, resource by resource."""
    assert granted(roles) == GRANTS
    assert granted(pruner) == PRUNER_GRANTS


def test_of_the_two_that_check_access_one_has_the_grant(
    application_with: Callable[..., Any],
) -> None:
    """For the one route that both call, and nothing else tells them apart."""
    stack = nested(application_with(AccessCheck="true"), "AccessChecks")
    members = "arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/members/*"
    assert granted(stack.of_type("AWS::IAM::Role")) == {
        "AllowedFunctionRole": {("execute-api:Invoke", members)},
        "DeniedFunctionRole": set(),
    }
    allowed, denied = (dict(stack.properties(f"{one}Function")) for one in ("Allowed", "Denied"))
    assert allowed.pop("Description") != denied.pop("Description")
    assert allowed.pop("Role") != denied.pop("Role")
    allowed["Code"] = denied["Code"]
    assert allowed == denied


def test_all_grants_are_allows_without_exceptions(
    roles: dict[str, Any], pruner: dict[str, Any]
) -> None:
    """No NotAction, no NotResource, nothing that the comparison above would not see."""
    for role in (*roles.values(), *pruner.values()):
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement.keys() == {"Effect", "Action", "Resource"}
                assert statement["Effect"] == "Allow"


def test_managed_policies_are_lambdas_own(roles: dict[str, Any], pruner: dict[str, Any]) -> None:
    """Nothing else comes in by a managed policy."""
    for role in roles.values():
        assert {arn.rpartition("/")[2] for arn in role["ManagedPolicyArns"]} == MANAGED
    assert "ManagedPolicyArns" not in pruner["PrunerRole"]


def test_only_lambda_can_take_a_role(roles: dict[str, Any]) -> None:
    """No other service, account or user."""
    for role in roles.values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": ["lambda.amazonaws.com"]}
