"""A small application by hand: an API by grant, an API by network, three roles, one endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backstairs.access import (
    Api,
    Authorization,
    Endpoint,
    Policy,
    Principal,
    Route,
    Source,
    parse_policy,
)
from backstairs.template.model import (
    Application,
    DeclaredApi,
    DeclaredEndpoint,
    DeclaredPrincipal,
)
from backstairs.template.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACCOUNT, REGION, ENDPOINT = "123456789012", "us-east-1", "vpce-0a1b2c"
EXECUTE = f"arn:aws:execute-api:{REGION}:{ACCOUNT}"
FILE = "template.yaml"


def policy(name: str, *statements: Mapping[str, Any], line: int = 1, api: bool = False) -> Policy:
    """A policy whose statements are on lines from `line` on; `api`: it is a resource policy."""
    document = {"Version": "2012-10-17", "Statement": statements}
    sources = [Source(FILE, line + number) for number in range(len(statements))]
    return parse_policy(name, document, resource_based=api, sources=sources)


def everybody(effect: str, resource: str = "execute-api:/*", **condition: Any) -> dict[str, Any]:
    """A statement of an API's policy about everybody; `condition` by operator."""
    statement = {
        "Effect": effect,
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": resource,
    }
    return statement | ({"Condition": condition} if condition else {})


def grant(*resources: str) -> dict[str, Any]:
    """An identity policy's Allow for what stands behind the API's number."""
    return {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": [f"{EXECUTE}:{resource}" for resource in resources],
    }


ONLY_ENDPOINT = everybody("Deny", StringNotEquals={"aws:SourceVpce": ENDPOINT})
ONLY_ACCOUNT = everybody("Deny", StringNotEquals={"aws:PrincipalAccount": ACCOUNT})
CLAIMS_POLICY = policy(
    "ClaimsApi's resource policy", ONLY_ENDPOINT, ONLY_ACCOUNT, line=20, api=True
)
WHITELIST = policy(
    "ReferenceApi's resource policy",
    everybody("Allow", "execute-api:/dev/GET/claim-types"),
    everybody(
        "Deny",
        "execute-api:/dev/GET/claim-types",
        StringNotEquals={"aws:SourceVpce": ENDPOINT},
    ),
    line=40,
    api=True,
)
CLAIMS_ROUTES = (
    ("GET", "/members/{memberId}"),
    ("GET", "/claims/{memberId}"),
    ("POST", "/claims/{memberId}"),
)


def api(
    name: str,
    routes: Sequence[tuple[str, str]],
    *,
    allows: Policy | None,
    authorization: Authorization = Authorization.AWS_IAM,
    private: bool = True,
    needs_key: bool = False,
) -> DeclaredApi:
    """A REST API with a stage `dev`."""
    methods = tuple(
        Route(verb, path, authorization, None, needs_key=needs_key) for verb, path in routes
    )
    declared = Api(name.lower(), name, "dev", REGION, ACCOUNT, private, allows, methods)
    return DeclaredApi(name, declared, Source(FILE, 10))


def role(name: str, *statements: Mapping[str, Any]) -> DeclaredPrincipal:
    """The role of a function, with one policy."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}Role"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}Role/{name}"
    policies = (policy(f"{name}RolePolicy0", *statements, line=60),) if statements else ()
    principal = Principal(session, arn, ACCOUNT, "AssumedRole", policies=policies)
    return DeclaredPrincipal(f"{name}Role", principal, Source(FILE, 50), functions=(name,))


def application(**changes: Any) -> Application:
    """The application, or a variant of it."""
    own = policy(
        "Endpoint's policy",
        everybody("Allow", f"{EXECUTE}:*", StringEqualsIfExists={"aws:PrincipalAccount": ACCOUNT}),
        line=80,
        api=True,
    )
    endpoint = Endpoint(ENDPOINT, "vpc-1", own)
    reference = api(
        "ReferenceApi",
        [("GET", "/claim-types")],
        allows=WHITELIST,
        authorization=Authorization.NONE,
    )
    built = Application(
        file=FILE,
        account=ACCOUNT,
        region=REGION,
        apis=(api("ClaimsApi", CLAIMS_ROUTES, allows=CLAIMS_POLICY), reference),
        functions=(),
        principals=(
            role("ClaimsFunction"),
            role("NotifierFunction", grant("*/dev/GET/members/*")),
        ),
        endpoints=(DeclaredEndpoint("Endpoint", endpoint, Source(FILE, 70)),),
        networks=Networks(),
        other_ways=(),
        not_read=(),
    )
    return replace(built, **changes)
