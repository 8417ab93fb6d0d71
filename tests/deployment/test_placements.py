"""Where the application goes can change: what it is given, it takes, without being replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backstairs.local.deploy import STACK_NAME
from tests.deployment.deployment import NETWORK

if TYPE_CHECKING:
    from tests.deployment.deployment import Deployment

KEPT = ("ClaimsApi", "ReferenceApi", "ClaimsTable", "ClaimsFunction")


@pytest.fixture(scope="module")
def network(deployment: Deployment) -> dict[str, str]:
    """The outputs of a network stack that stands by itself."""
    deployment.deploy(NETWORK)
    return deployment.account.outputs(NETWORK.name)


@pytest.fixture(scope="module")
def imported(deployment: Deployment, network: dict[str, str]) -> dict[str, str]:
    """The application in that network, by the stack's name; the ids of its resources."""
    assert network
    deployment.deploy(parameters={"NetworkStackName": NETWORK.name})
    return deployment.account.physical_ids(STACK_NAME)


def where(deployment: Deployment) -> tuple[set[str], set[str]]:
    """Subnets and groups of the version that calls get."""
    config = deployment.live("ClaimsFunction")["VpcConfig"]
    return set(config["SubnetIds"]), set(config["SecurityGroupIds"])


def test_a_network_that_is_there_is_used(
    deployment: Deployment, network: dict[str, str], imported: dict[str, str]
) -> None:
    """Nothing of a second one is made."""
    assert where(deployment) == (
        set(network["SubnetIds"].split(",")),
        {network["ClientSecurityGroupId"]},
    )
    assert deployment.account.physical_ids(imported["Network"]) == {}
    outputs = deployment.account.outputs(STACK_NAME)
    assert outputs["ExecuteApiEndpointId"] == network["ExecuteApiEndpointId"]


def test_the_same_network_by_its_ids_changes_nothing(
    deployment: Deployment, network: dict[str, str], imported: dict[str, str]
) -> None:
    """Neither a version nor an API."""
    version = deployment.live("ClaimsFunction")["Version"]
    deployment.deploy(
        parameters={
            "NetworkStackName": "",
            "SubnetIds": network["SubnetIds"],
            "SecurityGroupIds": network["ClientSecurityGroupId"],
            "ExecuteApiEndpointId": network["ExecuteApiEndpointId"],
            "ExecuteApiEndpointDnsName": network["ExecuteApiEndpointDnsName"],
        }
    )
    after = deployment.account.physical_ids(STACK_NAME)
    assert {name: after[name] for name in KEPT} == {name: imported[name] for name in KEPT}
    assert deployment.live("ClaimsFunction")["Version"] == version


def test_calls_get_to_the_functions_in_the_new_network(
    deployment: Deployment, network: dict[str, str], imported: dict[str, str]
) -> None:
    """A network of its own later: the alias leads to a version that is in it."""
    deployment.deploy(
        parameters=dict.fromkeys(
            (
                "NetworkStackName",
                "SubnetIds",
                "SecurityGroupIds",
                "ExecuteApiEndpointId",
                "ExecuteApiEndpointDnsName",
            ),
            "",
        )
    )
    account = deployment.account
    after = account.physical_ids(STACK_NAME)
    made = account.outputs(after["Network"])
    assert where(deployment) == (set(made["SubnetIds"].split(",")), {made["ClientSecurityGroupId"]})
    assert where(deployment)[0].isdisjoint(network["SubnetIds"].split(","))
    assert {name: after[name] for name in KEPT} == {name: imported[name] for name in KEPT}
