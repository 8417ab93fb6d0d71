"""Deployments one after the other, by the real `sam`, into the emulated account.

A stack that was deployed with another policy gets the present one; what fails is taken back; what
changes a function moves its alias on; and deleting leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.account.client import Account
from backstairs.cli.project import tool
from backstairs.local.deploy import STACK_NAME, Sam, StepError, start_account
from backstairs.runtime.process import Children
from tests.local.application import ROOT, copy_application

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
TEMPLATE = (ROOT / "template.yaml").read_text("utf-8")
STATEMENTS = TEMPLATE[
    TEMPLATE.index("          CustomStatements:\n") : TEMPLATE.index("  # Access by network.")
]
# What a first version of such an application often has, and what lets in every signed caller.
WHITELIST = (
    STATEMENTS[STATEMENTS.index("                  aws:SourceVpce: !If") :]
    .partition("            - Effect: Deny")[0]
    .replace("                  aws:SourceVpce: ", "            - ")
)
WHITELISTED = TEMPLATE.replace(
    STATEMENTS, f"          IntrinsicVpceWhitelist:\n{WHITELIST.rstrip()}\n\n"
)


class Deployment:
    """A copy of the application that is deployed again and again."""

    def __init__(self, root: Path, children: Children, logs: Path) -> None:
        self.root, self._there = root, ""
        uv = str(Path(tool("uv")).parent)
        self._sam = Sam(tool("sam"), [uv], root, logs, children)
        self.account = Account(start_account(sys.executable, children, logs.parent, REGION), REGION)

    def deploy(self, template: str) -> None:
        """Build and deploy this template, where it is not what is there. Raises StepError."""
        if template == self._there:
            return
        self._there = ""
        (self.root / "template.yaml").write_text(template, "utf-8")
        self._sam.build()
        self._sam.deploy(self.account)
        self._there = template

    def policy(self, api: str = "ClaimsApi") -> list[Any]:
        """The statements of an API's policy, as its stage serves it."""
        export = self.account.client("apigateway").get_export(
            restApiId=self.account.physical_ids(STACK_NAME)[api],
            stageName="dev",
            exportType="oas30",
            parameters={"extensions": "apigateway"},
        )
        statements: list[Any] = json.loads(export["body"].read())["x-amazon-apigateway-policy"][
            "Statement"
        ]
        return statements

    def live(self, function: str) -> Any:
        """What the version behind a function's alias is configured to be."""
        name = self.account.physical_ids(STACK_NAME)[function]
        client = self.account.client("lambda")
        return client.get_function_configuration(FunctionName=name, Qualifier="live")

    def delete(self) -> None:
        """`sam delete`."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        subprocess.run(
            [tool("sam"), "delete", "--stack-name", STACK_NAME, "--region", REGION, "--no-prompts"],
            cwd=self.root,
            check=True,
            capture_output=True,
            env={
                **kept,
                "AWS_ENDPOINT_URL": self.account.url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "SAM_CLI_TELEMETRY": "0",
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
            },
        )


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The application, deployed first with the whitelist on the claims API."""
    folder = tmp_path_factory.mktemp("deployment")
    logs = folder / "state" / "logs"
    logs.mkdir(parents=True)
    root = folder / "application"
    root.mkdir()
    children = Children()
    try:
        started = Deployment(copy_application(root), children, logs)
        started.deploy(WHITELISTED)
        yield started
    finally:
        children.close()


def allows(statements: list[Any]) -> bool:
    """Whether any statement lets somebody in."""
    return any(statement["Effect"] == "Allow" for statement in statements)


def test_an_upgrade_takes_the_whitelist_away(deployment: Deployment) -> None:
    """The API keeps its id, and its stage serves the new policy at once."""
    assert allows(deployment.policy())
    before = deployment.account.outputs(STACK_NAME)["ClaimsApiId"]
    deployment.deploy(TEMPLATE)
    assert deployment.account.outputs(STACK_NAME)["ClaimsApiId"] == before
    statements = deployment.policy()
    assert not allows(statements)
    assert [list(one["Condition"]["StringNotEquals"]) for one in statements] == [
        ["aws:SourceVpce"],
        ["aws:PrincipalAccount"],
    ]


def test_a_change_of_policy_alone_goes_live(deployment: Deployment) -> None:
    """Nothing else of the API differs, and its stage serves it all the same."""
    deployment.deploy(TEMPLATE)
    before = deployment.policy()
    account = "                  aws:PrincipalAccount: !Ref AWS::AccountId\n"
    changed = TEMPLATE.replace(
        account, account.rstrip() + "\n                  aws:PrincipalOrgID: o-1\n"
    )
    assert changed != TEMPLATE
    deployment.deploy(changed)
    assert deployment.policy() != before
    assert "o-1" in json.dumps(deployment.policy())


def test_what_fails_is_taken_back(deployment: Deployment) -> None:
    """The policy of before is served, and the functions are those of before."""
    deployment.deploy(TEMPLATE)
    policy, live = deployment.policy(), deployment.live("ClaimsFunction")
    broken = WHITELISTED.replace("    MemorySize: 256\n", "    MemorySize: 512\n").replace(
        "Outputs:\n",
        """  Broken:
    Type: AWS::Lambda::Function
    DependsOn: [ClaimsApiStage, ClaimsFunctionAliaslive]
    Properties:
      Runtime: python3.13
      Handler: handler.handler
      Role: !GetAtt PrunerRole.Arn
      Code: {ZipFile: "handler = None"}
      VpcConfig: {SubnetIds: [subnet-0123456789abcdef0], SecurityGroupIds: []}

Outputs:
""",
        1,
    )
    with pytest.raises(StepError):
        deployment.deploy(broken)
    assert deployment.policy() == policy
    after = deployment.live("ClaimsFunction")
    assert (after["MemorySize"], after["CodeSha256"]) == (256, live["CodeSha256"])


def test_a_change_of_settings_moves_the_alias(deployment: Deployment) -> None:
    """Not only one of code: calls go to the version that has the new ones."""
    deployment.deploy(TEMPLATE.replace("    MemorySize: 256\n", "    MemorySize: 512\n"))
    assert deployment.live("ClaimsFunction")["MemorySize"] == 512


def test_deleting_leaves_nothing_of_a_development_stack(deployment: Deployment) -> None:
    """Neither tables nor queues nor logs nor functions."""
    deployment.delete()
    account = deployment.account
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("lambda").list_layers()["Layers"] == []
    assert account.client("apigateway").get_rest_apis()["items"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
