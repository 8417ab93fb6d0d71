"""From the templates as they were to those of today: nothing that holds data is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.local.deploy import APPLICATION, STACK_NAME
from tests.deployment.deployment import REGIONAL

if TYPE_CHECKING:
    from tests.deployment.deployment import Deployment

HOLDING_DATA = ("ClaimsTable", "NotificationsTable", "UndeliveredQueue")
APIS = ("ClaimsApi", "ReferenceApi")
ITEM = {"PK": {"S": "MEMBER#m-1"}, "SK": {"S": "CLAIM#1"}, "createdAt": {"S": "2026-01-01"}}


def _items(deployment: Deployment, table: str) -> list[Any]:
    items: list[Any] = deployment.account.client("dynamodb").scan(TableName=table)["Items"]
    return items


@pytest.fixture(scope="module")
def upgraded(deployment: Deployment) -> tuple[dict[str, str], dict[str, str]]:
    """Ids of the application's resources, and of its network's, before the upgrade."""
    deployment.go_back()
    deployment.deploy()
    before = deployment.account.physical_ids(STACK_NAME)
    network = deployment.account.physical_ids(before["Network"])
    deployment.account.client("dynamodb").put_item(TableName=before["ClaimsTable"], Item=ITEM)
    deployment.account.client("sqs").send_message(
        QueueUrl=before["UndeliveredQueue"], MessageBody="given up"
    )
    deployment.come_forward()
    deployment.deploy()
    return before, network


def test_what_holds_data_stays(
    deployment: Deployment, upgraded: tuple[dict[str, str], dict[str, str]]
) -> None:
    """Tables and queue are the same ones, with what was in them."""
    before, _ = upgraded
    after = deployment.account.physical_ids(STACK_NAME)
    assert {name: after[name] for name in HOLDING_DATA} == {
        name: before[name] for name in HOLDING_DATA
    }
    assert _items(deployment, after["ClaimsTable"]) == [ITEM]
    queue = deployment.account.client("sqs").receive_message(QueueUrl=after["UndeliveredQueue"])
    assert [message["Body"] for message in queue["Messages"]] == ["given up"]


def test_clients_find_the_apis_where_they_were(
    deployment: Deployment, upgraded: tuple[dict[str, str], dict[str, str]]
) -> None:
    """The same ids, behind the same endpoint, in the same network."""
    before, network_before = upgraded
    after = deployment.account.physical_ids(STACK_NAME)
    assert {name: after[name] for name in APIS} == {name: before[name] for name in APIS}
    assert deployment.account.physical_ids(after["Network"]) == network_before


def test_calls_go_to_the_versions_of_today(
    deployment: Deployment, upgraded: tuple[dict[str, str], dict[str, str]]
) -> None:
    """Each function is the same one, and its alias has moved on to what today's template says."""
    before, _ = upgraded
    after = deployment.account.physical_ids(STACK_NAME)
    for name in ("ClaimsFunction", "MembersFunction", "ClaimTypesFunction", "NotifierFunction"):
        assert after[name] == before[name]
        live = deployment.live(name)
        assert live["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
        assert live["Description"]


def test_nothing_of_the_old_alarms_and_pruner_is_left(
    deployment: Deployment, upgraded: tuple[dict[str, str], dict[str, str]]
) -> None:
    """They are in a stack of their own now: once, not twice."""
    assert upgraded
    account = deployment.account
    operation = account.physical_ids(account.physical_ids(STACK_NAME)["Operation"])
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} <= set(operation.values())
    functions = account.client("lambda").list_functions()["Functions"]
    pruners = [one for one in functions if one["Handler"].startswith("pruner.")]
    assert [one["FunctionName"] for one in pruners] == [operation["PrunerFunction"]]


def test_the_regional_stack_keeps_its_data_too(deployment: Deployment) -> None:
    """The one without a network, which got notifier, aliases and alarms."""
    deployment.go_back()
    deployment.deploy(REGIONAL)
    before = deployment.account.physical_ids(REGIONAL.name)
    deployment.account.client("dynamodb").put_item(TableName=before["ClaimsTable"], Item=ITEM)
    deployment.come_forward()
    deployment.deploy(REGIONAL)
    after = deployment.account.physical_ids(REGIONAL.name)
    for name in ("ClaimsTable", "ClaimsApi", "ClaimsFunction", "MembersFunction"):
        assert after[name] == before[name]
    assert _items(deployment, after["ClaimsTable"]) == [ITEM]
    assert (
        deployment.live("NotifierFunction", REGIONAL)["Handler"]
        == "notifier.handler.lambda_handler"
    )


def test_another_stack_of_the_account_is_left_alone(deployment: Deployment) -> None:
    """Deleting the regional one takes nothing of the application."""
    before = deployment.account.physical_ids(APPLICATION.name)
    deployment.delete(REGIONAL)
    assert _items(deployment, before["ClaimsTable"]) == [ITEM]
