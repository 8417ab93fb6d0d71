"""The public edge of the local run: the stacks that let the outside in, beside the application's.

Their parameters are what a deployer would give. The forwarder is before the application's claims
API; another one, an HTTP API, before the demo backend, as are GitHub's and Stripe's webhooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from backstairs.demo.backend import NAME
from backstairs.local.deploy import STACK_NAME, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.account.client import Account

FORWARDER_STACK_NAME = f"{STACK_NAME}-forwarder"
FORWARDER = Stack(FORWARDER_STACK_NAME, "stacks/forwarder.yaml", "forwarder")
HTTP_FORWARDER = Stack(f"{STACK_NAME}-http-forwarder", FORWARDER.template, FORWARDER.environment)
WEBHOOKS = {
    provider: Stack(f"{STACK_NAME}-{provider}-webhooks", "stacks/webhooks.yaml", "webhooks")
    for provider in ("github", "stripe")
}
BUILT = (FORWARDER, WEBHOOKS["github"])
"""One stack for each template: what is built for it is good for the others."""

PARTNER_ADDRESSES = "203.0.113.0/24"
ANYWHERE = "0.0.0.0/0"
# That of the sample events; it opens nothing but the emulated account.
WEBHOOK_SECRET = "sample-webhook-secret-0001"  # noqa: S105
# AWS's own in us-east-1.
DYNAMODB_PREFIX_LIST = "pl-02cd2c6b"
KEY_PARAMETER = f"/{FORWARDER_STACK_NAME}/partner-api-key"


def deployments(account: Account) -> Mapping[Stack, Mapping[str, str]]:
    """The stacks and their parameters; none where the application has no claims API."""
    outputs = account.outputs(STACK_NAME)
    endpoint_id = outputs.get("ExecuteApiEndpointId")
    if endpoint_id is None or not {"ClaimsApiId", "ClaimsApiArn"} <= outputs.keys():
        return {}
    ec2 = account.client("ec2")
    (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    subnets = ec2.describe_subnets(SubnetIds=endpoint["SubnetIds"])["Subnets"]
    network = {"VpcId": endpoint["VpcId"], "SubnetIds": ",".join(endpoint["SubnetIds"])}
    addresses = subnets[0]["CidrBlock"]
    claims = outputs["ClaimsApiArn"]
    webhooks = {
        **network,
        "WebhookBackendUrl": f"https://{NAME}/hooks",
        "WebhookBackendCidr": addresses,
        "DynamoDBPrefixListId": DYNAMODB_PREFIX_LIST,
    }
    return {
        FORWARDER: {
            **network,
            "ExecuteApiEndpointSecurityGroupId": endpoint["Groups"][0]["GroupId"],
            # By the endpoint's name and the API's id, which do not depend on the API's alias.
            "BackendUrl": f"https://{outputs['ExecuteApiEndpointDnsName']}/{claims.rpartition('/')[2]}",
            "BackendApiId": outputs["ClaimsApiId"],
            # A partner may read claims and make one.
            "BackendGrants": f"{claims}/GET/claims/*,{claims}/POST/claims/*",
            "PartnerAllowlist": PARTNER_ADDRESSES,
        },
        HTTP_FORWARDER: {
            **network,
            "ApiType": "HTTP",
            "BackendUrl": f"https://{NAME}/base",
            "BackendCidr": addresses,
            # What an HTTP API cannot keep.
            "PartnerAllowlist": ANYWHERE,
            "PartnerQuota": "0",
            "PartnerRate": "0",
            "PartnerBurst": "0",
        },
        WEBHOOKS["github"]: {**webhooks, "Provider": "github"},
        WEBHOOKS["stripe"]: {**webhooks, "Provider": "stripe", "WebhookAllowlist": ANYWHERE},
    }


def public_api_id(account: Account, stack: Stack = FORWARDER) -> str | None:
    """The id of a stack's public API; None where the stack is not deployed."""
    try:
        found = account.client("cloudformation").describe_stacks(StackName=stack.name)
    except ClientError:
        return None
    if found["Stacks"][0]["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    ids = account.physical_ids(stack.name)
    return ids.get("PublicRestApi") or ids.get("PublicHttpApi")


def put_webhook_secrets(account: Account) -> None:
    """Put the webhooks' secrets where their functions look for them, as their owner would."""
    for stack in WEBHOOKS.values():
        account.client("ssm").put_parameter(
            Name=account.outputs(stack.name)["WebhookSecretParameterName"],
            Type="SecureString",
            Value=WEBHOOK_SECRET,
            Overwrite=True,
        )


def partner_key(account: Account) -> str:
    """The partner's key, as a permitted service reads it."""
    found = account.client("ssm").get_parameter(Name=KEY_PARAMETER, WithDecryption=True)
    value: str = found["Parameter"]["Value"]
    return value
