"""What is decided in the benchmarks, as JSON: an older commit reads it as well as this one.

A world has `apis`, `principals`, `origins` and `calls`; a call names one of each by its place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from backstairs.access import Authorization, Unresolved
from backstairs.template.application import read_application

if TYPE_CHECKING:
    from backstairs.access import Policy, Principal
    from backstairs.access.policy import Statement
    from backstairs.template.model import Application

Json = dict[str, Any]

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def own() -> Json:
    """The application of this repository: every caller on every route, from every origin."""
    application = read_application(TEMPLATE)
    apis = [
        {
            "id": one.api.api_id,
            "stage": one.api.stage,
            "region": one.api.region,
            "account": one.api.account,
            "private": one.api.private,
            "policy": _document(one.api.policy),
            "routes": [[r.method, r.path, r.authorization.value] for r in one.api.routes],
        }
        for one in application.apis
    ]
    world: Json = {
        "apis": apis,
        "principals": [_principal(one.principal) for one in application.principals],
        "origins": _origins(application),
    }
    return world | {"calls": _calls(world)}


def _origins(application: Application) -> list[Json]:
    inside = [
        {
            "name": one.name,
            "endpoint": one.endpoint.endpoint_id,
            "vpc": one.endpoint.vpc_id,
            "policy": _document(one.endpoint.policy),
            "address": "10.0.1.7",
        }
        for one in application.endpoints
    ]
    other = {"name": "elsewhere", "endpoint": "vpce-9", "vpc": "vpc-9", "policy": None}
    internet = {"name": "internet", "endpoint": None, "address": "203.0.113.10"}
    return [*inside, other | {"address": "10.9.0.7"}, internet]


def _principal(principal: Principal) -> Json:
    return {
        "arn": principal.arn,
        "principal_arn": principal.principal_arn,
        "account": principal.account,
        "kind": principal.kind,
        "policies": [_document(policy) for policy in principal.policies if policy.statements],
    }


def _calls(world: Json) -> list[list[Any]]:
    """(origin, api, route, principal or None, path): of open routes, the anonymous caller."""
    calls = []
    for origin in range(len(world["origins"])):
        for number, api in enumerate(world["apis"]):
            for route, (_, pattern, authorization) in enumerate(api["routes"]):
                path = pattern.replace("{", "").replace("}", "-1")
                signed = authorization == Authorization.AWS_IAM.value
                callers = [*range(len(world["principals"]))] if signed else []
                calls += [[origin, number, route, who, path] for who in (*callers, None)]
    return calls


def _document(policy: Policy | None) -> Json | None:
    if policy is None:
        return None
    return {"Version": "2012-10-17", "Statement": [*map(_statement, policy.statements)]}


def _statement(statement: Statement) -> Json:
    body: Json = {"Sid": statement.name, "Effect": statement.effect}
    body["NotAction" if statement.not_actions else "Action"] = _texts(statement.actions)
    body["NotResource" if statement.not_resources else "Resource"] = _texts(statement.resources)
    if statement.principals is not None:
        everybody = "*" in statement.principals
        body["Principal"] = "*" if everybody else {"AWS": _texts(statement.principals)}
    for one in statement.conditions:
        body.setdefault("Condition", {}).setdefault(one.operator, {})[one.key] = _texts(one.values)
    return body


def _texts(values: tuple[str | Unresolved, ...]) -> list[str]:
    """What is not resolved is a text of its own here: both commits get the same."""
    return [value if isinstance(value, str) else value.why for value in values]


def long(statements: int) -> Json:
    """One API and one caller, each with so many statements about the API's own paths."""
    arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
    denies = [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": f"execute-api:/dev/GET/closed/{number}/*",
        }
        for number in range(statements)
    ]
    allows = [
        {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": f"{arn}/dev/GET/members/{number}/*",
        }
        for number in range(statements)
    ]
    role = "arn:aws:iam::123456789012:role/Notifier"
    api = {
        "id": "a1b2c3d4e5",
        "stage": "dev",
        "region": "eu-central-1",
        "account": "123456789012",
        "private": True,
        "policy": {"Version": "2012-10-17", "Statement": denies},
        "routes": [["GET", "/{proxy+}", "AWS_IAM"]],
    }
    caller = {
        "arn": "arn:aws:sts::123456789012:assumed-role/Notifier/session",
        "principal_arn": role,
        "account": "123456789012",
        "kind": "AssumedRole",
        "policies": [{"Version": "2012-10-17", "Statement": allows}],
    }
    inside = {"name": "inside", "endpoint": "vpce-1", "vpc": "vpc-1", "policy": None}
    path = f"/members/{statements - 1}/m-1"
    return {
        "apis": [api],
        "principals": [caller],
        "origins": [inside | {"address": "10.0.1.7"}],
        "calls": [[0, 0, 0, 0, path]],
    }
