"""From public to private without a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.template.test_access_models import methods

if TYPE_CHECKING:
    from collections.abc import Callable

BALANCER = (
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/inner/0123456789abcdef"
)


@pytest.fixture(scope="module")
def link(vpc_link_with: Callable[..., Any]) -> Any:
    """In front of a made-up load balancer."""
    return vpc_link_with(
        VpcId="vpc-0a",
        SubnetIds="subnet-0a,subnet-0b",
        LoadBalancerArn=BALANCER,
        LoadBalancerSecurityGroupId="sg-0b",
        BackendName="backend.example",
        PartnerAllowlist="203.0.113.0/24",
    )


def test_the_load_balancer_is_reached_by_the_link(link: Any) -> None:
    """Over TLS under the certificate's name, with a key and without passing it on."""
    ((verb, path, method),) = methods(link.properties("PublicApi")["Body"])
    assert (verb, path) == ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/partner/{path+}")
    assert method["security"] == [{"api_key": []}]
    integration = method["x-amazon-apigateway-integration"]
    assert integration["type"] == "http_proxy"
    assert integration["connectionType"] == "VPC_LINK"
    assert integration["connectionId"] == "VpcLink"
    assert integration["integrationTarget"] == BALANCER
    assert integration["uri"] == "https://backend.example:443/partner/{path}"
    assert integration["timeoutInMillis"] == 10000
    assert integration["requestParameters"]["integration.request.header.X-Api-Key"] == "'-'"


def test_the_link_is_of_the_second_kind_and_reaches_nothing_else(link: Any) -> None:
    """Which may lead to application load balancers."""
    assert list(link.of_type("AWS::ApiGatewayV2::VpcLink")) == ["VpcLink"]
    assert not link.of_type("AWS::ApiGateway::VpcLink")
    (rule,) = link.properties("VpcLinkSecurityGroup")["SecurityGroupEgress"]
    assert rule["DestinationSecurityGroupId"] == "sg-0b"


def test_addresses_rates_and_quota_hold_as_for_the_forwarder(link: Any) -> None:
    """The same partners, the same limits."""
    (statement,) = link.properties("PublicApi")["Body"]["x-amazon-apigateway-policy"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == "execute-api:/dev/*/partner/*"
    assert statement["Condition"] == {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}
    assert link.properties("PartnerPlan")["Quota"] == {"Limit": "1000", "Period": "DAY"}
