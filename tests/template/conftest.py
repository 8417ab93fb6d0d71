"""The templates as CloudFormation gets them: translated by SAM, intrinsics resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.intrinsics import Known, Resolver, parameter_values
from backstairs.template.load import load
from backstairs.template.translate import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"

ENDPOINTS = {"created": "vpce-c4ea7ed", "imported": "vpce-19b047ed", "own": "vpce-0f0e0d0c"}
PLACEMENTS: dict[str, dict[str, str]] = {
    "created": {},
    "imported": {"NetworkStackName": "network"},
    "own": {
        "SubnetIds": "subnet-0a,subnet-0b",
        "SecurityGroupIds": "sg-0c,sg-0d",
        "ExecuteApiEndpointId": ENDPOINTS["own"],
        "ExecuteApiEndpointDnsName": f"{ENDPOINTS['own']}.example",
    },
}
# What a stack called "network" exports: a network stack, or that of an API with partners.
EXPORTS = {
    "SubnetIds": "subnet-0a,subnet-0b",
    "ClientSecurityGroupId": "sg-0c",
    "ExecuteApiEndpointId": ENDPOINTS["imported"],
    "ExecuteApiEndpointDnsName": f"{ENDPOINTS['imported']}.example",
    "PublicApiId": "a1b2c3",
    "PublicApiStage": "dev",
}
# Ids that are more than a logical id: the stack and letters of its own are in a table's name.
IDS = {
    "ExecuteApiEndpoint": ENDPOINTS["created"],
    "ClaimsTable": "stack-ClaimsTable-A1",
    "NotificationsTable": "stack-NotificationsTable-A1",
    "UndeliveredTable": "stack-UndeliveredTable-A1",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it would be deployed: the properties of what exists, by logical id."""

    template: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The properties of all resources of a type."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        """The properties of one resource."""
        properties: Mapping[str, Any] = self.resources[logical_id]["Properties"]
        return properties


def uploaded(template: dict[str, Any]) -> dict[str, Any]:
    """Local paths as `sam package` leaves them; SAM translates nothing else."""
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "ContentUri"} & properties.keys():
            properties[name] = f"s3://bucket/{logical_id}"
        if resource["Type"] == "AWS::Serverless::Application":
            properties["Location"] = f"https://s3.amazonaws.com/bucket/{logical_id}"
    return template


def deployed(
    path: Path,
    parameters: Mapping[str, str],
    imported: Mapping[str, str],
    attribute: Callable[[str, str], object],
    physical_ids: Mapping[str, str] | None = None,
    *,
    region: str = REGION,
) -> Stack:
    """A template's stack; `attribute` answers GetAtt, ids are logical where none is given."""
    template = translate(uploaded(load(path)), parameters, path.name, region)
    known = Known(
        parameters=parameter_values(template, parameters),
        physical_ids={name: name for name in template["Resources"]} | dict(physical_ids or {}),
        account=ACCOUNT,
        region=region,
        stack_name="stack",
        partition="aws-cn" if region.startswith("cn-") else "aws",
        attribute=attribute,
        export=lambda name: imported[name.removeprefix("network-")],
    )
    resolver = Resolver(template, known)
    resources = {
        name: resolver.resolve(resource)
        for name, resource in template["Resources"].items()
        if resolver.exists(resource)
    }
    outputs = {
        name: resolver.resolve(output)
        for name, output in template.get("Outputs", {}).items()
        if resolver.exists(output)
    }
    return Stack(template, resources, outputs)


def _attribute(logical_id: str, name: str) -> object:
    if name == "DnsEntries":
        endpoint = "endpoint" if logical_id != "ExecuteApiEndpoint" else ENDPOINTS["created"]
        return [f"Z123:{endpoint}.example", f"Z123:{endpoint}-a.example"]
    return f"{logical_id}.{name}"


def _deployed(path: str, parameters: Mapping[str, str]) -> Stack:
    return deployed(ROOT / path, parameters, EXPORTS, _attribute, IDS)


def nested(stack: Stack, logical_id: str) -> Stack:
    """The stack that another one brings, with the parameters it is given there."""
    location = load(ROOT / "template.yaml")["Resources"][logical_id]["Properties"]["Location"]
    given = stack.properties(logical_id)["Parameters"]
    return _deployed(location, {name: str(value) for name, value in given.items()})


def _application(parameters: Mapping[str, str]) -> Stack:
    """The application, in the network that its nested stack makes or hands on."""
    template = load(ROOT / "template.yaml")
    declared = load(ROOT / "stacks" / "network.yaml")["Parameters"]
    given = {name: value for name, value in parameters.items() if name in declared}
    network = _deployed("stacks/network.yaml", given).outputs
    assert set(template["Resources"]["Network"]["Properties"]["Parameters"]) >= given.keys()

    def attribute(logical_id: str, name: str) -> object:
        if logical_id == "Network":
            return network[name.removeprefix("Outputs.")]["Value"]
        return _attribute(logical_id, name)

    return deployed(ROOT / "template.yaml", parameters, EXPORTS, attribute, IDS)


@pytest.fixture(scope="session", params=sorted(PLACEMENTS))
def placement(request: pytest.FixtureRequest) -> str:
    """Each of the three ways to say where the application goes."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def endpoint(placement: str) -> str:
    """The id of the interface endpoint in that placement."""
    return ENDPOINTS[placement]


@pytest.fixture(scope="session")
def application(placement: str) -> Stack:
    """The application in that placement, stage `test`."""
    return _application({"Stage": "test", **PLACEMENTS[placement]})


@pytest.fixture(scope="session")
def application_with() -> Callable[..., Stack]:
    """The application with the parameters given."""
    return lambda **parameters: _application(parameters)


@pytest.fixture(scope="session")
def operation_with() -> Callable[..., Stack]:
    """Alarms, dashboard and pruner as the application with the parameters given brings them."""
    return lambda **parameters: nested(_application(parameters), "Operation")


@pytest.fixture(scope="session")
def network_with() -> Callable[..., Stack]:
    """The network with the parameters given."""
    return lambda **parameters: _deployed("stacks/network.yaml", parameters)


@pytest.fixture(scope="session")
def regional_with() -> Callable[..., Stack]:
    """The application without a network, with the parameters given."""
    return lambda **parameters: _deployed("stacks/regional.yaml", parameters)


@pytest.fixture(scope="session")
def http_backend_with() -> Callable[..., Stack]:
    """The API in front of an https backend, with the parameters given."""
    return lambda **parameters: _deployed("stacks/http-backend.yaml", parameters)


@pytest.fixture(scope="session")
def forwarder_with() -> Callable[..., Stack]:
    """The way from public to private, with the parameters given."""
    return lambda **parameters: _deployed("stacks/forwarder.yaml", parameters)


@pytest.fixture(scope="session")
def vpc_link_with() -> Callable[..., Stack]:
    """The same without a function, with the parameters given."""
    return lambda **parameters: _deployed("stacks/vpc-link.yaml", parameters)


@pytest.fixture(scope="session")
def webhooks_with() -> Callable[..., Stack]:
    """The webhooks of one provider, with the parameters given."""
    return lambda **parameters: _deployed("stacks/webhooks.yaml", parameters)


@pytest.fixture(scope="session")
def partner_with() -> Callable[..., Stack]:
    """One more partner of the stack `network`'s API, with the parameters given."""
    return lambda **parameters: _deployed("stacks/partner.yaml", parameters)


@pytest.fixture(scope="session")
def deploy_role_with() -> Callable[..., Stack]:
    """What a GitHub environment deploys with, with the parameters given."""
    return lambda **parameters: _deployed("stacks/deploy-role.yaml", parameters)
