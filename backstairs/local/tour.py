"""A tour of real calls: who, from where, what, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from backstairs.client import Answer, call
from backstairs.local.account import Account

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.local.run import Running

OTHER_ACCOUNT = "210987654321"
_GUEST_ROLE = "guest"
MEMBER = "/members/m-1001"
NOTIFIER_EVENT = b'{"memberId": "m-1001"}'


@dataclass(frozen=True, slots=True)
class Stop:
    """One call of the tour; `expected` is the status that the application's design calls for."""

    who: str
    origin: str
    method: str
    path: str
    expected: int
    credentials: Credentials | None = None
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call came to."""

    stop: Stop
    answer: Answer


def stops(running: Running) -> list[Stop]:
    """The calls of the tour, with credentials made for it."""
    account = Account(running.account_url, running.region)

    def of(name: str) -> Credentials:
        return _frozen(account, running.roles[name], name)

    notifier, claims, guest = of("notifier"), of("claims"), _guest(running)
    us, them, web = "endpoint", "another-endpoint", "internet"
    return [
        Stop("notifier", us, "GET", MEMBER, 200, notifier),
        Stop("nobody (unsigned)", us, "GET", MEMBER, 403),
        Stop("notifier, wrong signature", us, "GET", MEMBER, 403, notifier, forged=True),
        Stop("claims (no grant)", us, "GET", MEMBER, 403, claims),
        Stop("notifier (may only read members)", us, "POST", "/claims/m-1001", 403, notifier),
        Stop("another account, granted there", us, "GET", MEMBER, 403, guest),
        Stop("notifier", them, "GET", MEMBER, 403, notifier),
        Stop("notifier", web, "GET", MEMBER, 403, notifier),
        Stop("nobody (unsigned)", us, "GET", "/claim-types", 200),
        Stop("nobody (unsigned)", them, "GET", "/claim-types", 403),
        Stop("nobody (unsigned)", web, "GET", "/claim-types", 403),
    ]


def take(running: Running, stop: Stop) -> Seen:
    """Make one call."""
    origin = next(origin for origin in running.origins if origin.name == stop.origin)
    api = running.api_with(stop.path)
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
    )
    return Seen(stop, answer)


def _frozen(account: Account, role_arn: str, session_name: str) -> Credentials:
    found = account.assume(role_arn, session_name)
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def _guest(running: Running) -> Credentials:
    """A role of another account that its own account lets invoke everything."""
    other = Account(running.account_url, running.region, OTHER_ACCOUNT)
    iam = other.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}, "Action": "sts:AssumeRole"}
    grant = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    role = iam.create_role(RoleName=_GUEST_ROLE, AssumeRolePolicyDocument=_document(trust))["Role"]
    iam.put_role_policy(
        RoleName=_GUEST_ROLE, PolicyName="invoke-everything", PolicyDocument=_document(grant)
    )
    return _frozen(other, role["Arn"], _GUEST_ROLE)


def _document(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
