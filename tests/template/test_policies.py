"""Resource policies as templates write them."""

from __future__ import annotations

import json

from tests.template.reading import read

API = """
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: things
      EndpointConfiguration: {Types: [PRIVATE]}
      Body:
        openapi: 3.0.1
        info: {title: things, version: "1"}
        paths:
          /things: {get: {x-amazon-apigateway-integration: {type: mock}, responses: {}}}
      Policy: POLICY
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {StageName: v1, RestApiId: !Ref Api, DeploymentId: !Ref Deployment}
"""
STATEMENT = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "execute-api:Invoke",
    "Resource": "execute-api:/*",
    "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
}


def test_a_policy_that_is_written_as_text_is_read_as_one() -> None:
    """CloudFormation takes JSON in a text for a document."""
    document = {"Version": "2012-10-17", "Statement": [STATEMENT]}
    as_text = json.dumps(json.dumps(document))
    policies = [
        read(API.replace("POLICY", written)).apis[0].api.policy
        for written in (as_text, json.dumps(document))
    ]
    assert policies[0] is not None
    assert policies[0].statements[0].problem is None
    assert policies[0] == policies[1]
