"""The public edge of the local run: the forwarder's stack beside the application's.

Its parameters are what a deployer would give: the application's network, its claims API as the
partners' backend, the demo backend behind the webhooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from backstairs.demo.backend import NAME
from backstairs.local.deploy import FORWARDER_STACK_NAME, STACK_NAME

if TYPE_CHECKING:
    from backstairs.account.client import Account

PARTNER_ADDRESSES = "203.0.113.0/24"
# That of the sample events; it opens nothing but the emulated account.
WEBHOOK_SECRET = "sample-webhook-secret-0001"  # noqa: S105
# AWS's own in us-east-1.
DYNAMODB_PREFIX_LIST = "pl-02cd2c6b"
KEY_PARAMETER = f"/{FORWARDER_STACK_NAME}/partner-api-key"
SECRET_PARAMETER = f"/{FORWARDER_STACK_NAME}/github-webhook-secret"


def parameters(account: Account) -> dict[str, str] | None:
    """What the forwarder is deployed with; None where the application has no claims API."""
    outputs = account.outputs(STACK_NAME)
    endpoint_id = outputs.get("ExecuteApiEndpointId")
    if endpoint_id is None or not {"ClaimsApiUrl", "ClaimsApiArn"} <= outputs.keys():
        return None
    ec2 = account.client("ec2")
    (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    subnets = ec2.describe_subnets(SubnetIds=endpoint["SubnetIds"])["Subnets"]
    return {
        "VpcId": endpoint["VpcId"],
        "SubnetIds": ",".join(endpoint["SubnetIds"]),
        "ExecuteApiEndpointSecurityGroupId": endpoint["Groups"][0]["GroupId"],
        "BackendUrl": outputs["ClaimsApiUrl"],
        # One route: a partner may read claims.
        "BackendGrants": f"{outputs['ClaimsApiArn']}/GET/claims/*",
        "PartnerAllowlist": PARTNER_ADDRESSES,
        "WebhookBackendUrl": f"https://{NAME}/hooks",
        "WebhookBackendCidr": subnets[0]["CidrBlock"],
        "DynamoDBPrefixListId": DYNAMODB_PREFIX_LIST,
    }


def public_api_id(account: Account) -> str | None:
    """The id of the forwarder's public API; None where its stack is not deployed."""
    try:
        found = account.client("cloudformation").describe_stacks(StackName=FORWARDER_STACK_NAME)
    except ClientError:
        return None
    if found["Stacks"][0]["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    return account.physical_ids(FORWARDER_STACK_NAME).get("PublicRestApi")


def put_webhook_secret(account: Account) -> None:
    """Put the webhooks' secret where their function looks for it, as its owner would."""
    account.client("ssm").put_parameter(
        Name=SECRET_PARAMETER, Type="SecureString", Value=WEBHOOK_SECRET, Overwrite=True
    )


def partner_key(account: Account) -> str:
    """The partner's key, as a permitted service reads it."""
    found = account.client("ssm").get_parameter(Name=KEY_PARAMETER, WithDecryption=True)
    value: str = found["Parameter"]["Value"]
    return value
