"""The APIs that are found in a template, with the policies and routes that SAM gives them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Endpoint,
    Kind,
    Origin,
    Principal,
    Unresolved,
    Verdict,
    decide,
)
from backstairs.template.intrinsics import Known, parameter_values
from backstairs.template.load import TemplateError, parse
from backstairs.template.openapi import read_routes, route_key
from backstairs.template.translate import translate
from tests.template.apis_of import apis_of as apis_of_known

ACCOUNT, REGION = "123456789012", "eu-central-1"
INSIDE = Origin("inside", Endpoint("vpce-1", "vpc-1"), "10.0.0.7")
ELSEWHERE = Origin("elsewhere", Endpoint("vpce-2", "vpc-2"), "10.9.0.7")

API = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Endpoint: {Type: String, Default: vpce-9}
  Endpoints: {Type: CommaDelimitedList, Default: "vpce-1,vpce-2"}
  Never: {Type: String, Default: "no"}
Conditions:
  Nowhere: !Equals [!Ref Never, "yes"]
Resources:
  TypesApi:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      OpenApiVersion: 3.0.1
      EndpointConfiguration: {Type: PRIVATE}
      Auth: AUTH
  TypesFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: types.lambda_handler
      CodeUri: functions/types
      Events:
        Get:
          Type: Api
          Properties: {RestApiId: !Ref TypesApi, Method: GET, Path: "/types/{id}"}
"""


def read(template: dict[str, Any], **parameters: str) -> tuple[list[Api], list[str]]:
    """The APIs, and what was not read of them."""
    known = Known(
        parameters=parameter_values(template, parameters),
        physical_ids={"TypesApi": "a1b2c3d4e5", "TypesFunction": "types"},
        account=ACCOUNT,
        region=REGION,
        stack_name="stack",
        attribute=lambda logical_id, name: f"arn:{logical_id}:{name}",
    )
    apis, not_read = apis_of_known(template, known)
    return apis, [f"{one.name}: {one.why}" for one in not_read]


def apis_of(template: dict[str, Any], **parameters: str) -> list[Api]:
    """The APIs of a template of which everything is read."""
    apis, not_read = read(template, **parameters)
    assert not_read == []
    return apis


def api_with(auth: str) -> Api:
    """The one API of the template above."""
    parameters = {"Endpoint": "vpce-1"}
    template = parse(API.replace("AUTH", auth), "t.yaml")
    (api,) = apis_of(translate(template, parameters, "t.yaml", REGION), **parameters)
    return api


def verdict(api: Api, origin: Origin = INSIDE, caller: Principal | None = None) -> Verdict:
    (route,) = api.routes
    return decide(Call(origin, "GET", "/types/t-1", api, route, caller)).verdict


def test_an_api_is_found_with_its_routes_and_names() -> None:
    """Physical id, stage, endpoint type, method, path, function."""
    api = api_with("{ResourcePolicy: {IntrinsicVpceWhitelist: [!Ref Endpoint]}}")
    assert (api.api_id, api.name, api.stage, api.region, api.account, api.private) == (
        "a1b2c3d4e5",
        "TypesApi",
        "dev",
        REGION,
        ACCOUNT,
        True,
    )
    (route,) = api.routes
    assert (route.method, route.path, route.authorization, route.needs_key) == (
        "GET",
        "/types/{id}",
        Authorization.NONE,
        False,
    )
    assert route.function == "arn:TypesFunction:Arn"


WHITELIST = "{ResourcePolicy: {IntrinsicVpceWhitelist: %s}}"
ALLOWED, REFUSED, UNKNOWN = Verdict.ALLOWED, Verdict.REFUSED, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("auth", "inside", "elsewhere"),
    [
        (WHITELIST % "[!Ref Endpoint]", ALLOWED, REFUSED),
        (WHITELIST % "[vpce-0, vpce-1]", ALLOWED, REFUSED),
        # From here on SAM is given what it takes without a word and makes something else of.
        (WHITELIST % "vpce-1", REFUSED, REFUSED),
        (WHITELIST % "!Ref Endpoint", REFUSED, REFUSED),
        (WHITELIST % "!Ref Endpoints", REFUSED, REFUSED),
        (WHITELIST % "!Split [',', !ImportValue endpoints]", REFUSED, REFUSED),
        (WHITELIST % "!If [Nowhere, [vpce-0], [vpce-1]]", REFUSED, REFUSED),
        (WHITELIST % "[!If [Nowhere, vpce-1, !Ref AWS::NoValue]]", UNKNOWN, UNKNOWN),
        (WHITELIST % "[!ImportValue endpoint]", UNKNOWN, UNKNOWN),
        (WHITELIST % "[]", UNKNOWN, UNKNOWN),
        (
            "{ResourcePolicy: !If [Nowhere, {}, {IntrinsicVpceWhitelist: [vpce-1]}]}",
            UNKNOWN,
            UNKNOWN,
        ),
        ("{InvokeRole: NONE}", REFUSED, REFUSED),
    ],
)
def test_a_whitelist_that_sam_corrupts_admits_nobody_here_either(
    auth: str, inside: Verdict, elsewhere: Verdict
) -> None:
    """Letters, names of intrinsics, empty lists, no policy: never as if it were well."""
    api = api_with(auth)
    assert (verdict(api), verdict(api, ELSEWHERE)) == (inside, elsewhere)


ROLE = Principal(
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Consumer/session",
    principal_arn=f"arn:aws:iam::{ACCOUNT}:role/Consumer",
    account=ACCOUNT,
    kind="AssumedRole",
)
SIGNED = "DefaultAuthorizer: AWS_IAM, InvokeRole: NONE"
DENY = (
    "{Effect: Deny, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*', "
    "Condition: {StringNotEquals: {'aws:SourceVpce': %s}}}"
)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("{IntrinsicVpceWhitelist: [vpce-1]}", ALLOWED),
        (f"{{CustomStatements: [{DENY % '!Ref Endpoint'}]}}", REFUSED),
        (f"{{CustomStatements: [{DENY % '!Ref Endpoints'}]}}", REFUSED),
        (f"{{CustomStatements: [!If [Nowhere, {DENY % 'x'}, {DENY % 'vpce-1'}]]}}", REFUSED),
    ],
)
def test_the_whitelist_admits_without_a_grant_and_denies_alone_do_not(
    policy: str, expected: Verdict
) -> None:
    """The trap of the intrinsic, and the way out; custom statements pass through intact."""
    api = api_with(f"{{{SIGNED}, ResourcePolicy: {policy}}}")
    assert api.routes[0].authorization is Authorization.AWS_IAM
    assert verdict(api, INSIDE, ROLE) is expected


@pytest.mark.parametrize(
    ("auth", "authorization", "needs_key"),
    [
        (f"{{{SIGNED}}}", Authorization.AWS_IAM, False),
        (f"{{{SIGNED}, ApiKeyRequired: true}}", Authorization.AWS_IAM, True),
        ("{ApiKeyRequired: true}", Authorization.NONE, True),
        (
            "{DefaultAuthorizer: C, Authorizers: {C: {UserPoolArn: 'arn:aws:cognito-idp:a:1:b'}}}",
            Authorization.COGNITO_USER_POOLS,
            False,
        ),
        (
            "{DefaultAuthorizer: L, Authorizers: {L: {FunctionArn: 'arn:aws:lambda:a:1:b:c'}}}",
            Authorization.CUSTOM,
            False,
        ),
    ],
)
def test_authorization_is_read_as_sam_writes_it(
    auth: str, authorization: Authorization, *, needs_key: bool
) -> None:
    """IAM, key, user pool, Lambda authorizer."""
    (route,) = api_with(auth).routes
    assert (route.authorization, route.needs_key) == (authorization, needs_key)


IAM_SCHEME = {"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"}
POOL_SCHEME = {"type": "apiKey", "x-amazon-apigateway-authtype": "cognito_user_pools"}
KEY_SCHEME = {"type": "apiKey", "name": "X-API-Key", "in": "header"}
SCHEMES = {"sigv4": IAM_SCHEME, "pool": POOL_SCHEME, "key": KEY_SCHEME}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ({}, Authorization.NONE),
        ({"security": []}, Authorization.NONE),
        ({"security": [{"NONE": []}]}, Authorization.NONE),
        ({"security": [{"sigv4": []}]}, Authorization.AWS_IAM),
        ({"security": [{"key": []}, {"sigv4": []}]}, Authorization.AWS_IAM),
        ({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}, Authorization.AWS_IAM),
        ({"x-amazon-apigateway-auth": {"type": "NONE"}}, Authorization.NONE),
        (
            {"security": [{"sigv4": []}], "x-amazon-apigateway-auth": {"type": "AWS_IAM"}},
            Authorization.AWS_IAM,
        ),
        (
            {"security": [{"sigv4": []}], "x-amazon-apigateway-auth": {"type": "NONE"}},
            Authorization.CUSTOM,
        ),
        ({"x-amazon-apigateway-auth": {"type": "SOMETHING"}}, Authorization.CUSTOM),
        ({"x-amazon-apigateway-auth": Unresolved("x")}, Authorization.CUSTOM),
        ({"security": [{"sigv4": []}, {"pool": []}]}, Authorization.CUSTOM),
        ({"security": [{"undefined": []}]}, Authorization.CUSTOM),
        ({"security": "sigv4"}, Authorization.CUSTOM),
        ({"security": ["sigv4"]}, Authorization.CUSTOM),
        ({"security": Unresolved("x")}, Authorization.CUSTOM),
    ],
)
def test_authorization_that_is_not_understood_is_never_read_as_none(
    method: dict[str, Any], expected: Authorization
) -> None:
    """A hand-written definition, old or new OpenAPI; CUSTOM is decided by nobody."""
    for definition in (
        {"components": {"securitySchemes": SCHEMES}},
        {"securityDefinitions": SCHEMES},
    ):
        (route,) = read_routes({**definition, "paths": {"/x": {"get": method}}}, "t.yaml: Api")
        assert route.authorization is expected


def test_security_of_the_whole_definition_holds_for_its_methods() -> None:
    """Unless a method has its own."""
    body = {
        "security": [{"sigv4": []}],
        "components": {"securitySchemes": SCHEMES},
        "paths": {"/x": {"get": {}, "put": {"security": []}, "parameters": []}},
    }
    assert [(route.method, route.authorization) for route in read_routes(body, "t")] == [
        ("GET", Authorization.AWS_IAM),
        ("PUT", Authorization.NONE),
    ]


def test_any_method_and_other_backends_are_read() -> None:
    """ANY by its name; only a Lambda integration has a function."""
    lambda_uri = "arn:aws:apigateway:a:lambda:path/2015-03-31/functions/arn:f:1/invocations"
    integration = "x-amazon-apigateway-integration"
    body = {
        "paths": {
            "/x": {"x-amazon-apigateway-any-method": {integration: {"uri": lambda_uri}}},
            "/y": {"get": {integration: {"uri": "https://backend.example/"}}},
            "/z": {"get": {integration: Unresolved("x")}},
        }
    }
    assert [(route.method, route.function) for route in read_routes(body, "t")] == [
        ("ANY", "arn:f:1"),
        ("GET", None),
        ("GET", None),
    ]


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ([], "t.yaml: Api: its paths cannot be read"),
        (Unresolved("x"), "t.yaml: Api: its paths cannot be read: <x>"),
        ({"/x": []}, "t.yaml: Api: path /x cannot be read"),
        ({"/x": {"get": Unresolved("y")}}, "t.yaml: Api: get /x cannot be read: <y>"),
    ],
)
def test_routes_that_cannot_be_read_are_named(paths: object, says: str) -> None:
    """The API, the path and the verb."""
    with pytest.raises(TemplateError) as caught:
        read_routes({"paths": paths}, "t.yaml: Api")
    assert str(caught.value).startswith(says)


BODY: dict[str, Any] = {"paths": {"/x": {"get": {"security": []}}}}
STAGE = {
    "Type": "AWS::ApiGateway::Stage",
    "Properties": {"RestApiId": {"Ref": "TypesApi"}, "StageName": "dev"},
}


def plain(**properties: Any) -> dict[str, Any]:
    """A hand-written REST API with a stage."""
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": BODY, **properties}}
    return {
        "Conditions": {"Open": {"Fn::Equals": [{"Ref": "Missing"}, "x"]}},
        "Resources": {"TypesApi": api, "Stage": STAGE},
    }


@pytest.mark.parametrize(
    ("properties", "private"),
    [
        ({}, False),
        ({"EndpointConfiguration": {"Types": ["REGIONAL"]}}, False),
        ({"EndpointConfiguration": {"Types": ["PRIVATE"], "VpcEndpointIds": []}}, True),
        ({"EndpointConfiguration": {"Ref": "AWS::NoValue"}}, False),
        ({"Parameters": {"endpointConfigurationTypes": "PRIVATE"}}, True),
    ],
)
def test_the_endpoint_type_is_read(properties: dict[str, Any], *, private: bool) -> None:
    """EDGE where nothing is said; SAM says it in two places."""
    (api,) = apis_of(plain(**properties))
    assert api.private is private


@pytest.mark.parametrize(
    "configuration",
    [
        {"Fn::If": ["Open", {"Types": ["REGIONAL"]}, {"Types": ["PRIVATE"]}]},
        {"Types": {"Fn::If": ["Open", ["REGIONAL"], ["PRIVATE"]]}},
        {"Types": [{"Fn::If": ["Open", "REGIONAL", "PRIVATE"]}]},
        {"Types": "PRIVATE"},
    ],
)
def test_an_endpoint_type_that_is_not_known_is_never_taken_for_public(
    configuration: dict[str, Any],
) -> None:
    """The API is named as not read."""
    apis, (why,) = read(plain(EndpointConfiguration=configuration))
    assert apis == []
    assert why.startswith("TypesApi: EndpointConfiguration: ")


ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [ALLOW]}
PRIVATE = {"Types": ["PRIVATE"]}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, REFUSED),
        ({"Policy": {"Ref": "AWS::NoValue"}}, REFUSED),
        ({"Policy": POLICY}, ALLOWED),
        ({"Policy": json.dumps(POLICY)}, ALLOWED),
        ({"Policy": {"Fn::If": ["Open", POLICY, POLICY]}}, UNKNOWN),
        ({"Body": {**BODY, "x-amazon-apigateway-policy": POLICY}}, ALLOWED),
        ({"Body": {**BODY, "x-amazon-apigateway-policy": {}}}, UNKNOWN),
        ({"Policy": POLICY, "Body": {**BODY, "x-amazon-apigateway-policy": POLICY}}, UNKNOWN),
    ],
)
def test_the_policy_is_read_from_where_it_stands(
    properties: dict[str, Any], expected: Verdict
) -> None:
    """The API's property or its definition; both, or neither for sure, is not known."""
    (api,) = apis_of(plain(EndpointConfiguration=PRIVATE, **properties))
    assert verdict(api) is expected


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (plain(Body=None), "TypesApi: its definition (Body) cannot be read: None"),
        (plain(Body={"Fn::Transform": {}}), "TypesApi: its definition (Body) cannot be read: <"),
        (
            {"Resources": {"Stage": STAGE}},
            "Stage: it is a stage of an API that is not in here: a1b2c3d4e5",
        ),
        (
            {"Resources": {"Stage": {"Type": STAGE["Type"], "Properties": {"RestApiId": "abc"}}}},
            "Stage: it is a stage of an API that is not in here: abc",
        ),
        (
            {"Resources": {"Stage": {"Type": STAGE["Type"]}}},
            "Stage: it is a stage of an API that is not in here: None",
        ),
        (
            {"Resources": {"TypesApi": {"Type": "AWS::S3::Bucket"}, "Stage": STAGE}},
            "Stage: it is a stage of an API that is not in here: a1b2c3d4e5",
        ),
        (
            {
                "Resources": {
                    **plain()["Resources"],
                    "Stage": {
                        "Type": STAGE["Type"],
                        "Properties": {
                            "RestApiId": {"Ref": "TypesApi"},
                            "StageName": {"Ref": "Missing"},
                        },
                    },
                }
            },
            "TypesApi: the name of its stage is not known: <Ref Missing>",
        ),
    ],
)
def test_an_api_that_cannot_be_read_is_named(template: dict[str, Any], says: str) -> None:
    """By its logical id, with what is not understood; the rest is read."""
    apis, (why,) = read(template)
    assert apis == []
    assert why.startswith(says)


def test_an_api_that_is_not_created_is_not_found() -> None:
    """Its condition and its stage's are false."""
    template = copy.deepcopy(plain())
    template["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    for resource in template["Resources"].values():
        resource["Condition"] = "Never"
    assert apis_of(template) == []


PUBLIC = """
Transform: AWS::Serverless-2016-10-31
Resources:
  TypesFunction:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: x, Handler: index.handler, Runtime: python3.13}
  TypesApi:
    Type: AWS::Serverless::TYPE
    Properties:
      StageName: dev
      MORE
      DefinitionBody:
        openapi: 3.0.1
        info: {title: types, version: "1"}
        components:
          securitySchemes:
            api_key: {type: apiKey, name: x-api-key, in: header}
            sigv4:
              type: apiKey
              name: Authorization
              in: header
              x-amazon-apigateway-authtype: awsSigv4
        paths:
          /hooks: {post: {security: [], x-amazon-apigateway-integration: &function {
            type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0", uri: !Sub
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${TypesFunction.Arn}/invocations"}}}
          /partner/{path+}: {x-amazon-apigateway-any-method: {
            security: [{SCHEME: []}], x-amazon-apigateway-integration: *function}}
          $default: {x-amazon-apigateway-any-method: {
            security: [], x-amazon-apigateway-integration: *function}}
"""


def public(kind: str, scheme: str, more: str = "") -> Api:
    """The one API of the template above."""
    text = PUBLIC.replace("TYPE", kind).replace("SCHEME", scheme).replace("MORE", more)
    (api,) = apis_of(translate(parse(text, "t.yaml"), {}, "t.yaml", REGION))
    return api


def test_an_http_api_is_read() -> None:
    """Public, without a policy, and its routes are those of its definition."""
    api = public("HttpApi", "sigv4")
    assert (api.kind, api.stage, api.private, api.policy) == (Kind.HTTP, "dev", False, None)
    assert {route_key(route): route.authorization for route in api.routes} == {
        "POST /hooks": Authorization.NONE,
        "ANY /partner/{path+}": Authorization.AWS_IAM,
        "$default": Authorization.NONE,
    }
    assert {route.function for route in api.routes} == {"arn:TypesFunction:Arn"}
    assert not api.needs_key


def test_a_rest_api_with_keys_is_read() -> None:
    """Which methods ask for a key, and where keys come from."""
    api = public("Api", "api_key", "OpenApiVersion: 3.0.1")
    assert (api.kind, api.key_source, api.needs_key) == (Kind.REST, "HEADER", True)
    needs = {route.path: route.needs_key for route in api.routes}
    assert needs == {"/hooks": False, "/partner/{path+}": True, "$default": False}
    (api,) = apis_of(plain(ApiKeySourceType="AUTHORIZER"))
    assert api.key_source == "AUTHORIZER"
    assert not api.needs_key


@pytest.mark.parametrize(
    ("said", "expected"),
    [("true", False), ("false", True), ("!Equals [a, a]", False), ("!Ref AWS::Region", None)],
)
@pytest.mark.parametrize("kind", ["Api", "HttpApi"])
def test_a_disabled_default_endpoint_is_read(
    kind: str, said: str, *, expected: bool | None
) -> None:
    """As SAM writes it, for both kinds; what is not a boolean is not known."""
    version = "OpenApiVersion: 3.0.1" if kind == "Api" else ""
    scheme = "api_key" if kind == "Api" else "sigv4"
    api = public(kind, scheme, version)
    assert api.default_endpoint is True
    disabled = f"DisableExecuteApiEndpoint: {said}"
    more = f"{disabled}\n      {version}"
    assert public(kind, scheme, more).default_endpoint is expected


def test_a_disabled_default_endpoint_is_read_from_where_it_stands() -> None:
    """The property or the definition; either disables it."""
    extension = {"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True}}
    said: list[dict[str, Any]] = [
        {"DisableExecuteApiEndpoint": True},
        {"Body": BODY | extension},
        {"DisableExecuteApiEndpoint": False, "Body": BODY | extension},
        {"DisableExecuteApiEndpoint": {"Fn::If": ["Open", True, False]}},
        {"Body": BODY | {"x-amazon-apigateway-endpoint-configuration": Unresolved("x")}},
        {"Body": BODY | {"servers": [{}, extension]}},
        {"Body": BODY | {"servers": [{"url": "https://a.example"}]}},
        {"Body": BODY | {"servers": Unresolved("x")}},
        {"DisableExecuteApiEndpoint": "true"},
    ]
    found = [apis_of(plain(**properties))[0].default_endpoint for properties in said]
    assert found == [False, False, False, None, None, False, True, None, False]


def test_an_http_api_asking_for_a_key_is_not_decided() -> None:
    """It has no API keys, so nobody is let in and nobody told that AWS would refuse."""
    api = public("HttpApi", "api_key")
    route = next(route for route in api.routes if route.needs_key)
    call = Call(Origin("web", None, "203.0.113.10"), "GET", "/partner/x", api, route)
    assert decide(call).verdict is Verdict.UNKNOWN
