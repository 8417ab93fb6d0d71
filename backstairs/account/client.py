"""An account by AWS's own APIs: its clients, temporary credentials, and stacks.

It is the emulated one, entered by the emulator's root keys.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from backstairs.emulator.settings import (
    ACCOUNT_ID,
    ROOT_ACCESS_KEY_ID,
    ROOT_SECRET_ACCESS_KEY,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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

    def assume(self, role_arn: str, session_name: str) -> Mapping[str, Any]:
        """Temporary credentials of a role, as STS returns them."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
        credentials: Mapping[str, Any] = answer["Credentials"]
        return credentials

    def tables(self, stack_name: str) -> list[str]:
        """The names of a stack's DynamoDB tables."""
        return [
            resource["PhysicalResourceId"]
            for resource in self.resources(stack_name)
            if resource["ResourceType"] == "AWS::DynamoDB::Table"
        ]

    def physical_ids(self, stack_name: str) -> dict[str, str]:
        """The physical ids of a stack's resources by their logical ids."""
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in self.resources(stack_name)
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

    def put_away(self) -> None:
        """Have the emulated account write its snapshot. Raises OSError with why it cannot."""
        request = Request(f"{self.url}/_backstairs/snapshot", method="PUT")
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=30):
                return
        except HTTPError as error:
            raise OSError(error.read().decode("utf-8", "replace")) from error

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

    def resources(self, stack_name: str) -> list[Mapping[str, Any]]:
        """A stack's resources as `ListStackResources` has them."""
        client = self.client("cloudformation")
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_name)
        return [resource for page in pages for resource in page["StackResourceSummaries"]]


def pages(client: Any, operation: str, key: str, **options: Any) -> Iterator[Mapping[str, Any]]:
    """What an operation lists under a key, page after page."""
    for page in client.get_paginator(operation).paginate(**options):
        yield from page[key]
