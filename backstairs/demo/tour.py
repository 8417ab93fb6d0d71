"""A tour of real calls through the application: who, from where, what, and what is expected."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from backstairs.account.client import Account
from backstairs.demo.deliveries import PUSH, by_github, by_stripe, charge
from backstairs.demo.public import (
    FORWARDER,
    HTTP_FORWARDER,
    WEBHOOK_SECRET,
    WEBHOOKS,
    partner_key,
    public_api_id,
)
from backstairs.demo.stops import Stop
from backstairs.local.deploy import STACK_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
class Chapter:
    """A part of the tour; `then` waits for what its calls lead to, None where nothing came."""

    title: str
    stops: list[Stop]
    waiting: str = ""
    then: Callable[[Running], str | None] | None = None


def chapters(running: Running) -> Iterator[Chapter]:
    """The tour, each part planned when the one before it is over; none of another application."""
    inside = stops(running)
    if not inside:
        return
    waiting = "waiting for the claim's notification"
    yield Chapter("Real calls through the doors:", inside, waiting, notification)
    outside = edge_stops(running)
    if outside:
        yield Chapter("From outside, by the public APIs, their forwarders and webhooks:", outside)


def examples(running: Running) -> list[str]:
    """What to try next, as arguments of `backstairs`; nothing for another application."""
    if not {"notifier", "claims"} <= running.roles.keys():
        return []
    account = Account(running.account_url, running.region)
    outside = f"call GET /partner{CLAIMS} --api-key PartnerKey"
    return [
        f"call GET {MEMBER} --as notifier",
        f"call GET {MEMBER} --as notifier --from internet",
        *([outside] if public_api_id(account) is not None else []),
        "invoke notifier --event events/notifier/claim-created.json",
    ]


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
    """The calls of the tour from outside; none where the stacks for it are not deployed."""
    account = Account(running.account_url, running.region)
    found = {
        stack: next((one for one in running.apis if one.api_id == api_id), None)
        for stack in (FORWARDER, HTTP_FORWARDER, *WEBHOOKS.values())
        if (api_id := public_api_id(account, stack)) is not None
    }
    apis = {stack: api for stack, api in found.items() if api is not None}
    if len(apis) < len(WEBHOOKS) + 2:
        return []
    return [
        *_by_key(account, apis[FORWARDER]),
        *_by_signature(account, apis[HTTP_FORWARDER]),
        *_by_github(apis[WEBHOOKS["github"]]),
        *_by_stripe(apis[WEBHOOKS["stripe"]]),
    ]


def _by_key(account: Account, api: OpenApi) -> list[Stop]:
    """A partner with a key reads claims through the forwarder, and makes one."""
    key = {"x-api-key": partner_key(account)}
    trial = {"x-api-key": _trial_key(account, api)}
    web, github = "internet", "github"
    claims, members = f"/partner{CLAIMS}", f"/partner{MEMBER}"
    planned = [
        Stop("a partner, with its key", web, "GET", claims, 200, headers=key),
        Stop("a partner, without a key", web, "GET", claims, 403),
        Stop("a partner, where nothing is granted", web, "GET", members, 403, headers=key),
        Stop("a partner, from an address not listed", github, "GET", claims, 403, headers=key),
        Stop("a partner with one call a day", web, "GET", claims, 200, headers=trial),
        Stop("a partner with one call a day", web, "GET", claims, 429, headers=trial),
        Stop(
            "a partner, making a claim and going where it is",
            *(web, "POST", claims, 200),
            headers=key,
            body=_claim(),
            follows=True,
        ),
    ]
    return [replace(stop, api=api) for stop in planned]


def _by_signature(account: Account, api: OpenApi) -> list[Stop]:
    """A partner that signs, before a backend that tells what it sees."""
    grant = f"arn:aws:execute-api:{account.region}:{account.account_id}:{api.api_id}/*/*/partner/*"
    partner, web = _role(account, "signing-partner", grant), "internet"
    posing = {"X-Remote-User": "root", "X-Caller-Arn": "arn:aws:iam::1:root"}
    planned = [
        Stop(
            "a partner that signs and poses as root",
            *(web, "GET", "/partner/things", 200, partner),
            headers=posing,
            shows=("x-caller-arn", "x-remote-user"),
        ),
        Stop("a partner that does not sign", web, "GET", "/partner/things", 403),
        Stop(
            "a partner, sent on by the backend",
            *(web, "GET", "/partner/moved", 200, partner),
            follows=True,
        ),
    ]
    return [replace(stop, api=api) for stop in planned]


def _by_github(api: OpenApi) -> list[Stop]:
    web, github, hook, body = "internet", "github", "/webhooks/github", PUSH
    signed, forged = (by_github(body, secret) for secret in (WEBHOOK_SECRET, "a guess"))
    planned = [
        Stop("GitHub", github, "POST", hook, 202, headers=signed, body=body),
        Stop("GitHub, delivering it again", github, "POST", hook, 202, headers=signed, body=body),
        Stop("GitHub, signature forged", github, "POST", hook, 401, headers=forged, body=body),
        Stop("somebody else, signature right", web, "POST", hook, 403, headers=signed, body=body),
    ]
    return [replace(stop, api=api) for stop in planned]


def _by_stripe(api: OpenApi) -> list[Stop]:
    web, hook, body = "internet", "/webhooks/stripe", charge()
    now, again, old = (by_stripe(body, WEBHOOK_SECRET, age) for age in (1, 0, 600))
    planned = [
        Stop("Stripe", web, "POST", hook, 202, headers=now, body=body),
        Stop("Stripe, signing it anew", web, "POST", hook, 202, headers=again, body=body),
        Stop("somebody, ten minutes later", web, "POST", hook, 401, headers=old, body=body),
    ]
    return [replace(stop, api=api) for stop in planned]


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


def _frozen(account: Account, role_arn: str, session_name: str) -> Credentials:
    found = account.assume(role_arn, session_name)
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def notification(running: Running) -> str | None:
    """What the notifier made of the tour's claim, once the stream has brought it there."""
    account = Account(running.account_url, running.region)
    table = account.physical_ids(STACK_NAME).get("NotificationsTable")
    if table is None:
        return None
    client = account.client("dynamodb")
    until = time.monotonic() + _NOTIFICATION_SECONDS
    while time.monotonic() < until:
        for item in client.scan(TableName=table)["Items"]:
            text = item["text"]["S"]
            return f"The table's stream brought the claim to the notifier, which wrote:\n  {text}\n"
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
