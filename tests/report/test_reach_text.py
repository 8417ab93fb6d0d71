"""Who reaches which endpoint, as text and as JSON."""

from __future__ import annotations

import json

from backstairs.report.formats import reach_text
from backstairs.report.reach import reach
from tests.template.reading import read

TEMPLATE = """
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      VpcId: !Ref Vpc
      ServiceName: com.amazonaws.us-east-1.execute-api
      SubnetIds: [!Ref Subnet]
  First:
    Type: AWS::EC2::Instance
    Properties: {SubnetId: !Ref Subnet}
  Second:
    Type: AWS::EC2::Instance
    Properties: {SubnetId: !Ref Subnet}
  Elsewhere:
    Type: AWS::EC2::Instance
    Properties: {SubnetId: subnet-1}
  Attachment:
    Type: AWS::EC2::TransitGatewayVpcAttachment
    Properties: {VpcId: !Ref Vpc, SubnetIds: [!Ref Subnet], TransitGatewayId: tgw-1}
"""
NOTHING = "Resources: {Topic: {Type: AWS::SNS::Topic}}"


def text(template: str, *, why: bool = False) -> str:
    """What is told, on one line."""
    application = read(template)
    told = reach_text.render(application, reach(application), why=why)
    assert all(len(line) <= 80 for line in told.splitlines())
    return " ".join(told.split())


def test_alike_clients_are_told_together() -> None:
    """With the ways that they share, and each part's line."""
    told = text(TEMPLATE)
    assert "reachable: First and Second its own names: Vpc resolves them" in told
    assert "the rule that AWS gives sg-default-of-Vpc lets it into Endpoint" in told
    assert "unknown: Elsewhere subnet-1 is not in the template (template.yaml:22)" in told
    assert "API Gateway's names" not in told


def test_what_is_not_modelled_is_told() -> None:
    """By name, with its line."""
    told = text(TEMPLATE)
    assert "Attachment: what a transit gateway connects is not modelled (template.yaml:25)" in told


def test_why_has_every_name_and_how_each_rule_is_known() -> None:
    """So that one sees which of the endpoint's names lead to it."""
    told = text(TEMPLATE, why=True)
    assert "[default-group, AWS document]" in told
    assert "API Gateway's names: no: Endpoint has no private DNS" in told


def test_a_template_without_endpoints_says_so() -> None:
    """Where there is nothing to reach."""
    assert "It declares no endpoint" in text(NOTHING)


def test_json_has_all_of_it() -> None:
    """For programs: every client with its reasons and names."""
    application = read(TEMPLATE)
    document = json.loads(reach_text.as_json(application, reach(application)))
    first, _, elsewhere = document["reach"]
    assert (first["client"], first["kind"], first["verdict"]) == ("First", "host", "reachable")
    assert {"rule": "local-route", "source": "template.yaml:3"}.items() <= first["reasons"][
        1
    ].items()
    assert {one["name"]: one["leadsThere"] for one in first["names"]} == {
        "its own names": True,
        "API Gateway's names": False,
    }
    assert elsewhere["verdict"] == "unknown"
    assert [one["name"] for one in document["notModelled"]] == ["Attachment"]
