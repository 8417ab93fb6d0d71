"""What is deployed, read from the account by AWS's own APIs: endpoints, functions, stacks.

The account is the emulated one; nothing here knows that.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, build_opener

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from backstairs.access import Endpoint, Origin, parse_policy
from backstairs.emulator.settings import (
    ACCOUNT_ID,
    ROOT_ACCESS_KEY_ID,
    ROOT_SECRET_ACCESS_KEY,
)
from backstairs.local.runtime import Function
from backstairs.local.streams import EventSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Account:
    """An account behind one endpoint URL, entered as its root."""

    def __init__(self, url: str, region: str, account_id: str = ACCOUNT_ID) -> None:
        self.url, self.region, self.account_id = url, region, account_id
        key = ROOT_ACCESS_KEY_ID if account_id == ACCOUNT_ID else account_id
        self._root = boto3.Session(
            aws_access_key_id=key, aws_secret_access_key=ROOT_SECRET_ACCESS_KEY, region_name=region
        )

    def client(self, service: str) -> Any:
        """A boto3 client for a service of this account."""
        return self._client(self._root, service)

    def client_as(self, role_arn: str, service: str) -> Any:
        """A boto3 client for a service, with a role's own permissions."""
        found = self.assume(role_arn, "backstairs")
        session = boto3.Session(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["SessionToken"],
            region_name=self.region,
        )
        return self._client(session, service)

    def _client(self, session: boto3.Session, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        return session.client(service, endpoint_url=self.url, config=config)

    def origins(self) -> list[Origin]:
        """The execute-api interface endpoints as origins, with an address in their subnet.

        The first is `endpoint`, the others `endpoint-2` and so on.
        """
        ec2 = self.client("ec2")
        service = f"com.amazonaws.{self.region}.execute-api"
        origins: list[Origin] = []
        for found in pages(ec2, "describe_vpc_endpoints", "VpcEndpoints"):
            if found["ServiceName"] != service:
                continue
            endpoint_id = found["VpcEndpointId"]
            subnets = ec2.describe_subnets(SubnetIds=found["SubnetIds"])["Subnets"]
            address = ipaddress.ip_network(subnets[0]["CidrBlock"])[10]
            policy = parse_policy(
                f"{endpoint_id}'s endpoint policy",
                json.loads(found["PolicyDocument"]),
                resource_based=True,
            )
            endpoint = Endpoint(
                endpoint_id, found["VpcId"], policy, private_dns=found["PrivateDnsEnabled"]
            )
            number = f"-{len(origins) + 1}" if origins else ""
            origins.append(Origin(f"endpoint{number}", endpoint, str(address)))
        return origins

    def endpoint_dns_name(self, endpoint_id: str) -> str:
        """An endpoint's regional DNS name."""
        found = self.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
        name: str = found["VpcEndpoints"][0]["DnsEntries"][0]["DnsName"]
        return name

    def functions(self, stack_name: str, folder: Path) -> list[Function]:
        """The Lambda functions, their deployed code and layers unpacked below `folder`.

        A function of a stack is labelled by its logical id, any other by its name. Where two
        stacks have the same, that of `stack_name` keeps it and another's begins with its stack.
        """
        client = self.client("lambda")
        labels = self._labels(stack_name)
        functions = []
        for listed in pages(client, "list_functions", "Functions"):
            found = client.get_function(FunctionName=listed["FunctionName"])
            settings = found["Configuration"]
            layers = [
                client.get_layer_version_by_arn(Arn=layer["Arn"])["Content"]["Location"]
                for layer in settings.get("Layers", [])
            ]
            functions.append(
                Function(
                    name=settings["FunctionName"],
                    label=labels.get(settings["FunctionName"], settings["FunctionName"]),
                    arn=settings["FunctionArn"],
                    handler=settings["Handler"],
                    role_arn=settings["Role"],
                    timeout=settings["Timeout"],
                    memory=settings["MemorySize"],
                    vpc_id=settings.get("VpcConfig", {}).get("VpcId") or None,
                    environment=settings.get("Environment", {}).get("Variables", {}),
                    code=_unpack(found["Code"]["Location"], folder),
                    layers=tuple(_unpack(layer, folder) for layer in layers),
                    log_format=settings.get("LoggingConfig", {}).get("LogFormat"),
                    log_level=settings.get("LoggingConfig", {}).get("ApplicationLogLevel"),
                )
            )
        return functions

    def event_sources(self) -> list[EventSource]:
        """The mappings of DynamoDB streams to functions. Raises FilterError."""
        mappings = pages(self.client("lambda"), "list_event_source_mappings", "EventSourceMappings")
        return [EventSource.read(one) for one in mappings if ":dynamodb:" in one["EventSourceArn"]]

    def assume(self, role_arn: str, session_name: str) -> Mapping[str, Any]:
        """Temporary credentials of a role, as STS returns them."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
        credentials: Mapping[str, Any] = answer["Credentials"]
        return credentials

    def tables(self, stack_name: str) -> list[str]:
        """The names of a stack's DynamoDB tables."""
        return [
            resource["PhysicalResourceId"]
            for resource in self._resources(stack_name)
            if resource["ResourceType"] == "AWS::DynamoDB::Table"
        ]

    def physical_ids(self, stack_name: str) -> dict[str, str]:
        """The physical ids of a stack's resources by their logical ids."""
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in self._resources(stack_name)
        }

    def outputs(self, stack_name: str) -> dict[str, str]:
        """A stack's outputs."""
        found = self.client("cloudformation").describe_stacks(StackName=stack_name)
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in found["Stacks"][0].get("Outputs", [])
        }

    def notices(self) -> list[str]:
        """What was deployed and has no effect in the emulated account."""
        with build_opener(ProxyHandler({})).open(f"{self.url}/_backstairs/notices") as answer:
            listed: list[str] = json.load(answer)["notices"]
        return listed

    def failures(self, stack_name: str) -> list[str]:
        """Why a stack failed: the resources that did, with CloudFormation's own reasons."""
        client = self.client("cloudformation")
        try:
            events = client.describe_stack_events(StackName=stack_name)
        except ClientError:
            return []  # it never came to a stack
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
            for event in reversed(events["StackEvents"])
            if event["ResourceStatus"].endswith("_FAILED")
            and (reason := event.get("ResourceStatusReason"))
        ]

    def _labels(self, first: str) -> dict[str, str]:
        """The labels of all stacks' functions by their names, the stack `first` before others."""
        stacks = [
            stack["StackName"]
            for stack in pages(self.client("cloudformation"), "describe_stacks", "Stacks")
            if stack["StackStatus"] != "DELETE_COMPLETE"
        ]
        labels: dict[str, str] = {}
        for stack_name in sorted(stacks, key=lambda name: (name != first, name)):
            for resource in self._resources(stack_name):
                label = _label(resource["LogicalResourceId"])
                if resource["ResourceType"] != "AWS::Lambda::Function" or not label:
                    continue
                taken = label in labels.values()
                labels[resource["PhysicalResourceId"]] = f"{stack_name}-{label}" if taken else label
        return labels

    def _resources(self, stack_name: str) -> list[Mapping[str, Any]]:
        client = self.client("cloudformation")
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_name)
        return [resource for page in pages for resource in page["StackResourceSummaries"]]


def _label(logical_id: str) -> str:
    """`ClaimTypesFunction` as people say it: `claim-types`."""
    words = re.findall(r"[A-Z][a-z0-9]*", logical_id.removesuffix("Function"))
    return "-".join(words).lower()


def pages(client: Any, operation: str, key: str, **options: Any) -> Iterator[Mapping[str, Any]]:
    """What an operation lists under a key, page after page."""
    for page in client.get_paginator(operation).paginate(**options):
        yield from page[key]


def _unpack(location: str, folder: Path) -> Path:
    """Unpack a deployment package once; the folder is named by what is in it."""
    with build_opener(ProxyHandler({})).open(location, timeout=30) as answer:
        package = answer.read()
    target = folder / hashlib.sha256(package).hexdigest()[:16]
    if not target.exists():
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(target)
    return target
