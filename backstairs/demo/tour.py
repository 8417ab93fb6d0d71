"""A tour of real calls: who, from where, what, and what came of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from backstairs.account.client import Account
from backstairs.client import Answer, call
from backstairs.demo.forwarder import WEBHOOK_SECRET, partner_key, public_api_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.local.running import OpenApi, Running

OTHER_ACCOUNT = "210987654321"
_NOTIFICATION_SECONDS = 15
MEMBER = "/members/m-1001"
CLAIMS = "/claims/m-1001"
CLAIM = {
    "policyId": "POL-2026-001",
    "memberName": "Ada Lovelace",
    "claimType": "dental",
    "amount": 12000,
    "currency": "EUR",
    "occurredOn": "2026-11-02",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One call of the tour; `expected` is the status that the application's design calls for.

    `api` None: the one that has the path.
    """

    who: str
    origin: str
    method: str
    path: str
    expected: int
    credentials: Credentials | None = None
    forged: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    api: OpenApi | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call came to."""

    stop: Stop
    answer: Answer


def stops(running: Running) -> list[Stop]:
    """The calls of the tour, with credentials made for it; none where its callers are missing."""
    if not {"notifier", "claims"} <= running.roles.keys():
        return []
    account = Account(running.account_url, running.region)

    def of(name: str) -> Credentials:
        return _frozen(account, running.roles[name], name)

    notifier, claims = of("notifier"), of("claims")
    other = Account(running.account_url, running.region, OTHER_ACCOUNT)
    guest = _role(other, "guest", "*")
    # A new consumer: a role with its own grant, and nothing changed at the API.
    grant = f"arn:aws:execute-api:{running.region}:{account.account_id}:*/*/POST/claims/*"
    front_desk = _role(account, "front-desk", grant)
    us, them, web = "endpoint", "another-endpoint", "internet"
    return [
        Stop("notifier", us, "GET", MEMBER, 200, notifier),
        Stop("nobody (unsigned)", us, "GET", MEMBER, 403),
        Stop("notifier, wrong signature", us, "GET", MEMBER, 403, notifier, forged=True),
        Stop("claims (no grant)", us, "GET", MEMBER, 403, claims),
        Stop("notifier (may only read members)", us, "POST", CLAIMS, 403, notifier),
        Stop("front-desk (may write claims)", us, "POST", CLAIMS, 201, front_desk, body=_claim()),
        Stop("another account, granted there", us, "GET", MEMBER, 403, guest),
        Stop("notifier", them, "GET", MEMBER, 403, notifier),
        Stop("notifier", web, "GET", MEMBER, 403, notifier),
        Stop("nobody (unsigned)", us, "GET", "/claim-types", 200),
        Stop("nobody (unsigned)", them, "GET", "/claim-types", 403),
        Stop("nobody (unsigned)", web, "GET", "/claim-types", 403),
    ]


def edge_stops(running: Running) -> list[Stop]:
    """The calls of the tour to the forwarder's public API; none where it is not deployed."""
    account = Account(running.account_url, running.region)
    api_id = public_api_id(account)
    api = next((api for api in running.apis if api.api_id == api_id), None)
    if api is None:
        return []
    key = {"x-api-key": partner_key(account)}
    trial = {"x-api-key": _trial_key(account, api)}
    web, github = "internet", "github"
    claims, members, hook = f"/partner{CLAIMS}", f"/partner{MEMBER}", "/webhooks/github"
    body = json.dumps({"ref": "refs/heads/main"}).encode()
    signed, forged = (_webhook(body, secret) for secret in (WEBHOOK_SECRET, "a guess"))
    planned = [
        Stop("a partner, with its key", web, "GET", claims, 200, headers=key),
        Stop("a partner, without a key", web, "GET", claims, 403),
        Stop("a partner, where nothing is granted", web, "GET", members, 403, headers=key),
        Stop("a partner, from an address not listed", github, "GET", claims, 403, headers=key),
        Stop("a partner with one call a day", web, "GET", claims, 200, headers=trial),
        Stop("a partner with one call a day", web, "GET", claims, 429, headers=trial),
        Stop("GitHub", github, "POST", hook, 202, headers=signed, body=body),
        Stop("GitHub, delivering it again", github, "POST", hook, 202, headers=signed, body=body),
        Stop("GitHub, signature forged", github, "POST", hook, 401, headers=forged, body=body),
        Stop("somebody else, signature right", web, "POST", hook, 403, headers=signed, body=body),
    ]
    return [replace(stop, api=api) for stop in planned]


def _webhook(body: bytes, secret: str) -> dict[str, str]:
    """The headers of a delivery as GitHub sends them."""
    proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={proof}",
    }


def _trial_key(account: Account, api: OpenApi) -> str:
    """The key of one more partner, whose plan has one call a day."""
    gateway = account.client("apigateway")
    key = gateway.create_api_key(name="trial", enabled=True)
    plan = gateway.create_usage_plan(
        name="trial",
        quota={"limit": 1, "period": "DAY"},
        apiStages=[{"apiId": api.api_id, "stage": api.stage}],
    )
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    value: str = key["value"]
    return value


def take(running: Running, stop: Stop) -> Seen:
    """Make one call."""
    origin = next(origin for origin in running.origins if origin.name == stop.origin)
    api = stop.api or running.api_with(stop.path)
    credentials = stop.credentials
    if credentials is not None and stop.forged:
        credentials = Credentials(credentials.access_key, "forged", credentials.token)
    answer = call(
        origin.port,
        stop.method,
        f"/{api.stage}{stop.path}",
        host=f"{api.api_id}.execute-api.{running.region}.amazonaws.com",
        region=running.region,
        credentials=credentials,
        headers={**({"Content-Type": "application/json"} if stop.body else {}), **stop.headers},
        body=stop.body,
    )
    return Seen(stop, answer)


def _frozen(account: Account, role_arn: str, session_name: str) -> Credentials:
    found = account.assume(role_arn, session_name)
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def notification(running: Running, stack_name: str) -> str | None:
    """What the notifier made of the tour's claim, once the stream has brought it there."""
    account = Account(running.account_url, running.region)
    table = account.physical_ids(stack_name).get("NotificationsTable")
    if table is None:
        return None
    client = account.client("dynamodb")
    until = time.monotonic() + _NOTIFICATION_SECONDS
    while time.monotonic() < until:
        for item in client.scan(TableName=table)["Items"]:
            text: str = item["text"]["S"]
            return text
        time.sleep(0.1)
    return None


def _claim() -> bytes:
    return json.dumps(CLAIM).encode()


def _role(account: Account, name: str, resource: str) -> Credentials:
    """A role that its own account lets invoke `resource`, and credentials of it."""
    iam = account.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": account.account_id},
        "Action": "sts:AssumeRole",
    }
    grant = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=_document(grant))
    return _frozen(account, role["Arn"], name)


def _document(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
