"""What a public API needs of the emulated account: keys, plans, HTTP APIs, custom resources."""

from __future__ import annotations

import json
import textwrap
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.account.apis import deployed_stages
from backstairs.account.client import Account as LocalAccount
from tests.local.test_emulator import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own, killed at the end."""
    started = Account(tmp_path_factory.mktemp("state"))
    yield started
    started.process.kill()
    started.process.communicate()


@pytest.fixture
def name() -> str:
    """A stack's name that no other test uses."""
    return f"edge-{uuid.uuid4().hex[:8]}"


def rest_api(**more: Json) -> Json:
    """A REST API with a stage, and whatever else."""
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI}
    method = {"security": [{"api_key": []}], "x-amazon-apigateway-integration": integration}
    body = {
        "openapi": "3.0.1",
        "info": {"title": "public", "version": "1"},
        "paths": {"/partner/{path+}": {"x-amazon-apigateway-any-method": method}},
    }
    return {
        "Parameters": {"Rate": {"Type": "Number", "Default": "10"}},
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {"Body": body, "BinaryMediaTypes": ["*~1*"]},
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": "Deployment"},
                    "StageName": "dev",
                    "MethodSettings": [
                        {
                            "ResourcePath": "/*",
                            "HttpMethod": "*",
                            "ThrottlingRateLimit": {"Ref": "Rate"},
                            "ThrottlingBurstLimit": {"Ref": "Rate"},
                        }
                    ],
                },
            },
            **more,
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


def plan(stage: str = "dev", **properties: object) -> Json:
    """A usage plan of the stage."""
    method = {"/partner/{path+}/ANY": {"RateLimit": 2, "BurstLimit": 3}}
    return {
        "Type": "AWS::ApiGateway::UsagePlan",
        "DependsOn": "Stage",
        "Properties": {
            "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": stage, "Throttle": method}],
            "Throttle": {"RateLimit": {"Ref": "Rate"}, "BurstLimit": 5},
            "Quota": {"Limit": {"Ref": "Rate"}, "Period": "DAY"},
            **properties,
        },
    }


def key(**properties: object) -> Json:
    """An API key with a generated value."""
    return {"Type": "AWS::ApiGateway::ApiKey", "Properties": properties}


def in_plan(key_id: object) -> Json:
    """A key's place in the plan."""
    properties = {"KeyId": key_id, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}
    return {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": properties}


def test_a_key_with_its_plan(account: Account, name: str) -> None:
    """Numbers are numbers, a method's throttle is kept, values are for those who ask for them."""
    template = rest_api(Key=key(Enabled="true"), Plan=plan(), PlanKey=in_plan({"Ref": "Key"}))
    api_id = account.deploy(name, template, Rate="7")["Api"]
    gateway = account.client("apigateway")

    [found] = [one for one in gateway.get_usage_plans()["items"] if name in one["name"]]
    assert found["throttle"] == {"rateLimit": 7.0, "burstLimit": 5}
    assert found["quota"] == {"limit": 7, "period": "DAY"}
    [stage] = found["apiStages"]
    throttle = {"/partner/{path+}/ANY": {"rateLimit": 2.0, "burstLimit": 3}}
    assert stage == {"apiId": api_id, "stage": "dev", "throttle": throttle}
    [in_it] = gateway.get_usage_plan_keys(usagePlanId=found["id"])["items"]
    shown = gateway.get_api_key(apiKey=in_it["id"])
    assert (shown["enabled"], "value" in shown) == (True, False)
    assert all("value" not in one for one in gateway.get_api_keys()["items"])
    value = gateway.get_api_key(apiKey=in_it["id"], includeValue=True)["value"]
    with_values = gateway.get_api_keys(includeValues=True)["items"]
    assert value in [one["value"] for one in with_values]
    assert len(value) >= 20
    assert gateway.get_rest_api(restApiId=api_id)["binaryMediaTypes"] == ["*/*"]
    settings = gateway.get_stage(restApiId=api_id, stageName="dev")["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (7.0, 7)


def test_a_deleted_stack_leaves_no_key_and_no_plan(account: Account, name: str) -> None:
    """Nor a key in a plan."""
    template = rest_api(Key=key(Enabled=True), Plan=plan(), PlanKey=in_plan({"Ref": "Key"}))
    account.deploy(name, template)
    cloudformation, gateway = account.client("cloudformation"), account.client("apigateway")

    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )

    for found in (gateway.get_api_keys(), gateway.get_usage_plans(), gateway.get_rest_apis()):
        assert not [one for one in found["items"] if name in one["name"]]


def test_a_key_is_disabled_unless_it_says_otherwise(account: Account, name: str) -> None:
    """So that a forgotten property lets nobody in."""
    account.deploy(name, rest_api(Off=key(Enabled="false"), Unsaid=key()))

    keys = account.client("apigateway").get_api_keys()["items"]
    assert [one["enabled"] for one in keys if name in one["name"]] == [False, False]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"Plan": plan("prod")}, "API Stage not found"),
        ({"Plan": plan(), "PlanKey": in_plan("nobody")}, "Invalid API Key identifier"),
    ],
)
def test_a_plan_of_what_is_not_there(account: Account, name: str, more: Json, reason: str) -> None:
    """A stage or key that does not exist fails the stack, as on AWS."""
    with pytest.raises(AssertionError, match=reason):
        account.deploy(name, rest_api(**more))


def test_a_key_is_in_one_plan_of_a_stage(account: Account, name: str) -> None:
    """In a second one it is refused; in its own once more, or where it has no stage, it is not."""
    template = rest_api(Key=key(Enabled=True), Plan=plan(), PlanKey=in_plan({"Ref": "Key"}))
    api_id = account.deploy(name, template)["Api"]
    gateway = account.client("apigateway")
    [first] = [one for one in gateway.get_usage_plans()["items"] if name in one["name"]]
    [in_it] = gateway.get_usage_plan_keys(usagePlanId=first["id"])["items"]
    stages = [{"apiId": api_id, "stage": "dev"}]
    second = gateway.create_usage_plan(name=f"{name}-second", apiStages=stages)
    other = gateway.create_usage_plan(name=f"{name}-other")

    def put(plan_id: str) -> None:
        gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=in_it["id"], keyType="API_KEY")

    with pytest.raises(gateway.exceptions.ConflictException):
        put(second["id"])
    assert gateway.get_usage_plan_keys(usagePlanId=second["id"])["items"] == []
    put(first["id"])
    put(other["id"])


@pytest.mark.parametrize("where", ["property", "definition"])
def test_a_default_endpoint_is_disabled(account: Account, name: str, where: str) -> None:
    """By the API's property or by its definition, for both kinds of API."""
    rest, http = rest_api(), http_api("$default")
    for template in (rest, http):
        properties = template["Resources"]["Api"]["Properties"]
        if where == "property":
            properties["DisableExecuteApiEndpoint"] = True
        else:
            extension = {"disableExecuteApiEndpoint": True}
            properties["Body"]["x-amazon-apigateway-endpoint-configuration"] = extension
    rest_id = account.deploy(name, rest)["Api"]
    http_id = account.deploy(f"{name}-http", http)["Api"]

    assert account.client("apigateway").get_rest_api(restApiId=rest_id)["disableExecuteApiEndpoint"]
    assert account.client("apigatewayv2").get_api(ApiId=http_id)["DisableExecuteApiEndpoint"]
    local = LocalAccount(f"http://127.0.0.1:{account.port}", "us-east-1")
    found = {one.api.api_id: one.api.default_endpoint for one in deployed_stages(local)}
    assert (found[rest_id], found[http_id]) == (False, False)


def http_api(*paths: str, **more: Any) -> Json:
    """An HTTP API out of a definition, whose routes ask for a signature but for $default."""
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": URI,
        "payloadFormatVersion": "2.0",
    }
    scheme = {"type": "apiKey", "in": "header", "name": "Authorization"}
    body = {
        "openapi": "3.0.1",
        "info": {"title": "public", "version": "1"},
        "components": {
            "securitySchemes": {"iam": scheme | {"x-amazon-apigateway-authtype": "awsSigv4"}}
        },
        "paths": {
            path: {
                "x-amazon-apigateway-any-method": {
                    "security": [] if path == "$default" else [{"iam": []}],
                    "x-amazon-apigateway-integration": integration,
                }
            }
            for path in paths
        },
    }
    return {
        "Parameters": {"Rate": {"Type": "Number", "Default": "10"}},
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {"Body": body, **more},
            },
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {
                    "ApiId": {"Ref": "Api"},
                    "StageName": "$default",
                    "AutoDeploy": True,
                    "DefaultRouteSettings": {
                        "ThrottlingRateLimit": {"Ref": "Rate"},
                        "ThrottlingBurstLimit": 5,
                    },
                    "RouteSettings": {"$default": {"ThrottlingBurstLimit": 1}},
                },
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


def routes(account: Account, api_id: str) -> dict[str, str]:
    """The routes of an HTTP API and what they ask for."""
    found = account.client("apigatewayv2").get_routes(ApiId=api_id)["Items"]
    return {one["RouteKey"]: one["AuthorizationType"] for one in found}


def test_an_http_api_has_the_routes_of_its_definition(account: Account, name: str) -> None:
    """With their authorization, integrations and throttles; a change keeps the API's id."""
    api_id = account.deploy(name, http_api("/partner/{path+}", "$default"), Rate="7")["Api"]
    gateway = account.client("apigatewayv2")

    assert routes(account, api_id) == {"ANY /partner/{path+}": "AWS_IAM", "$default": "NONE"}
    integrations = gateway.get_integrations(ApiId=api_id)["Items"]
    assert {one["IntegrationUri"] for one in integrations} == {URI}
    assert {one["PayloadFormatVersion"] for one in integrations} == {"2.0"}
    assert gateway.get_api(ApiId=api_id)["Name"] == "public"
    stage = gateway.get_stage(ApiId=api_id, StageName="$default")
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": 7.0,
        "ThrottlingBurstLimit": 5,
    }
    assert stage["RouteSettings"] == {"$default": {"ThrottlingBurstLimit": 1}}

    changed = account.deploy(name, http_api("/hooks"), update=True, Rate="8")["Api"]
    assert changed == api_id
    assert routes(account, api_id) == {"ANY /hooks": "AWS_IAM"}
    stage = gateway.get_stage(ApiId=api_id, StageName="$default")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 8.0


def test_an_http_api_that_cannot_be_imported(account: Account, name: str) -> None:
    """A definition that is elsewhere fails the stack, with its reason."""
    with pytest.raises(AssertionError, match="MiniStack cannot apply BodyS3Location"):
        account.deploy(name, http_api("/x", BodyS3Location={"Bucket": "b", "Key": "k"}))


HANDLER = textwrap.dedent(
    """
    import json
    import urllib.request
    import boto3

    def handler(event, context):
        properties = event["ResourceProperties"]
        mode, told = properties["Mode"], event.get("PhysicalResourceId", "none")
        kind = event["RequestType"]
        if mode == "crash":
            raise ValueError("out of order")
        if mode == "silent":
            return
        who = boto3.client("sts").get_caller_identity()["Arn"]
        answer = {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": properties["Name"],
            "Data": {"Who": who, "Long": "x" * int(properties.get("Length", "0"))},
            **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        }
        try:
            boto3.client("ssm").put_parameter(
                Name="/seen/" + properties["Stack"] + "/" + kind + "/" + told,
                Value=properties["Name"], Type="String", Overwrite=True,
            )
        except Exception as error:
            answer |= {"Status": "FAILED", "Reason": str(error)}
        if mode == "fail" or mode == "fail" + kind:
            answer |= {"Status": "FAILED", "Reason": "as told"}
        urllib.request.urlopen(urllib.request.Request(
            event["ResponseURL"], json.dumps(answer).encode(), {"content-type": ""}, method="PUT"
        ))
    """
)


def custom(mode: str = "ok", name: str = "first", *, granted: bool = True, **more: str) -> Json:
    """A custom resource whose function notes every request as an SSM parameter."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    action = "ssm:PutParameter" if granted else "ssm:GetParameter"
    seen = "arn:aws:ssm:us-east-1:123456789012:parameter/seen/*"
    grant = {"Effect": "Allow", "Action": action, "Resource": seen}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                    "Policies": [
                        {
                            "PolicyName": "note",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": [grant]},
                        }
                    ],
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"ZipFile": HANDLER},
                    "Handler": "index.handler",
                    "Runtime": "python3.13",
                    "Timeout": 20,
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
            "Custom": {
                "Type": "Custom::Thing",
                "Properties": {
                    "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                    "Mode": mode,
                    "Name": name,
                    "Stack": {"Ref": "AWS::StackName"},
                    **more,
                },
            },
        },
        "Outputs": {
            "Who": {"Value": {"Fn::GetAtt": ["Custom", "Who"]}},
            "Id": {"Value": {"Ref": "Custom"}},
            "Role": {"Value": {"Ref": "Role"}},
        },
    }


def seen(account: Account, name: str) -> dict[str, str]:
    """What the function was asked, as `Delete/first`, and the name its properties had."""
    ssm = account.client("ssm")
    found = ssm.get_parameters_by_path(Path=f"/seen/{name}", Recursive=True)["Parameters"]
    return {one["Name"].removeprefix(f"/seen/{name}/"): one["Value"] for one in found}


def test_a_custom_resource_runs_as_its_functions_role(account: Account, name: str) -> None:
    """Its answer is the resource's id and attributes."""
    outputs = account.deploy(name, custom())

    assert outputs["Id"] == "first"
    assert outputs["Who"].startswith(f"arn:aws:sts::123456789012:assumed-role/{outputs['Role']}/")
    assert seen(account, name) == {"Create/none": "first"}


def test_a_custom_resources_missing_permission_shows(account: Account, name: str) -> None:
    """The stack fails with the account's own refusal among its events."""
    with pytest.raises(AssertionError, match="AccessDenied"):
        account.deploy(name, custom(granted=False))

    events = account.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    [why] = [
        one["ResourceStatusReason"]
        for one in events
        if one["LogicalResourceId"] == "Custom" and one["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert "is not authorized to perform: ssm:PutParameter" in why
    assert f"/seen/{name}/Create/none" in why


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("crash", "the function failed: .*out of order"),
        ("silent", "the function ended without an answer"),
    ],
)
def test_a_custom_resource_that_does_not_answer(
    account: Account, name: str, mode: str, reason: str
) -> None:
    """The stack fails at once, and says how the function ended."""
    with pytest.raises(AssertionError, match=reason):
        account.deploy(name, custom(mode))


def test_an_answer_that_is_too_long(account: Account, name: str) -> None:
    """CloudFormation takes 4096 bytes."""
    with pytest.raises(AssertionError, match="Response object is too long"):
        account.deploy(name, custom(Length="4000"))


def test_a_custom_resource_that_failed_is_deleted(account: Account, name: str) -> None:
    """The rollback asks for the id that the failed creation named."""
    with pytest.raises(AssertionError, match="as told"):
        account.deploy(name, custom("failCreate"))

    assert seen(account, name) == {"Create/none": "first", "Delete/first": "first"}


def test_a_custom_resource_with_a_new_id_replaces_the_old(account: Account, name: str) -> None:
    """The update answers with another id; then the old one is deleted."""
    account.deploy(name, custom())
    outputs = account.deploy(name, custom(name="second"), update=True)

    assert outputs["Id"] == "second"
    expected = {"Create/none": "first", "Update/first": "second", "Delete/first": "first"}
    assert seen(account, name) == expected


def test_an_update_that_fails_is_taken_back(account: Account, name: str) -> None:
    """The resource is updated to what it was."""
    account.deploy(name, custom())
    with pytest.raises(AssertionError, match="as told"):
        account.deploy(name, custom("failUpdate"), update=True)

    [stack] = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Delete/first" not in seen(account, name)


def delete(account: Account, name: str) -> str:
    """Delete a stack; the status it ends in."""
    client = account.client("cloudformation")
    stack_id = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=name)
    while True:
        [stack] = client.describe_stacks(StackName=stack_id)["Stacks"]
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "DELETE_IN_PROGRESS"):
            return str(stack["StackStatus"])


@pytest.mark.parametrize(
    ("mode", "status"), [("ok", "DELETE_COMPLETE"), ("failDelete", "DELETE_FAILED")]
)
def test_a_deleted_stack_deletes_its_custom_resource(
    account: Account, name: str, mode: str, status: str
) -> None:
    """One that cannot be deleted keeps the stack."""
    account.deploy(name, custom(mode))

    assert delete(account, name) == status
    assert seen(account, name)["Delete/first"] == "first"


def test_a_parameter_for_its_reader_alone(account: Account, name: str) -> None:
    """A SecureString is text that only its own grant reads."""
    ssm, iam = account.client("ssm"), account.client("iam")
    ssm.put_parameter(Name=f"/{name}/key", Value="the value", Type="SecureString")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "123456789012"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    resource = f"arn:aws:ssm:us-east-1:123456789012:parameter/{name}/key"
    grant = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document)
    reader = account.as_role("ssm", role["Arn"])

    found = reader.get_parameter(Name=f"/{name}/key", WithDecryption=True)["Parameter"]
    assert found["Value"] == "the value"
    with pytest.raises(reader.exceptions.ClientError, match="not authorized"):
        reader.get_parameter(Name=f"/{name}/other", WithDecryption=True)
