"""Templates of all kinds: what is read of them, where it is written, what is named as not read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from backstairs.access import Authorization, Kind, Unresolved
from backstairs.template.application import read_application
from backstairs.template.load import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backstairs.template.model import Application

    Read = Callable[..., Application]

SAM = "Transform: AWS::Serverless-2016-10-31\n"
LOOPS = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n"
APPLICATION = "arn:aws:serverlessrepo:a:1:applications/b"
FUNCTION = "Runtime: python3.13, Handler: index.handler, InlineCode: x"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a template of this text; other files of its folder by their names."""

    def reader(text: str, *, files: dict[str, str] | None = None, **parameters: str) -> Application:
        for name, content in {"template.yaml": text, **(files or {})}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, "utf-8")
        return read_application(tmp_path / "template.yaml", parameters=parameters)

    return reader


def routes(application: Application) -> set[str]:
    """API, stage, method, path and authorization of each route, and what is behind it."""
    return {
        f"{one.name} {one.api.stage} {route.method} {route.path} {route.authorization.value}"
        for one in application.apis
        for route in one.api.routes
    }


def not_read(application: Application) -> list[str]:
    return [f"{one.name} at {one.source}: {one.why}" for one in application.not_read]


def ways(application: Application) -> set[tuple[str, str, str | None]]:
    return {(one.name, one.kind, one.function) for one in application.other_ways}


def line_of(text: str, part: str) -> int:
    """The line, from 1, where a part of a text begins."""
    return text[: text.index(part)].count("\n") + 1


REST = """
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: x, EndpointConfiguration: {Types: [PRIVATE]}}
  Things:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: things}
  Thing:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !Ref Things, PathPart: "{id}"}
  Root:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: ANY}
  GetThing:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Thing
      HttpMethod: get
      AuthorizationType: AWS_IAM
      ApiKeyRequired: true
      Integration:
        Type: AWS_PROXY
        Uri: !Sub arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${F.Arn}/invocations
  Elsewhere:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: abc123, ResourceId: def456, HttpMethod: GET}
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: one}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: two}
  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, Role: !Ref AWS::NoValue}}
"""


def test_a_rest_api_of_resources_is_read(read: Read) -> None:
    """Paths by their parents, a stage of its own and one that the deployment makes."""
    application = read(REST)
    assert routes(application) == {
        f"Api {stage} {route}"
        for stage in ("one", "two")
        for route in ("ANY / NONE", "GET /things/{id} AWS_IAM")
    }
    api = application.apis[0]
    assert api.api.private
    (route,) = (one for one in api.api.routes if one.needs_key)
    assert route.function == "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert api.route_sources[route].line == line_of(REST, "GetThing:")


def test_a_method_of_an_api_elsewhere_is_named(read: Read) -> None:
    """It is a door, but nobody knows of what."""
    line = line_of(REST, "Elsewhere:")
    assert not_read(read(REST)) == [
        f"Elsewhere at template.yaml:{line}: it is a method of an API that is not in here: abc123"
    ]


HTTP = """
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: x, ProtocolType: HTTP}}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn}
  Get:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /things/{id}
      AuthorizationType: AWS_IAM
      Target: !Sub integrations/${Integration}
  Jwt:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: POST /things, AuthorizationType: JWT}
  Default: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $default}}
  Quick:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: q, ProtocolType: HTTP, Target: !GetAtt F.Arn}
  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, Role: !Ref AWS::NoValue}}
"""


def test_an_http_api_of_resources_and_one_of_quick_create_are_read(read: Read) -> None:
    """What asks for a token is decided by nobody; quick create makes a route and a stage."""
    application = read(HTTP)
    assert application.not_read == ()
    assert routes(application) == {
        "Api $default GET /things/{id} AWS_IAM",
        "Api $default POST /things CUSTOM",
        "Api $default ANY $default NONE",
        "Quick $default ANY $default NONE",
    }
    assert {one.api.kind for one in application.apis} == {Kind.HTTP}
    (get,) = (
        route for one in application.apis for route in one.api.routes if route.method == "GET"
    )
    assert get.function == "arn:aws:lambda:us-east-1:123456789012:function:f"


def test_the_second_stage_that_sam_makes_is_read(read: Read) -> None:
    """Without OpenApiVersion there is one named Stage besides."""
    event = "{Type: Api, Properties: {RestApiId: !Ref Api, Method: get, Path: /x}}"
    text = f"""{SAM}Resources:
  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: dev MORE}}}}
  F: {{Type: AWS::Serverless::Function, Properties: {{{FUNCTION}, Events: {{Get: {event}}}}}}}
"""
    assert routes(read(text.replace("MORE", ""))) == {
        "Api dev GET /x NONE",
        "Api Stage GET /x NONE",
    }
    one = read(text.replace("MORE", ", OpenApiVersion: 3.0.1"))
    assert routes(one) == {"Api dev GET /x NONE"}


IMPLICIT = f"""{SAM}Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {{StageName: dev, EndpointConfiguration: PRIVATE}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      {FUNCTION.replace(", ", chr(10) + "      ")}
      Events:
        Forgotten: {{Type: Api, Properties: {{Method: get, Path: /secret}}}}
        Http: {{Type: HttpApi, Properties: {{Method: get, Path: /secret}}}}
"""


def test_an_event_that_names_no_api_makes_a_public_one(read: Read) -> None:
    """Beside the private one, of either kind, at the line of the event."""
    application = read(IMPLICIT)
    assert "ServerlessRestApi Prod GET /secret NONE" in routes(application)
    assert "ServerlessHttpApi $default GET /secret NONE" in routes(application)
    for one in application.apis:
        assert one.api.private == (one.name == "Api")
    (api,) = (one for one in application.apis if one.name == "ServerlessHttpApi")
    (source,) = api.route_sources.values()
    assert (source.line, source.made_by) == (line_of(IMPLICIT, "Http:"), "Events.Http")


OPENAPI = """
openapi: 3.0.1
info: {title: x, version: "1"}
x-amazon-apigateway-policy:
  Version: "2012-10-17"
  Statement:
    - {Effect: Allow, Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*"}
paths:
  /x:
    get: {}
"""


@pytest.mark.parametrize(
    "definition",
    [
        "DefinitionUri: api/openapi.yaml",
        "DefinitionBody: {Fn::Transform: INCLUDE}",
        "DefinitionBody: !Transform INCLUDE",
    ],
)
def test_a_definition_in_a_file_is_read_with_its_lines(read: Read, definition: str) -> None:
    """By DefinitionUri and by AWS::Include; routes and statements stand in that file."""
    include = "{Name: AWS::Include, Parameters: {Location: api/openapi.yaml}}"
    definition = definition.replace("INCLUDE", include)
    properties = f"StageName: dev, OpenApiVersion: 3.0.1, {definition}"
    api = f"Type: AWS::Serverless::Api, Properties: {{{properties}}}"
    application = read(f"{SAM}Resources: {{Api: {{{api}}}}}", files={"api/openapi.yaml": OPENAPI})
    assert application.not_read == ()
    (one,) = application.apis
    (source,) = one.route_sources.values()
    assert (source.file, source.line) == ("api/openapi.yaml", line_of(OPENAPI, "get:"))
    assert one.api.policy is not None
    (statement,) = one.api.policy.statements
    assert statement.source is not None
    assert str(statement.source) == f"api/openapi.yaml:{line_of(OPENAPI, '- {Effect')}"


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("DefinitionUri: missing.yaml", "missing.yaml: cannot be read: No such file"),
        ("DefinitionUri: s3://bucket/key", "its definition (Body) cannot be read: "),
        ("DefinitionBody: {Fn::Transform: {Name: Mine}}", "the macro Mine may make anything"),
    ],
)
def test_an_api_whose_definition_is_elsewhere_is_named(
    read: Read, definition: str, why: str
) -> None:
    """It is not taken for one without routes or policy."""
    text = f"""{SAM}Resources:
  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: dev, {definition}}}}}
  Other: {{Type: AWS::Serverless::HttpApi, Properties: {{StageName: dev}}}}
"""
    application = read(text)
    assert any(one.name == "Api" and why in one.why for one in application.not_read)
    assert "Api" not in {one.name for one in application.apis if one.api.routes}
    assert {one.source.line for one in application.not_read} == {line_of(text, "Api:")}


def test_other_ways_in_are_named(read: Read) -> None:
    """WebSocket routes, function URLs, permissions, grants to invoke, domains, GraphQL."""
    application = read(
        f"""{SAM}Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      {FUNCTION.replace(", ", chr(10) + "      ")}
      FunctionUrlConfig: {{AuthType: NONE}}
      Policies: [{{LambdaInvokePolicy: {{FunctionName: !Ref G}}}}]
  G: {{Type: AWS::Serverless::Function, Properties: {{{FUNCTION}, FunctionName: g}}}}
  Everybody:
    Type: AWS::Lambda::Permission
    Properties: {{FunctionName: !GetAtt G.Arn, Action: "lambda:InvokeFunction", Principal: "*"}}
  Sockets: {{Type: AWS::ApiGatewayV2::Api, Properties: {{Name: x, ProtocolType: WEBSOCKET}}}}
  To:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Sockets
      IntegrationUri: !Sub arn:aws:apigateway:a:lambda:path/x/functions/${{G.Arn}}/invocations
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ApiId: !Ref Sockets, RouteKey: $connect, Target: !Sub "integrations/${{To}}"}}
  Graph: {{Type: AWS::AppSync::GraphQLApi, Properties: {{Name: g, AuthenticationType: API_KEY}}}}
  Bare: {{Type: AWS::ApiGateway::RestApi, Properties: {{Name: x}}}}
  Domain:
    Type: AWS::ApiGateway::BasePathMapping
    Properties: {{RestApiId: !Ref Bare, DomainName: api.example.com}}
"""
    )
    assert application.not_read == ()
    assert ways(application) >= {
        ("FUrl", "function URL", "F"),
        ("FRole", "lambda:InvokeFunction", "G"),
        ("Everybody", "lambda:InvokeFunction", "G"),
        ("Connect", "WebSocket API", "G"),
        ("Graph", "GraphQL API", None),
        ("Bare", "API without a stage", None),
        ("Domain", "custom domain", None),
    }
    assert ("FRole", "lambda:InvokeFunction", "F") not in ways(application)


@pytest.mark.parametrize(
    ("trusted", "action", "named"),
    [
        ("AWS: '*'", "execute-api:Invoke", True),
        ("AWS: 'arn:aws:iam::210987654321:root'", "execute-api:*", True),
        ("Federated: cognito-identity.amazonaws.com", "execute-api:Invoke", True),
        ("AWS: !ImportValue who", "'*'", True),
        ("Service: ec2.amazonaws.com", "execute-api:Invoke", False),
        ("AWS: '*'", "s3:GetObject", False),
    ],
)
def test_whoever_may_assume_a_role_that_may_call_is_another_way(
    read: Read, trusted: str, action: str, *, named: bool
) -> None:
    """The matrix asks for the role, not for who becomes it; services of AWS are its own matter."""
    application = read(
        f"""Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Principal: {{{trusted}}}, Action: sts:AssumeRole}}]
      Policies:
        - PolicyName: calls
          PolicyDocument: {{Statement: {{Effect: Allow, Action: {action}, Resource: "*"}}}}
"""
    )
    assert (("R", "sts:AssumeRole", None) in ways(application)) is named


def test_a_permission_of_an_api_here_is_its_route(read: Read) -> None:
    """SAM makes one for each event; it is no other way."""
    event = "{Type: HttpApi, Properties: {Method: get, Path: /x}}"
    function = (
        f"{{Type: AWS::Serverless::Function, Properties: {{{FUNCTION}, Events: {{G: {event}}}}}}}"
    )
    assert read(f"{SAM}Resources: {{F: {function}}}").other_ways == ()


GRANTED = "arn:aws:execute-api:*:*:*/dev/${Name}/x"
LOOP = f"""{LOOPS}
Parameters: {{Names: {{Type: CommaDelimitedList, Default: "read,write"}}}}
Mappings: {{Paths: {{read: {{Path: /r}}}}}}
Resources:
  Fn::ForEach::Functions:
    - Name
    - !Ref Names
    - ${{Name}}Function:
        Type: AWS::Serverless::Function
        Properties:
          {FUNCTION.replace(", ", chr(10) + "          ")}
          FunctionName: !Ref Name
          Policies:
            - Statement:
                - {{Effect: Allow, Action: "execute-api:Invoke", Resource: !Sub "{GRANTED}"}}
          Events:
            Fn::ForEach::Methods:
              - Method
              - [get, put]
              - On${{Method}}:
                  Type: HttpApi
                  Properties: {{Method: !Ref Method, Path: !Sub "/${{Name}}"}}
"""


def test_loops_are_written_out(read: Read) -> None:
    """Resources and, in them, events, each at the line of what the loop repeats."""
    application = read(LOOP)
    assert application.not_read == ()
    assert routes(application) == {
        f"ServerlessHttpApi $default {method} /{name} NONE"
        for method in ("GET", "PUT")
        for name in ("read", "write")
    }
    lines = {source.line for one in application.apis for source in one.route_sources.values()}
    assert lines == {line_of(LOOP, "On${Method}")}
    functions = {one.name: one for one in application.functions}
    assert functions.keys() == {"readFunction", "writeFunction"}
    assert functions["readFunction"].arn.endswith(":function:read")
    assert functions["readFunction"].source.line == line_of(LOOP, "${Name}Function")
    grants = [
        statement
        for one in application.principals
        for policy in one.principal.policies
        for statement in policy.statements
        if "execute-api:Invoke" in statement.actions
    ]
    assert {str(one.resources[0]).rpartition("dev")[2] for one in grants} == {"/read/x", "/write/x"}
    assert {one.source.line for one in grants if one.source} == {line_of(LOOP, "- {Effect")}
    assert {one.name for one in grants} == {"statement 1"}


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        ("[]", "is no loop"),
        ("[Name, !Ref Nobody, {'${Name}': {Type: AWS::S3::Bucket}}]", "goes through what is not"),
        ("[N, [a], {'Fn::ForEach::B': []}]", "is no loop"),
    ],
)
def test_a_loop_that_cannot_be_written_out_is_named(read: Read, loop: str, why: str) -> None:
    """The rest is read."""
    application = read(
        f"{LOOPS}Resources: {{'Fn::ForEach::A': {loop}, T: {{Type: AWS::S3::Bucket}}}}"
    )
    (problem,) = application.not_read
    assert problem.name == "Fn::ForEach::A"
    assert why in problem.why
    assert application.resources.keys() == {"T"}


def test_one_thing_that_cannot_be_read_stops_nothing_else(read: Read) -> None:
    """Macros, unknown types, what SAM refuses, the repository's applications."""
    event = "{Type: HttpApi, Properties: {Method: get, Path: /x}}"
    text = f"""Transform: [AWS::Serverless-2016-10-31, TheirMacro]
Resources:
  NoType: {{Properties: {{}}}}
  App:
    Type: AWS::Serverless::Application
    Properties: {{Location: {{ApplicationId: {APPLICATION}, SemanticVersion: 1.0.0}}}}
  Strange: {{Type: AWS::Serverless::Strange}}
  Part: {{Type: My::Own::Kind::MODULE}}
  Broken: {{Type: AWS::Serverless::Function, Properties: {{Runtime: 3}}}}
  Crash:
    Type: AWS::Serverless::Function
    Properties: {{{FUNCTION}, Events: {{S: {{Type: S3}}}}}}
  Whole:
    Type: AWS::Serverless::Function
    Properties: {{{FUNCTION}, Events: {{Good: {event}, Bad: {{Type: Api}}}}}}
"""
    application = read(text)
    assert routes(application) == {"ServerlessHttpApi $default GET /x NONE"}
    named = {one.name: one for one in application.not_read}
    assert named.keys() == {
        "TheirMacro",
        "NoType",
        "App",
        "Strange",
        "Part",
        "Broken",
        "Crash",
        "Whole",
    }
    assert "Event with id [Bad]" in named["Whole"].why
    for name in named.keys() - {"TheirMacro"}:
        assert named[name].source.line == line_of(text, f"{name}:")
    assert named["TheirMacro"].source.line == 1


def test_a_parameter_that_nobody_gives_is_a_value_of_its_own(read: Read) -> None:
    """The whitelisted endpoint is that very one, and equals no other; it is listed."""
    text = f"""{SAM}
Parameters:
  Endpoint: {{Type: String}}
  Other: {{Type: String}}
  Subnets: {{Type: "List<AWS::EC2::Subnet::Id>"}}
  Stage: {{Type: String, AllowedValues: [dev, prod]}}
  Kept: {{Type: "AWS::SSM::Parameter::Value<String>", Default: /a}}
Conditions: {{Same: !Equals [!Ref Endpoint, !Ref Other], Dev: !Equals [!Ref Stage, dev]}}
Resources:
  Never: {{Type: AWS::S3::Bucket, Condition: Same}}
  Always: {{Type: AWS::S3::Bucket, Condition: Dev}}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      OpenApiVersion: 3.0.1
      EndpointConfiguration: PRIVATE
      Auth: {{ResourcePolicy: {{IntrinsicVpceWhitelist: [!Ref Endpoint]}}}}
      DefinitionBody: {{openapi: 3.0.1, paths: {{/x: {{get: {{}}}}}}}}
"""
    application = read(text)
    assert application.assumed == {"Endpoint", "Other", "Subnets", "Stage"}
    (one,) = application.apis
    assert one.api.policy is not None
    (condition,) = one.api.policy.statements[1].conditions
    assert condition.values == (application.parameters["Endpoint"],)
    assert application.parameters["Stage"] == one.api.stage == "dev"
    assert isinstance(application.parameters["Kept"], Unresolved)
    assert "Never" not in application.resources
    assert "Always" in application.resources
    given = read(text, Endpoint="vpce-1", Other="vpce-1")
    assert given.assumed == {"Subnets", "Stage"}
    assert "Never" in given.resources


def test_an_account_that_nobody_gives_is_another_account(read: Read) -> None:
    """Its number is a number, so that a policy that names it is understood."""
    text = f"""{SAM}
Parameters: {{PartnerAccountId: {{Type: String}}}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth: {{ResourcePolicy: {{AwsAccountWhitelist: [!Ref PartnerAccountId]}}}}
      DefinitionBody: {{openapi: 3.0.1, paths: {{/x: {{get: {{}}}}}}}}
"""
    application = read(text)
    policy = application.apis[0].api.policy
    assert policy is not None
    (statement,) = policy.statements
    assert statement.problem is None
    assert statement.principals == (application.parameters["PartnerAccountId"],)
    assert application.account not in statement.principals


def test_nested_templates_are_read_with_what_they_are_given(read: Read) -> None:
    """Parameters go in, outputs come out; what is no local file is named, a circle too."""
    child = """
Parameters: {Name: {Type: String}}
Resources:
  Vpc: {Type: AWS::EC2::VPC}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name}}
Outputs: {Id: {Value: !Ref Vpc}, Name: {Value: !Ref Bucket}}
"""
    text = f"""{SAM}Resources:
  One:
    Type: AWS::Serverless::Application
    Properties: {{Location: child.yaml, Parameters: {{Name: mine}}}}
  Two:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: ./child.yaml, Parameters: {{Name: !GetAtt One.Outputs.Name}}}}
  Self: {{Type: AWS::Serverless::Application, Properties: {{Location: template.yaml}}}}
  Web: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: "https://s3.example/x.yaml"}}}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {{VpcId: !GetAtt Two.Outputs.Id, Tags: [!GetAtt Web.Outputs.X]}}
"""
    application = read(text.replace("  Self", "  #Self"), files={"child.yaml": child})
    assert [one.name for one in application.not_read] == ["Web"]
    assert application.resources["Two/Bucket"]["Properties"] == {"BucketName": "mine"}
    properties = application.resources["Subnet"]["Properties"]
    assert isinstance(properties, dict)
    assert properties["VpcId"] == "vpc-Two.Vpc"
    assert isinstance(properties["Tags"][0], Unresolved)
    assert str(application.sources["One/Vpc"]) == "child.yaml:4"
    assert application.templates.keys() == {"", "One/", "Two/"}
    circle = read(text, files={"child.yaml": child})
    assert any("nests itself" in one.why for one in circle.not_read)


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ("{/x: {default: {}}}", "path /x: default is no method of API Gateway's"),
        ("{/x: {$ref: other.yaml}}", "path /x: $ref is no method of API Gateway's"),
        ("{/x: {get: 3}}", "get /x cannot be read: 3"),
    ],
)
def test_a_path_that_cannot_be_read_stops_no_other(read: Read, paths: str, why: str) -> None:
    """What is beside the methods in OpenAPI is none: description, parameters, extensions."""
    body = f"{{openapi: 3.0.1, paths: {paths[:-1]}, /y: {{parameters: [], x-a: 1, get: {{}}}}}}}}"
    api = f"Type: AWS::Serverless::HttpApi, Properties: {{DefinitionBody: {body}}}"
    application = read(f"{SAM}Resources: {{Api: {{{api}}}}}")
    assert routes(application) == {"Api $default GET /y NONE"}
    assert [one.why for one in application.not_read] == [why]


def test_an_include_of_resources_that_cannot_be_read_is_named(read: Read) -> None:
    """And its place is not taken for a resource."""
    macro = "{Name: AWS::Include, Parameters: {Location: missing.yaml}}"
    application = read(f"Resources: {{'Fn::Transform': {macro}, B: {{Type: AWS::S3::Bucket}}}}")
    assert [one.why for one in application.not_read] == [
        "missing.yaml: cannot be read: No such file or directory"
    ]
    assert application.resources.keys() == {"B"}


def test_what_may_not_exist_is_named(read: Read) -> None:
    """An API whose condition hangs on an import, one in a stack whose condition does, a route."""
    text = f"""{SAM}
Conditions: {{Open: !Equals [!ImportValue x, "y"]}}
Resources:
  One: {{Type: AWS::ApiGatewayV2::Api, Condition: Open, Properties: {{Name: a, Target: "arn:x"}}}}
  Two: {{Type: AWS::CloudFormation::Stack, Condition: Open, Properties: {{TemplateURL: two.yaml}}}}
"""
    two = "Resources: {Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: b, Target: 'arn:x'}}}"
    application = read(text, files={"two.yaml": two})
    assert [one.name for one in application.not_read] == ["One", "Two/Api"]
    assert {one.why for one in application.not_read} == {
        "whether it exists is not known: import of x"
    }
    assert {one.name for one in application.apis} == {"One", "Two/Api"}


def test_json_templates_have_lines(tmp_path: Path) -> None:
    """With tabs too."""
    bucket = {"Type": "AWS::S3::Bucket", "Condition": "Open"}
    template = {
        "Conditions": {"Open": {"Fn::Equals": [{"Fn::ImportValue": "x"}, "y"]}},
        "Resources": {"A": bucket, "B": {"Type": "AWS::EC2::VPC", "Properties": {}}},
    }
    (tmp_path / "template.json").write_text(json.dumps(template, indent="\t"), "utf-8")
    application = read_application(tmp_path / "template.json")
    lines = (tmp_path / "template.json").read_text("utf-8").splitlines()
    for name, source in application.sources.items():
        assert lines[source.line - 1].strip() == f'"{name}": {{'
    assert application.sources.keys() == {"A", "B"}


def test_a_users_own_sid_is_kept(read: Read) -> None:
    """The mark that finds a statement's line is taken off again."""
    statement = "{SID Effect: Allow, Principal: '*', Action: '*', Resource: '*'}"
    text = f"""{SAM}Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        ResourcePolicy:
          CustomStatements:
            - {statement.replace("SID", "Sid: Mine,")}
            - {statement.replace("SID", "")}
"""
    application = read(text)
    policy = application.apis[0].api.policy
    assert policy is not None
    assert [one.name for one in policy.statements] == ["Mine", "statement 2"]
    first = line_of(text, "- {Sid")
    assert [one.source.line for one in policy.statements if one.source] == [first, first + 1]
    written = json.dumps(application.templates[""]) + json.dumps(application.resources)
    assert "BackstairsStatement" not in written


def test_a_grant_that_sam_makes_points_at_the_policy_that_made_it(read: Read) -> None:
    """Policy templates have no statements of their own to point at."""
    text = f"""{SAM}Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      {FUNCTION.replace(", ", chr(10) + "      ")}
      Policies:
        - AWSLambdaExecute
        - LambdaInvokePolicy: {{FunctionName: mine}}
        - SQSPollerPolicy: {{QueueName: mine}}
"""
    (role,) = read(text).principals
    sources = {
        action: statement.source
        for policy in role.principal.policies
        for statement in policy.statements
        for action in statement.actions
        if statement.source
    }
    for action, template in (
        ("lambda:InvokeFunction", "LambdaInvokePolicy"),
        ("sqs:ReceiveMessage", "SQSPollerPolicy"),
    ):
        assert sources[action].line == line_of(text, f"- {template}")
        assert sources[action].made_by == "Policies"


def test_nothing_is_asked_of_anybody(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is opened, whatever a template refers to."""
    opened: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda *address: opened.append(address))
    read(
        f"""{SAM}
Parameters: {{Kept: {{Type: "AWS::SSM::Parameter::Value<String>", Default: /a}}}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      {FUNCTION.replace(", ", chr(10) + "      ")}
      Policies: [AmazonDynamoDBFullAccess, "{{{{resolve:ssm:/policy}}}}"]
  App:
    Type: AWS::Serverless::Application
    Properties: {{Location: {{ApplicationId: {APPLICATION}, SemanticVersion: 1.0.0}}}}
"""
    )
    assert opened == []


def test_a_file_that_is_no_template_is_refused(tmp_path: Path) -> None:
    """Only that is."""
    for text in ("[a]", "Resources: {}", "a: [", "[" * 4000, "[" * 100_000):
        (tmp_path / "template.yaml").write_text(text, "utf-8")
        with pytest.raises(TemplateError):
            read_application(tmp_path / "template.yaml")


def test_authorization_of_routes_by_resource_is_never_guessed(read: Read) -> None:
    """An authorization that is not known is decided by nobody."""
    text = REST.replace("AuthorizationType: AWS_IAM", "AuthorizationType: !ImportValue x")
    found = [route.authorization for route in read(text).apis[0].api.routes if route.path != "/"]
    assert found == [Authorization.CUSTOM]
