"""A tour of real calls: who, from where, what, and what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.credentials import Credentials

from backstairs.account.client import Account
from backstairs.client import Answer, call
from backstairs.demo.deliveries import PUSH, by_github, by_stripe, charge
from backstairs.demo.public import (
    HTTP_FORWARDER,
    WEBHOOK_SECRET,
    WEBHOOKS,
    partner_key,
    public_api_id,
)
from backstairs.local.deploy import FORWARDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

    `api` None: the one that has the path. `follows`: the call goes on to the answer's Location, and
    what is expected is what that answers. `shows` are headers to show as the backend saw them, none
    of which may have what the call says.
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
    follows: bool = False
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call came to; `told` is what there is to say of it besides."""

    stop: Stop
    answer: Answer
    told: str | None = None

    @property
    def is_as_expected(self) -> bool:
        """Whether it was answered, and seen by the backend, as the design calls for."""
        if self.answer.status != self.stop.expected:
            return False
        if not self.stop.shows:
            return True
        return self.told is not None and not any(
            value in self.told for value in self.stop.headers.values()
        )


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


def take(running: Running, stop: Stop) -> Seen:
    """Make one call, and where it is to be followed, the one that its answer points to."""
    api = stop.api or running.api_with(stop.path)
    host = f"{api.api_id}.execute-api.{running.region}.amazonaws.com"
    answer = _call(running, stop, host, stop.method, f"/{api.stage}{stop.path}")
    told = _shown(answer, stop.shows) if stop.shows else None
    if stop.follows:
        status, location = answer.status, urlsplit(answer.headers.get("location", ""))
        told = f"{status}, Location {location.geturl() or 'none'}"
        # Nobody is sent on to another host, nor with what is for this one.
        if location.netloc in ("", host) and location.path:
            answer = _call(running, replace(stop, body=b""), host, "GET", location.path)
            told += f", which answers {answer.status}"
    return Seen(stop, answer, told)


def _call(running: Running, stop: Stop, host: str, method: str, path: str) -> Answer:
    origin = next(origin for origin in running.origins if origin.name == stop.origin)
    credentials = stop.credentials
    if credentials is not None and stop.forged:
        credentials = Credentials(credentials.access_key, "forged", credentials.token)
    return call(
        origin.port,
        method,
        path,
        host=host,
        region=running.region,
        credentials=credentials,
        headers={**({"Content-Type": "application/json"} if stop.body else {}), **stop.headers},
        body=stop.body,
    )


def _shown(answer: Answer, names: Iterable[str]) -> str | None:
    """What the demo backend saw of some headers."""
    try:
        seen = {name.lower(): value for name, value in json.loads(answer.body)["headers"]}
    except (ValueError, KeyError, TypeError):
        return None
    return "the backend sees " + ", ".join(
        f"{name}: {seen[name]}" if name in seen else f"no {name}" for name in names
    )


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
