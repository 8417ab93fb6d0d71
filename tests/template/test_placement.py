"""Where the application goes: a network it creates, one that is imported, one of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.intrinsics import Known, Resolver, parameter_values
from tests.template.conftest import nested

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = {
    "SubnetIds": "subnet-0a,subnet-0b",
    "SecurityGroupIds": "sg-0c",
    "ExecuteApiEndpointId": "vpce-0e",
    "ExecuteApiEndpointDnsName": "vpce-0e.example",
}


def test_a_network_is_created_where_none_is_named(application: Any, placement: str) -> None:
    """And in no other placement: then the network's stack only hands on what it was given."""
    created = nested(application, "Network").resources
    assert ("Vpc" in created) == (placement == "created")
    assert bool(created) == (placement == "created")


def test_what_is_said_of_the_network_reaches_it(application_with: Callable[..., Any]) -> None:
    """Range, zones and private DNS are parameters of the application too."""
    network = nested(
        application_with(
            VpcCidr="10.30.0.0/16", AvailabilityZones="eu-1b,eu-1c", PrivateDnsEnabled="true"
        ),
        "Network",
    )
    assert network.properties("Vpc")["CidrBlock"] == "10.30.0.0/16"
    subnets = [network.properties(f"Subnet{name}") for name in "AB"]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == ["eu-1b", "eu-1c"]
    assert network.properties("ExecuteApiEndpoint")["PrivateDnsEnabled"] == "true"


def test_every_function_is_in_the_private_subnets(application: Any, placement: str) -> None:
    """In two zones, with the clients' security group."""
    created = placement == "created"
    groups = {"created": ["ClientSecurityGroup"], "imported": ["sg-0c"], "own": ["sg-0c", "sg-0d"]}
    for function in application.of_type("AWS::Lambda::Function").values():
        assert function["VpcConfig"] == {
            "SubnetIds": ["SubnetA", "SubnetB"] if created else ["subnet-0a", "subnet-0b"],
            "SecurityGroupIds": groups[placement],
        }


def test_who_calls_lambda_itself_is_outside_the_network(
    operation_with: Callable[..., Any],
) -> None:
    """The pruner: inside it would need an endpoint of Lambda's."""
    assert "VpcConfig" not in operation_with().properties("PrunerFunction")


def test_the_notifier_calls_the_api_through_the_endpoint(application: Any, endpoint: str) -> None:
    """By the endpoint's DNS name and the API's id."""
    environment = application.properties("NotifierFunction")["Environment"]["Variables"]
    assert environment == {
        "CLAIMS_API_URL": f"https://{endpoint}.example/test",
        "CLAIMS_API_ID": "ClaimsApi",
        "TABLE_NAME": "stack-NotificationsTable-A1",
        "UNDELIVERED_TABLE_NAME": "stack-UndeliveredTable-A1",
        "SET_ASIDE_AFTER_SECONDS": "36000",
    }


def test_the_outputs_name_the_way_in(application: Any, endpoint: str) -> None:
    """The alias of API and endpoint needs neither Host nor x-apigw-api-id."""
    outputs = {name: output["Value"] for name, output in application.outputs.items()}
    assert outputs["ExecuteApiEndpointId"] == endpoint
    assert outputs["ExecuteApiEndpointDnsName"] == f"{endpoint}.example"
    for api in ("ClaimsApi", "ReferenceApi"):
        host = f"{api}-{endpoint}.execute-api.us-east-1.amazonaws.com"
        assert outputs[f"{api}Url"] == f"https://{host}/test"
        assert outputs[f"{api}Arn"] == f"arn:aws:execute-api:us-east-1:123456789012:{api}/test"
    assert all(output["Description"] for output in application.outputs.values())


def refusals(template: dict[str, Any], parameters: dict[str, str]) -> list[str]:
    """What CloudFormation would object to, by the template's rules."""
    values = parameter_values(template, parameters)
    known = Known(values, {}, "123456789012", "us-east-1", "stack", lambda *_: None)
    resolver = Resolver(template, known)
    return [
        assertion["AssertDescription"]
        for rule in template["Rules"].values()
        if resolver.resolve(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not resolver.resolve(assertion["Assert"])
    ]


@pytest.mark.parametrize("parameters", [{}, {"NetworkStackName": "network"}, OWN])
def test_whole_placements_are_accepted(
    application_with: Callable[..., Any], parameters: dict[str, str]
) -> None:
    """Nothing, a stack's name, or four ids."""
    assert refusals(application_with().template, parameters) == []


@pytest.mark.parametrize("missing", sorted(OWN))
def test_half_a_placement_is_refused(application_with: Callable[..., Any], missing: str) -> None:
    """Three ids of four, or one alone, with a message that names all four."""
    template = application_with().template
    for given in (
        {name: value for name, value in OWN.items() if name != missing},
        {missing: OWN[missing]},
    ):
        (message,) = refusals(template, given)
        assert all(name in message for name in OWN)


def test_two_placements_are_refused(application_with: Callable[..., Any]) -> None:
    """A stack's name and ids contradict each other."""
    (message,) = refusals(application_with().template, {"NetworkStackName": "network", **OWN})
    assert "NetworkStackName" in message
