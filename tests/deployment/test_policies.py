"""Deployments in turn: policies go live, what fails is taken back, deleting is whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.local.deploy import STACK_NAME, StepError
from tests.deployment.deployment import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deployment.deployment import Deployment

STATEMENTS = TEMPLATE[
    TEMPLATE.index("          CustomStatements:\n") : TEMPLATE.index("\n  # Access by network.")
]
# What a first version of such an application often has, and what lets in every signed caller.
WHITELISTED = TEMPLATE.replace(
    STATEMENTS,
    "          IntrinsicVpceWhitelist: [!GetAtt Network.Outputs.ExecuteApiEndpointId]\n",
)


@pytest.fixture(scope="module")
def deploy(deployment: Deployment) -> Callable[[str], None]:
    """Deploys a template, where it is not what is there. Raises StepError."""
    there: list[str] = []

    def deployed(template: str) -> None:
        if there == [template]:
            return
        there.clear()
        deployment.write("template.yaml", template)
        deployment.deploy()
        there.append(template)

    return deployed


def allows(statements: list[Any]) -> bool:
    """Whether any statement lets somebody in."""
    return any(statement["Effect"] == "Allow" for statement in statements)


def test_an_upgrade_takes_the_whitelist_away(
    deployment: Deployment, deploy: Callable[[str], None]
) -> None:
    """The API keeps its id, and its stage serves the new policy at once."""
    deploy(WHITELISTED)
    assert allows(deployment.policy())
    before = deployment.account.outputs(STACK_NAME)["ClaimsApiId"]
    deploy(TEMPLATE)
    assert deployment.account.outputs(STACK_NAME)["ClaimsApiId"] == before
    statements = deployment.policy()
    assert not allows(statements)
    assert [list(one["Condition"]["StringNotEquals"]) for one in statements] == [
        ["aws:SourceVpce"],
        ["aws:PrincipalAccount"],
    ]


def test_a_change_of_policy_alone_goes_live(
    deployment: Deployment, deploy: Callable[[str], None]
) -> None:
    """Nothing else of the API differs, not its endpoint either, and its stage serves it."""
    deploy(TEMPLATE)
    before = deployment.policy()
    account = "{aws:PrincipalAccount: !Ref AWS::AccountId}"
    changed = TEMPLATE.replace(account, f"{account[:-1]}, aws:PrincipalOrgID: o-1}}")
    assert changed != TEMPLATE
    deploy(changed)
    assert deployment.policy() != before
    client, names = deployment.account.client("apigateway"), deployment.account.outputs(STACK_NAME)
    configured = client.get_rest_api(restApiId=names["ClaimsApiId"])["endpointConfiguration"]
    assert configured["vpcEndpointIds"] == [names["ExecuteApiEndpointId"]]
    assert "o-1" in json.dumps(deployment.policy())


def test_what_fails_is_taken_back(deployment: Deployment, deploy: Callable[[str], None]) -> None:
    """The policy of before is served, and the functions are those of before."""
    deploy(TEMPLATE)
    policy, live = deployment.policy(), deployment.live("ClaimsFunction")
    broken = WHITELISTED.replace("    MemorySize: 256\n", "    MemorySize: 512\n").replace(
        "Outputs:\n",
        """  Broken:
    Type: AWS::Lambda::Function
    DependsOn: [ClaimsApiStage, ClaimsFunctionAliaslive]
    Properties:
      Runtime: python3.13
      Handler: handler.handler
      Role: !GetAtt MembersFunctionRole.Arn
      Code: {ZipFile: "handler = None"}
      VpcConfig: {SubnetIds: [subnet-0123456789abcdef0], SecurityGroupIds: []}

Outputs:
""",
        1,
    )
    with pytest.raises(StepError):
        deploy(broken)
    assert deployment.policy() == policy
    after = deployment.live("ClaimsFunction")
    assert (after["MemorySize"], after["CodeSha256"]) == (256, live["CodeSha256"])


def test_deleting_leaves_nothing_of_a_development_stack(
    deployment: Deployment, deploy: Callable[[str], None]
) -> None:
    """Neither tables nor queues nor logs nor functions nor what the stack brought with it."""
    deploy(TEMPLATE)
    deployment.delete()
    account = deployment.account
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("lambda").list_layers()["Layers"] == []
    assert account.client("apigateway").get_rest_apis()["items"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert account.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
