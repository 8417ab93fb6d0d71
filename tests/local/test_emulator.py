"""The emulated account, as a process of its own, over boto3 and HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from backstairs.emulator import settings
from backstairs.emulator.adapters import ADAPTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

REGION = "us-east-1"
OTHER_ACCOUNT = "210987654321"
ROOT_SECRET = settings.ROOT_SECRET_ACCESS_KEY


class Account:
    def __init__(self, state: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.state = state
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "backstairs.emulator",
                f"--port={self.port}",
                f"--state={state}",
            ],
            stdout=subprocess.PIPE,
            env={**os.environ, "AWS_DEFAULT_REGION": REGION, "AWS_SECRET_ACCESS_KEY": "mine"},
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()

    def client(
        self, service: str, key: str = "test", secret: str = ROOT_SECRET, token: str | None = None
    ) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def as_role(self, service: str, role_arn: str, account: str = "test", **options: str) -> Any:
        answer = self.client("sts", account).assume_role(
            RoleArn=role_arn, RoleSessionName="session", **options
        )
        found = answer["Credentials"]
        return self.client(
            service, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )

    def get(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, Json, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body or b"{}"), answer.getheader("etag")
        finally:
            connection.close()

    def principal(self, name: str) -> Json:
        principals = self.get("/_backstairs/principals")[1]["principals"]
        [found] = [principal for principal in principals if principal["name"] == name]
        return dict(found)

    def deploy(self, name: str, template: Json, *, update: bool = False, **parameters: str) -> Json:
        """Create or update a stack; the outputs, or AssertionError with its events."""
        client = self.client("cloudformation")
        act = client.update_stack if update else client.create_stack
        act(
            StackName=name,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
        while True:
            [stack] = client.describe_stacks(StackName=name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.02)
        expected = "UPDATE_COMPLETE" if update else "CREATE_COMPLETE"
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        reasons = [event.get("ResourceStatusReason") for event in events]
        assert stack["StackStatus"] == expected, [reason for reason in reasons if reason]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    started = Account(tmp_path_factory.mktemp("state"))
    yield started
    started.process.kill()
    started.process.communicate()


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


def allow(action: str, resource: object = "*") -> Json:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(principal: Json) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


LAMBDA = trust({"Service": "lambda.amazonaws.com"})


def network(**endpoint: object) -> Json:
    subnets = {
        f"Subnet{letter}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": {
                    "Fn::Select": [i, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8]}]
                },
                "AvailabilityZone": {"Fn::Select": [i, {"Fn::GetAZs": ""}]},
            },
        }
        for i, letter in enumerate("AB")
    }
    entries = {"Fn::GetAtt": ["Endpoint", "DnsEntries"]}
    return {
        "Parameters": {"VpcCidr": {"Type": "String", "Default": "10.9.0.0/16"}},
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "VpcCidr"}}},
            **subnets,
            "Callers": group("Vpc"),
            "Group": group("Vpc"),
            "FromCallers": {
                "Type": "AWS::EC2::SecurityGroupIngress",
                "Properties": {
                    "GroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
                    "SourceSecurityGroupId": {"Fn::GetAtt": ["Callers", "GroupId"]},
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                },
            },
            "ToGroup": {
                "Type": "AWS::EC2::SecurityGroupEgress",
                "Properties": {
                    "GroupId": {"Fn::GetAtt": ["Callers", "GroupId"]},
                    "DestinationSecurityGroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                },
            },
            "Endpoint": {
                "Type": "AWS::EC2::VPCEndpoint",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "VpcEndpointType": "Interface",
                    "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.execute-api"},
                    "SubnetIds": [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}],
                    "SecurityGroupIds": [{"Ref": "Group"}],
                    "PolicyDocument": allow("execute-api:Invoke"),
                    **endpoint,
                },
            },
        },
        "Outputs": {
            "EndpointId": {"Value": {"Ref": "Endpoint"}},
            "DnsName": {
                "Value": {"Fn::Select": [1, {"Fn::Split": [":", {"Fn::Select": [0, entries]}]}]},
                "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-DnsName"}},
            },
            "Callers": {"Value": {"Ref": "Callers"}},
            "Group": {"Value": {"Ref": "Group"}},
        },
    }


def group(vpc: str) -> Json:
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "test",
            "VpcId": {"Ref": vpc},
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}],
        },
    }


def test_says_when_it_is_ready_and_answers(account: Account) -> None:
    """One line on stdout names the address; the health path knows the account's id."""
    assert account.said == f"account ready on http://127.0.0.1:{account.port}\n"
    assert account.get("/_backstairs/health")[:2] == (200, {"account": settings.ACCOUNT_ID})


def test_root_is_the_fixed_key_whatever_the_shell_says(account: Account) -> None:
    """A developer's real keys never become those of the emulated root."""
    _, root, _ = account.get("/_backstairs/access-keys/test")
    assert root["secretAccessKey"] == "test"
    assert root["principalArn"] == f"arn:aws:iam::{settings.ACCOUNT_ID}:root"
    assert account.client("sts").get_caller_identity()["Arn"] == root["principalArn"]


def test_a_session_in_another_account_is_described_in_full(account: Account, name: str) -> None:
    """A role's session key leads to its secret, token, role, account and session policies."""
    iam = account.client("iam", OTHER_ACCOUNT)
    arn = iam.create_role(
        RoleName=name,
        Path="/services/",
        AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}),
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allow("execute-api:Invoke"))
    )
    narrowed = allow("execute-api:Invoke", "arn:aws:execute-api:*:*:*/dev/GET/x")
    answer = account.client("sts", OTHER_ACCOUNT).assume_role(
        RoleArn=arn, RoleSessionName="caller", Policy=json.dumps(narrowed)
    )
    credentials = answer["Credentials"]
    status, described, _ = account.get(f"/_backstairs/access-keys/{credentials['AccessKeyId']}")
    assert status == 200
    assert described == {
        "secretAccessKey": credentials["SecretAccessKey"],
        "sessionToken": credentials["SessionToken"],
        "principalArn": f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/{name}/caller",
        "principalType": "AssumedRole",
        "roleArn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/services/{name}",
        "account": OTHER_ACCOUNT,
        "userId": answer["AssumedRoleUser"]["AssumedRoleId"],
        "expiration": credentials["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sessionPolicies": [{"name": None, "arn": None, "document": narrowed}],
        "sessionTags": {},
    }
    assert account.principal(name)["policies"] == [
        {"name": "p", "arn": None, "document": allow("execute-api:Invoke")}
    ]


def test_a_user_key_is_known_until_it_is_inactive(account: Account, name: str) -> None:
    """A user's active key leads to the user; an inactive and an unknown one to nothing."""
    iam = account.client("iam")
    user = iam.create_user(UserName=name, Tags=[{"Key": "team", "Value": "claims"}])["User"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    _, described, _ = account.get(f"/_backstairs/access-keys/{key['AccessKeyId']}")
    assert described["secretAccessKey"] == key["SecretAccessKey"]
    assert (described["principalArn"], described["sessionToken"]) == (user["Arn"], None)
    assert account.principal(name)["tags"] == {"team": "claims"}
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    for key_id in (key["AccessKeyId"], "AKIAUNKNOWN000000000", ""):
        assert account.get(f"/_backstairs/access-keys/{key_id}")[0] == 404


def test_principals_cost_nothing_until_they_change(account: Account, name: str) -> None:
    """The entity tag stands while nothing changes, and a new grant changes it."""
    iam = account.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA)
    _, _, first = account.get("/_backstairs/principals")
    assert first is not None
    assert account.get("/_backstairs/principals", {"If-None-Match": first}) == (304, {}, first)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allow("sqs:*")))
    status, _, second = account.get("/_backstairs/principals", {"If-None-Match": first})
    assert (status, second != first) == (200, True)


def test_side_doors_are_closed(account: Account) -> None:
    """Neither MiniStack's own paths nor another host name lead anywhere."""
    assert account.get("/_ministack/reset", method="POST")[0] == 404
    assert account.get("/_ministack/config", method="POST")[0] == 404
    assert account.get("/_backstairs/principals", method="POST")[0] == 405
    assert account.get("/_backstairs/access-keys/test", {"Host": "rebound.example"})[0] == 404


def test_an_endpoints_dns_names_are_those_that_ec2_describes(account: Account, name: str) -> None:
    """`GetAtt DnsEntries` gives the regional name first, as EC2 does, one more for each zone."""
    outputs = account.deploy(name, network())
    ec2 = account.client("ec2")
    [endpoint] = ec2.describe_vpc_endpoints(VpcEndpointIds=[outputs["EndpointId"]])["VpcEndpoints"]
    names = [entry["DnsName"] for entry in endpoint["DnsEntries"]]
    stem, _, domain = names[0].partition(".")
    assert outputs["DnsName"] == names[0]
    assert domain == f"execute-api.{REGION}.vpce.amazonaws.com"
    assert stem.startswith(outputs["EndpointId"] + "-")
    assert names[1:] == [f"{stem}-{REGION}{zone}.{domain}" for zone in "ab"]
    assert json.loads(endpoint["PolicyDocument"]) == allow("execute-api:Invoke")
    assert len(endpoint["NetworkInterfaceIds"]) == len(endpoint["SubnetIds"]) == 2
    assert [group["GroupId"] for group in endpoint["Groups"]] == [outputs["Group"]]
    filters = [{"Name": "vpc-id", "Values": ["vpc-none"]}]
    assert ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"] == []


def test_private_dns_needs_a_vpc_that_has_host_names(account: Account, name: str) -> None:
    """Private DNS without the VPC's DNS host names fails the stack, as on AWS."""
    with pytest.raises(AssertionError, match="enableDnsHostnames"):
        account.deploy(name, network(PrivateDnsEnabled=True))


def test_security_group_rules_come_and_go_by_themselves(account: Account, name: str) -> None:
    """Rules that are resources of their own are in the groups, and leave with the template."""
    template = network()
    outputs = account.deploy(name, template)
    ec2 = account.client("ec2")

    def rules(group_id: str) -> list[Json]:
        filters = [{"Name": "group-id", "Values": [group_id]}]
        return [
            rule
            for rule in ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
            if "ReferencedGroupInfo" in rule
        ]

    [inbound], [outbound] = rules(outputs["Group"]), rules(outputs["Callers"])
    assert inbound["ReferencedGroupInfo"]["GroupId"] == outputs["Callers"]
    assert outbound["ReferencedGroupInfo"]["GroupId"] == outputs["Group"]
    assert (inbound["IsEgress"], outbound["IsEgress"]) == (False, True)
    del template["Resources"]["FromCallers"]
    account.deploy(name, template, update=True)
    assert rules(outputs["Group"]) == []


def rest_api(policy: Json, deployment: str) -> Json:
    definition = {
        "openapi": "3.0.1",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"get": {"responses": {}}}},
        "x-amazon-apigateway-policy": policy,
    }
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Body": definition,
                    "EndpointConfiguration": {"Types": ["PRIVATE"], "VpcEndpointIds": ["vpce-1"]},
                },
            },
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": deployment},
                    "StageName": "dev",
                },
            },
        },
        "Outputs": {
            "Api": {"Value": {"Ref": "Api"}},
            "Root": {"Value": {"Fn::GetAtt": ["Api", "RootResourceId"]}},
        },
    }


def test_a_policy_is_live_with_its_deployment_and_the_api_stays_itself(
    account: Account, name: str
) -> None:
    """A changed policy keeps the API's ids and takes effect with a new deployment only."""
    old, new = allow("execute-api:Invoke", "old"), allow("execute-api:Invoke", "new")
    gateway = account.client("apigateway")

    def live(api_id: str) -> Json:
        export = gateway.get_export(
            restApiId=api_id,
            stageName="dev",
            exportType="oas30",
            parameters={"extensions": "apigateway"},
        )
        return dict(json.loads(export["body"].read())["x-amazon-apigateway-policy"])

    first = account.deploy(name, rest_api(old, "DeploymentA"))
    api = gateway.get_rest_api(restApiId=first["Api"])
    assert api["endpointConfiguration"] == {"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]}
    assert account.deploy(name, rest_api(new, "DeploymentA"), update=True) == first
    assert live(first["Api"]) == old
    assert account.deploy(name, rest_api(new, "DeploymentB"), update=True) == first
    assert live(first["Api"]) == new


def test_a_stage_logs_access_only_in_an_account_with_a_role_for_it(
    account: Account, name: str
) -> None:
    """An access log without the account's CloudWatch role fails the stack, as on AWS."""
    template = rest_api(allow("execute-api:Invoke"), "Deployment")
    setting = {"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:x", "Format": "x"}
    template["Resources"]["Stage"]["Properties"]["AccessLogSetting"] = setting
    with pytest.raises(AssertionError, match="CloudWatch Logs role ARN must be set"):
        account.deploy(name, template)


def test_roles_are_limited_by_boundaries_and_existing_policies(account: Account, name: str) -> None:
    """A template's boundary holds against DynamoDB and is shown; an unknown policy is refused."""
    boundary = allow("dynamodb:Query")
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
            "SSESpecification": {"SSEEnabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "DeletionProtectionEnabled": True,
        },
    }
    role: Json = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": json.loads(LAMBDA),
            "PermissionsBoundary": {"Ref": "Boundary"},
            "Policies": [{"PolicyName": "p", "PolicyDocument": allow("dynamodb:*")}],
        },
    }
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": boundary}}
    template = {
        "Resources": {"Table": table, "Role": role, "Boundary": managed},
        "Outputs": {
            "Table": {"Value": {"Ref": "Table"}},
            "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
    }
    outputs = account.deploy(name, template)
    assert account.principal(name)["permissionsBoundary"]["document"] == boundary
    dynamodb = account.as_role("dynamodb", outputs["Role"])
    key = {"PK": {"S": "x"}}
    query: Json = {
        "TableName": outputs["Table"],
        "KeyConditionExpression": "PK = :x",
        "ExpressionAttributeValues": {":x": {"S": "x"}},
    }
    assert dynamodb.query(**query)["Items"] == []
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.put_item(TableName=outputs["Table"], Item=key)
    description = account.client("dynamodb").describe_table(TableName=outputs["Table"])["Table"]
    assert description["SSEDescription"]["Status"] == "ENABLED"
    role["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/NoSuchPolicy"]
    with pytest.raises(AssertionError, match="NoSuchPolicy does not exist"):
        account.deploy(name, template, update=True)
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    while cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"].endswith(
        "IN_PROGRESS"
    ):
        time.sleep(0.02)
    assert outputs["Table"] in account.client("dynamodb").list_tables()["TableNames"]


def test_grants_name_one_stream_or_one_parameter(account: Account, name: str) -> None:
    """A grant for one stream, or one parameter, allows it and nothing beside it."""
    key = {"AttributeName": "PK", "AttributeType": "S"}
    stream = account.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[key],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    ssm = account.client("ssm")
    for parameter in ("one", "two"):
        ssm.put_parameter(Name=f"/{name}/{parameter}", Value="v", Type="String")
    granted = f"arn:aws:ssm:{REGION}:{settings.ACCOUNT_ID}:parameter/{name}/one"
    policy = allow("dynamodb:*", stream)
    policy["Statement"] += allow("ssm:GetParameters", granted)["Statement"]
    iam = account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))

    streams = account.as_role("dynamodbstreams", arn)
    shards = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream, ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    account.client("dynamodb").put_item(TableName=name, Item={"PK": {"S": "x"}})
    [record] = streams.get_records(ShardIterator=iterator)["Records"]
    assert record["dynamodb"]["NewImage"] == {"PK": {"S": "x"}}

    narrow = account.as_role("ssm", arn)
    assert len(narrow.get_parameters(Names=[f"/{name}/one"])["Parameters"]) == 1
    with pytest.raises(ClientError, match="AccessDenied"):
        narrow.get_parameters(Names=[f"/{name}/one", f"/{name}/two"])
    with pytest.raises(ClientError, match="AccessDenied"):
        account.as_role("dynamodbstreams", arn, Policy=json.dumps(allow("sqs:*"))).describe_stream(
            StreamArn=stream
        )


def nesting(name: str, template: str, kept: str) -> Json:
    return {
        "Parameters": {"Cidr": {"Type": "String", "Default": "10.9.0.0/16"}},
        "Resources": {
            "Network": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {
                    "TemplateURL": template,
                    "Parameters": {"VpcCidr": {"Ref": "Cidr"}},
                },
            },
        },
        "Outputs": {
            "DnsName": {"Value": {"Fn::GetAtt": ["Network", "Outputs.DnsName"]}},
            "Kept": {"Value": {"Fn::GetAtt": ["Network", f"Outputs.{kept}"]}},
            "Name": {"Value": name},
        },
    }


def test_a_nested_stack_exports_updates_and_retains(account: Account, name: str) -> None:
    """A nested stack's outputs are exported, survive an update, and what it retains stays."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name)
    inner = network()
    inner["Resources"]["Kept"] = {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }
    inner["Outputs"]["Kept"] = {"Value": {"Ref": "Kept"}}

    def upload(version: str) -> str:
        s3.put_object(Bucket=name, Key=version, Body=json.dumps(inner).encode())
        return f"http://127.0.0.1:{account.port}/{name}/{version}"

    first = account.deploy(name, nesting(name, upload("1.template"), "Kept"))
    cloudformation = account.client("cloudformation")
    exports = cloudformation.list_exports()["Exports"]
    assert first["DnsName"] in [export["Value"] for export in exports]
    inner["Resources"]["Endpoint"]["Properties"]["PolicyDocument"] = allow("execute-api:*")
    second = account.deploy(name, nesting(name, upload("2.template"), "Kept"), update=True)
    assert second == first
    template = cloudformation.get_template(StackName=name)["TemplateBody"]
    assert f"https://s3.{REGION}.amazonaws.com/{name}/2.template" in json.dumps(template)
    cloudformation.delete_stack(StackName=name)
    while name in [
        stack["StackName"] for stack in cloudformation.describe_stacks().get("Stacks", [])
    ]:
        time.sleep(0.02)
    assert first["Kept"] in account.client("sqs").list_queues()["QueueUrls"]


def test_the_transform_sees_the_stacks_parameters(account: Account, name: str) -> None:
    """SAM writes the value that was passed, not the parameter's default, into the policy."""
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": {"Ref": "EndpointIds"}}},
    }
    api = {
        "StageName": {"Ref": "Stage"},
        "EndpointConfiguration": {"Type": "PRIVATE"},
        "DefinitionBody": {
            "openapi": "3.0.1",
            "info": {"title": "t", "version": "1"},
            "paths": {"/x": {"get": {"responses": {}}}},
        },
        "Auth": {"ResourcePolicy": {"CustomStatements": [statement]}},
    }
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {
            "Stage": {"Type": "String", "Default": "default"},
            "EndpointIds": {"Type": "CommaDelimitedList", "Default": "vpce-default"},
        },
        "Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": api}},
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }
    outputs = account.deploy(name, template, Stage="dev", EndpointIds="vpce-1,vpce-2")
    export = account.client("apigateway").get_export(
        restApiId=outputs["Api"],
        stageName="dev",
        exportType="oas30",
        parameters={"extensions": "apigateway"},
    )
    policy = json.loads(export["body"].read())["x-amazon-apigateway-policy"]
    condition = policy["Statement"][0]["Condition"]
    assert condition == {"StringNotEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}


def test_what_has_no_effect_is_said(account: Account, name: str) -> None:
    """A property that is accepted and forgotten is among the notices."""
    queue = {"Type": "AWS::Logs::LogGroup", "Properties": {"FieldIndexPolicies": [{"Fields": []}]}}
    account.deploy(name, {"Resources": {"Group": queue}})
    [notice] = [n for n in account.get("/_backstairs/notices")[1]["notices"] if name in n]
    assert "FieldIndexPolicies has no effect here" in notice


def test_every_adapter_says_what_differs() -> None:
    """Each adapter's docstring has what MiniStack does and what AWS does."""
    for adapter in ADAPTERS:
        said = adapter.__doc__ or ""
        assert "MiniStack:" in said, adapter
        assert "AWS:" in said, adapter


def test_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    """Terminated, it ends by itself, had no children and wrote no state."""
    started = Account(tmp_path)
    try:
        started.client("iam").create_user(UserName="somebody")
        for thread in Path(f"/proc/{started.process.pid}/task").glob("*/children"):
            assert thread.read_text() == ""
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=30) == 0
    finally:
        started.process.kill()
        started.process.communicate()
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} <= {"cognito-rsa-key"}
