"""The stack that held partners and webhooks becomes two: nothing is lost without a word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.account.client import Account
from backstairs.cli.project import tool
from backstairs.demo.public import FORWARDER
from backstairs.local.deploy import Sam, StepError, start_account
from backstairs.runtime.process import Children
from tests.local.application import ROOT, copy_application

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
TEMPLATE = (ROOT / FORWARDER.template).read_text("utf-8")
RULE = TEMPLATE[
    TEMPLATE.index("  WebhooksHaveMoved:\n") : TEMPLATE.index("  BackendIsReachable:\n")
]
# What of a stack from before matters here: webhooks by the same parameter, and their table.
CONDITION = '\nConditions:\n  HasWebhooks: !Not [!Equals [!Ref WebhookBackendUrl, ""]]\n'
BEFORE = TEMPLATE.replace(RULE, "").replace("\nConditions:\n", CONDITION, 1)
BEFORE = BEFORE.replace(
    "\nResources:\n",
    """
Resources:
  DeliveriesTable:
    Type: AWS::DynamoDB::Table
    Condition: HasWebhooks
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
      KeySchema:
        - {AttributeName: id, KeyType: HASH}
""",
    1,
)
WEBHOOKS = {"WebhookBackendUrl": "https://backend.example/hooks"}


class Deployment:
    """The forwarder's stack, deployed again and again."""

    def __init__(self, root: Path, children: Children, logs: Path) -> None:
        self.root = root
        self._sam = Sam(tool("sam"), [str(Path(tool("uv")).parent)], root, logs, children)
        self.account = Account(start_account(sys.executable, children, logs.parent, REGION), REGION)
        client = self.account.client("cloudformation")
        network = (ROOT / "stacks" / "network.yaml").read_text("utf-8")
        client.create_stack(StackName="network", TemplateBody=network)
        client.get_waiter("stack_create_complete").wait(
            StackName="network", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        outputs = self.account.outputs("network")
        self._parameters = {
            "VpcId": outputs["VpcId"],
            "SubnetIds": outputs["SubnetIds"],
            "BackendUrl": "https://backend.example",
            "BackendCidr": "10.20.0.0/24",
            "PartnerAllowlist": "203.0.113.0/24",
        }

    def deploy(self, template: str, **parameters: str) -> None:
        """Build and deploy a template. Raises StepError."""
        (self.root / FORWARDER.template).write_text(template, "utf-8")
        self._sam.build(FORWARDER)
        self._sam.deploy(self.account, FORWARDER, {**self._parameters, **parameters})

    def state(self) -> dict[str, Any]:
        """What must outlast an upgrade: the API, its key and its value, and the table's items."""
        ids = self.account.physical_ids(FORWARDER.name)
        found = self.account.client("ssm").get_parameter(
            Name=f"/{FORWARDER.name}/partner-api-key", WithDecryption=True
        )
        table = ids.get("DeliveriesTable")
        scan = self.account.client("dynamodb").scan
        return {
            **{name: ids[name] for name in ("PublicRestApi", "PartnerKey", "PartnerPlan")},
            "value": found["Parameter"]["Value"],
            "items": table and scan(TableName=table)["Items"],
        }


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack from before, with webhooks, one of which it remembers."""
    folder = tmp_path_factory.mktemp("deployment")
    logs = folder / "state" / "logs"
    logs.mkdir(parents=True)
    root = folder / "application"
    root.mkdir()
    children = Children()
    try:
        started = Deployment(copy_application(root), children, logs)
        started.deploy(BEFORE, **WEBHOOKS)
        table = started.account.physical_ids(FORWARDER.name)["DeliveriesTable"]
        started.account.client("dynamodb").put_item(TableName=table, Item={"id": {"S": "github#1"}})
        yield started
    finally:
        children.close()


@pytest.mark.parametrize("given", [{}, WEBHOOKS], ids=["as it was", "said again"])
def test_webhooks_are_not_taken_away_without_a_word(
    deployment: Deployment, given: dict[str, str]
) -> None:
    """The upgrade is refused, saying what to do; key, API and marks are those of before."""
    before = deployment.state()
    assert before["items"] == [{"id": {"S": "github#1"}}]
    with pytest.raises(StepError, match="Webhooks have a stack of their own"):
        deployment.deploy(TEMPLATE, **given)
    assert deployment.state() == before


def test_once_they_have_moved_the_rest_stays(deployment: Deployment) -> None:
    """The partner notices nothing: the same API, key and plan."""
    before = deployment.state()
    deployment.deploy(TEMPLATE, WebhookBackendUrl='""')
    assert deployment.state() == before | {"items": None}
    deployment.deploy(TEMPLATE)
    assert deployment.state() == before | {"items": None}
