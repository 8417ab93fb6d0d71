"""What stands for the ids, names and ARNs that AWS gives to resources on creation.

Each is made of the resource's name, in AWS's form, so that it is the same wherever a template
refers to it and no other resource has it. Source: CloudFormation, "Resource and property types
reference", what `Ref` and `Fn::GetAtt` return for each type.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What stands before the id that `Ref` gives; nothing for ids of API Gateway's own.
_IDS = {
    "AWS::EC2::VPC": "vpc-",
    "AWS::EC2::VPCEndpoint": "vpce-",
    "AWS::EC2::Subnet": "subnet-",
    "AWS::EC2::SecurityGroup": "sg-",
    "AWS::EC2::RouteTable": "rtb-",
    "AWS::EC2::NetworkAcl": "acl-",
    "AWS::EC2::InternetGateway": "igw-",
    "AWS::EC2::NatGateway": "nat-",
    "AWS::EC2::TransitGateway": "tgw-",
    "AWS::EC2::VPCPeeringConnection": "pcx-",
    "AWS::EC2::PrefixList": "pl-",
    "AWS::EC2::Instance": "i-",
    "AWS::EC2::NetworkInterface": "eni-",
    "AWS::Route53::HostedZone": "zone-",
    "AWS::Route53Resolver::ResolverEndpoint": "rslvr-ep-",
    "AWS::Route53Resolver::ResolverRule": "rslvr-rr-",
    "AWS::ApiGateway::RestApi": "",
    "AWS::ApiGateway::Resource": "",
    "AWS::ApiGateway::Deployment": "",
    "AWS::ApiGateway::Authorizer": "",
    "AWS::ApiGateway::VpcLink": "",
    "AWS::ApiGatewayV2::Api": "",
    "AWS::ApiGatewayV2::Authorizer": "",
    "AWS::ApiGatewayV2::Integration": "",
    "AWS::ApiGatewayV2::Route": "",
    "AWS::ApiGatewayV2::VpcLink": "",
    "AWS::Cognito::UserPool": "",
    "AWS::Cognito::UserPoolClient": "",
}
# The property that may name it.
_NAMES = {
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::ApiGatewayV2::Stage": "StageName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Kinesis::Stream": "Name",
}
_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Group": "iam::{account}:group{path}{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy{path}{name}",
    "AWS::IAM::Role": "iam::{account}:role{path}{name}",
    "AWS::IAM::User": "iam::{account}:user{path}{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::WebFunction": "lambda:{region}:{account}:web-function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{region}:{account}:layer:{name}:1",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::Kinesis::Stream": "kinesis:{region}:{account}:stream/{name}",
    "AWS::Cognito::UserPool": "cognito-idp:{region}:{account}:userpool/{name}",
    "AWS::CloudFormation::Stack": "cloudformation:{region}:{account}:stack/{name}/stand-in",
}
_REF_IS_ARN = {
    "AWS::CloudFormation::Stack",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::WebFunction",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}
# Attributes that are the id, or the ARN.
_ID_ATTRIBUTES = {"Id", "ApiId", "RestApiId", "GroupId", "VpcId", "SubnetId", "RouteTableId"} | {
    "ResourceId",
    "DeploymentId",
    "IntegrationId",
    "AuthorizerId",
}
# What AWS makes with a VPC.
_DEFAULTS = {"DefaultSecurityGroup": "sg", "DefaultNetworkAcl": "acl"}
_ARN_ATTRIBUTES = {"Arn", "TopicArn", "PolicyArn", "FunctionArn", "UserPoolArn"}
_QUALIFIED = ("AWS::Lambda::Alias", "AWS::Lambda::Version")


def assumed_value(name: str, parameter: Mapping[str, Any]) -> str:
    """A value of its own for a parameter without one; the first allowed where only some are.

    Where its name says that it is an account's number, it is one.
    """
    allowed = parameter.get("AllowedValues")
    if isinstance(allowed, list) and allowed:
        return str(allowed[0])
    if re.search(r"account(id|number)?$", name, re.IGNORECASE):
        return f"{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**12:012}"
    return f"given.{name.replace('/', '.')}"


def physical_name(stack_name: str, logical_id: str, name: str) -> str:
    """A name as CloudFormation makes it up: stack, logical id, and letters of its own."""
    letters = hashlib.sha256(name.encode()).hexdigest()[:12].upper()
    return f"{stack_name}-{logical_id}-{letters}"


@dataclass(frozen=True, slots=True)
class StandIn:
    """One resource of a stack; `resolve` resolves a value of its properties."""

    name: str
    logical_id: str
    kind: str
    properties: Mapping[str, Any]
    stack_name: str
    account: str
    region: str
    partition: str
    resolve: Callable[[Any], Any]

    def reference(self) -> Any:
        """What `Ref` gives."""
        if self.kind in _QUALIFIED or self.kind in _REF_IS_ARN:
            return self.arn()
        name = self._name()
        if self.kind == "AWS::SQS::Queue" and isinstance(name, str):
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{name}"
        return name

    def arn(self) -> Any:
        """Its ARN, where the form of it is known here."""
        if self.kind in _QUALIFIED:
            return self._qualified()
        name, path = self._name(), self._path()
        form = _ARNS.get(self.kind)
        for part in (name, path):
            if isinstance(part, Unresolved):
                return part
        if form is None:
            return Unresolved(f"ARN of {self.name}")
        rest = form.format(region=self.region, account=self.account, name=name, path=path)
        return f"arn:{self.partition}:{rest}"

    def attribute(self, name: str) -> Any:
        """What `Fn::GetAtt` gives."""
        if name in _ARN_ATTRIBUTES:
            return self.arn()
        if name in self.properties:
            return self.resolve(self.properties[name])
        own = self.kind.rpartition("::")[2] + "Id"
        if name == own or name in _ID_ATTRIBUTES or name.endswith("Name"):
            return self._name()
        return self._made_with_it(name)

    def _made_with_it(self, name: str) -> Any:
        """What AWS makes along with a resource."""
        if (self.kind, name) == ("AWS::ApiGateway::RestApi", "RootResourceId"):
            return f"{self._name()}.root"
        if self.kind == "AWS::EC2::VPC" and name in _DEFAULTS:
            return f"{_DEFAULTS[name]}-default-of-{self.name.replace('/', '.')}"
        if (self.kind, name) == ("AWS::EC2::VPCEndpoint", "DnsEntries"):
            host = f"{self._name()}.execute-api.{self.region}.vpce.amazonaws.com"
            return [f"Z0:{host}"]
        return Unresolved(f"{self.name}.{name}")

    def _name(self) -> Any:
        """Its name or id."""
        if self.kind in _IDS:
            return _IDS[self.kind] + self.name.replace("/", ".")
        given = _NAMES.get(self.kind, "")
        if given in self.properties:
            return self.resolve(self.properties[given])
        return physical_name(self.stack_name, self.logical_id, self.name)

    def _path(self) -> Any:
        path = self.resolve(self.properties.get("Path", "/"))
        return path if isinstance(path, str | Unresolved) else Unresolved(f"Path is {path}")

    def _qualified(self) -> Any:
        """A version or alias, of a function given by name or ARN."""
        function = self.resolve(self.properties.get("FunctionName"))
        if not isinstance(function, str):
            return Unresolved(f"ARN of {self.name}")
        alias = self.resolve(self.properties.get("Name"))
        qualifier = alias if self.kind == "AWS::Lambda::Alias" else "1"
        if not isinstance(qualifier, str):
            return Unresolved(f"ARN of {self.name}")
        if not function.startswith("arn:"):
            form = _ARNS["AWS::Lambda::Function"]
            rest = form.format(region=self.region, account=self.account, name=function)
            function = f"arn:{self.partition}:{rest}"
        return f"{function}:{qualifier}"
