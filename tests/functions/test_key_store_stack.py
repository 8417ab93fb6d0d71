"""The key store as the emulated account's CloudFormation runs it, with its own role."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.functions.conftest import FOR_LAMBDA, ROOT, client_at
from tests.functions.test_key_store import GRANTS

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = ROOT / "functions" / "key_store"


def template(bucket: str, name: str, *, broken: bool = False) -> str:
    """A key, its value's parameter and, if `broken`, a resource after them that cannot be."""
    resources: dict[str, Any] = {
        "KeyStoreRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [FOR_LAMBDA]},
                "Policies": [
                    {
                        "PolicyName": "KeyStore",
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": GRANTS},
                    }
                ],
            },
        },
        "KeyStoreFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Handler": "key_store.handler.lambda_handler",
                "Runtime": "python3.13",
                "Timeout": 60,
                "Role": {"Fn::GetAtt": ["KeyStoreRole", "Arn"]},
                "Code": {"S3Bucket": bucket, "S3Key": "key_store.zip"},
            },
        },
        "PartnerKey": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True}},
        "PartnerKeyValue": {
            "Type": "Custom::ApiKeyValue",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["KeyStoreFunction", "Arn"]},
                "ServiceTimeout": 120,
                "ApiKeyId": {"Ref": "PartnerKey"},
                "ParameterName": name,
            },
        },
    }
    if broken:
        resources["Broken"] = {
            "Type": "Custom::ApiKeyValue",
            "DependsOn": "PartnerKeyValue",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["KeyStoreFunction", "Arn"]},
                "ServiceTimeout": 120,
                "ApiKeyId": "unknown",
                "ParameterName": f"{name}-broken",
            },
        }
    outputs = {
        "Key": {"Value": {"Ref": "PartnerKey"}},
        "Parameter": {"Value": {"Fn::GetAtt": ["PartnerKeyValue", "ParameterName"]}},
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


class Stack:
    """A stack of the emulated account."""

    def __init__(self, port: int) -> None:
        self.cloudformation = client_at(port, "cloudformation")
        self.ssm, self.gateway = client_at(port, "ssm"), client_at(port, "apigateway")
        self.name = f"keys-{uuid.uuid4().hex[:8]}"
        s3 = client_at(port, "s3")
        s3.create_bucket(Bucket=self.name)
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            for path in CODE.rglob("*.py"):
                archive.write(path, path.relative_to(CODE))
        s3.put_object(Bucket=self.name, Key="key_store.zip", Body=package.getvalue())

    def deploy(self, name: str, *, update: bool = False, broken: bool = False) -> str:
        """Create or update it; the status it ends in."""
        act = self.cloudformation.update_stack if update else self.cloudformation.create_stack
        body = template(self.name, name, broken=broken)
        act(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        return self.wait()

    def wait(self) -> str:
        """The status the stack comes to."""
        while (status := self.describe()["StackStatus"]).endswith("_IN_PROGRESS"):
            time.sleep(0.1)
        return str(status)

    def describe(self) -> Any:
        """The stack, also when it is deleted."""
        stacks = self.cloudformation.describe_stacks(StackName=self.stack_id)["Stacks"]
        return stacks[0]

    @property
    def stack_id(self) -> str:
        """What it is known by after its deletion."""
        listed = self.cloudformation.list_stacks()["StackSummaries"]
        return str(next(one["StackId"] for one in listed if one["StackName"] == self.name))

    def value(self, name: str) -> str | None:
        """What a parameter holds, if there is one."""
        found = self.ssm.get_parameters(Names=[name], WithDecryption=True)["Parameters"]
        return found[0]["Value"] if found else None

    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.describe()["Outputs"]}

    def reasons(self) -> str:
        """All that its events say."""
        events = self.cloudformation.describe_stack_events(StackName=self.stack_id)["StackEvents"]
        return json.dumps(events, default=str)


@pytest.fixture
def stack(account_port: int) -> Iterator[Stack]:
    """A stack, deleted afterwards."""
    stack = Stack(account_port)
    yield stack
    stack.cloudformation.delete_stack(StackName=stack.name)
    stack.wait()


def test_a_stack_has_the_value_while_it_is_there(stack: Stack) -> None:
    """Created, renamed by an update, deleted; the value is in no event and no output."""
    name = f"/partners-{stack.name}/api-key"
    assert stack.deploy(name) == "CREATE_COMPLETE", stack.reasons()
    outputs = stack.outputs()
    assert outputs["Parameter"] == name
    value = stack.gateway.get_api_key(apiKey=outputs["Key"], includeValue=True)["value"]
    assert stack.value(name) == value
    assert value not in stack.reasons() + json.dumps(stack.describe(), default=str)
    assert stack.deploy(f"{name}-2", update=True) == "UPDATE_COMPLETE", stack.reasons()
    assert (stack.value(name), stack.value(f"{name}-2")) == (None, value)
    stack.cloudformation.delete_stack(StackName=stack.name)
    assert stack.wait() == "DELETE_COMPLETE", stack.reasons()
    assert stack.value(f"{name}-2") is None


def test_a_stack_that_fails_leaves_nothing(stack: Stack) -> None:
    """The rollback deletes the parameter, and what was never made is no trouble to it."""
    name = f"/partners-{stack.name}/api-key"
    assert stack.deploy(name, broken=True) == "ROLLBACK_COMPLETE", stack.reasons()
    assert "apigateway:GetApiKey failed: NotFoundException" in stack.reasons()
    assert stack.value(name) is None


def test_an_update_that_fails_leaves_what_was_there(stack: Stack) -> None:
    """The old name, with the value; nothing under the new one."""
    name = f"/partners-{stack.name}/api-key"
    assert stack.deploy(name) == "CREATE_COMPLETE", stack.reasons()
    value = stack.value(name)
    assert value
    ended = stack.deploy(f"{name}-2", update=True, broken=True)
    assert ended == "UPDATE_ROLLBACK_COMPLETE", stack.reasons()
    assert (stack.value(name), stack.value(f"{name}-2")) == (value, None)
