"""The decision as a table: who, from where, on which API, and what API Gateway would answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import (
    Api,
    Authorization,
    Call,
    Decision,
    Endpoint,
    Kind,
    Known,
    Origin,
    Principal,
    Route,
    Rule,
    SignatureProblem,
    Unresolved,
    Verdict,
    decide,
    limits,
    parse_policy,
    refusals,
    rules,
    sigv4,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backstairs.access import Policy
    from backstairs.access.refusals import Refusal

Json = dict[str, Any]

ACCOUNT, OTHER = "123456789012", "210987654321"
PREFIX = f"arn:aws:execute-api:eu-central-1:{ACCOUNT}:a1b2c3d4e5"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/Notifier"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)

ENDPOINT = Endpoint("vpce-1", "vpc-1")
INSIDE = Origin("inside", ENDPOINT, "10.0.1.7")
ELSEWHERE = Origin("another endpoint", Endpoint("vpce-2", "vpc-2"), "10.9.0.7")
INTERNET = Origin("the internet", None, "203.0.113.10")

BASE = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}


def allow(**elements: object) -> Json:
    """An Allow for everyone on the whole API, but for what is given."""
    return {"Effect": "Allow", **BASE, **elements}


def deny(condition: object = None, **elements: object) -> Json:
    """A Deny for everyone on the whole API under a condition."""
    return {"Effect": "Deny", **BASE, **({"Condition": condition} if condition else {}), **elements}


def grant(path: str = "GET/members/*", **elements: object) -> Json:
    """A consumer's grant, for any API of the account."""
    resource = f"arn:aws:execute-api:eu-central-1:{ACCOUNT}:*/dev/{path}"
    return {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource, **elements}


OTHER_ENDPOINTS = deny({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})
OTHER_ACCOUNTS = deny({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}})
DENY_ONLY = (OTHER_ENDPOINTS, OTHER_ACCOUNTS)
_PATH = ["execute-api:/dev/GET/members/*"]
WHITELIST = (
    allow(Resource=_PATH),
    deny({"StringNotEquals": {"aws:SourceVpce": ["vpce-1"]}}, Resource=_PATH),
)
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
UNKNOWN = Unresolved("not known yet")


def policy(*statements: object, of: str = "a policy", resource_based: bool = False) -> Policy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return parse_policy(of, document, resource_based=resource_based)


def api(
    *statements: object, authorization: Authorization = Authorization.AWS_IAM, private: bool = True
) -> Api:
    return Api(
        api_id="a1b2c3d4e5",
        name="ClaimsApi",
        stage="dev",
        region="eu-central-1",
        account=ACCOUNT,
        private=private,
        policy=policy(*statements, of="its policy", resource_based=True) if statements else None,
        routes=(Route("GET", "/members/{memberId}", authorization, None),),
    )


def public(*statements: object, authorization: Authorization = Authorization.AWS_IAM) -> Api:
    return api(*statements, authorization=authorization, private=False)


def opened(*statements: object, private: bool = True) -> Api:
    return api(*statements, authorization=Authorization.NONE, private=private)


def role(*statements: object, account: str = ACCOUNT, **more: Any) -> Principal:
    """A role's session in an account, with its identity policy."""
    return Principal(
        arn=f"arn:aws:sts::{account}:assumed-role/Notifier/session",
        principal_arn=f"arn:aws:iam::{account}:role/app/Notifier",
        account=account,
        kind="AssumedRole",
        user_id="AROAEXAMPLE:session",
        policies=(policy(*statements, of="its grants"),) if statements else (),
        **more,
    )


def root(account: str = ACCOUNT) -> Principal:
    arn = f"arn:aws:iam::{account}:root"
    return Principal(arn=arn, principal_arn=arn, account=account, kind="Account")


def user(*statements: object, **more: Any) -> Principal:
    return Principal(
        arn=f"arn:aws:iam::{ACCOUNT}:user/team/ann",
        principal_arn=f"arn:aws:iam::{ACCOUNT}:user/team/ann",
        account=ACCOUNT,
        kind="User",
        policies=(policy(*statements),) if statements else (),
        **more,
    )


def call(
    target: Api, caller: Principal | None = None, origin: Origin = INSIDE, **more: Any
) -> Decision:
    return decide(
        Call(
            **{
                "origin": origin,
                "method": "GET",
                "path": "/members/m-1",
                "api": target,
                "route": target.routes[0],
                "caller": caller,
                "now": NOW,
                **more,
            }
        )
    )


@dataclass(frozen=True)
class Case:
    """A call and what is expected: a rule among the reasons, and a refusal's last words."""

    name: str
    decision: Decision
    verdict: Verdict
    rule: Rule
    says: str = ""


NO_GRANT = "because no identity-based policy allows the execute-api:Invoke action"
NO_RESOURCE = "because no resource-based policy allows the execute-api:Invoke action"
DENIED = "with an explicit deny in a resource-based policy"
MISSING = "Missing Authentication Token"


def allowed(name: str, decision: Decision, rule: Rule) -> Case:
    return Case(name, decision, Verdict.ALLOWED, rule)


def refused(name: str, decision: Decision, rule: Rule, says: str) -> Case:
    return Case(name, decision, Verdict.REFUSED, rule, says)


def unknown(name: str, decision: Decision) -> Case:
    return Case(name, decision, Verdict.UNKNOWN, rules.NOT_MODELLED)


SAME, ELSE = rules.IAM_SAME_ACCOUNT, rules.IAM_OTHER_ACCOUNT
GRANTED = role(grant())
FOREIGN = role(grant(), account=OTHER)
INVITED = (allow(Principal={"AWS": OTHER}), OTHER_ENDPOINTS)

NETWORK = [
    refused(
        "private from the internet",
        call(api(*DENY_ONLY), GRANTED, INTERNET),
        rules.PRIVATE_ONLY_THROUGH_ENDPOINTS,
        "Forbidden",
    ),
    refused(
        "regional through an endpoint",
        call(public(), GRANTED),
        rules.PUBLIC_NOT_THROUGH_ENDPOINTS,
        "Forbidden",
    ),
    allowed("regional from the internet, grant", call(public(), GRANTED, INTERNET), SAME),
    refused(
        "regional from the internet, no grant", call(public(), role(), INTERNET), SAME, NO_GRANT
    ),
    refused(
        "no such API", call(api(*DENY_ONLY), GRANTED, api=None), rules.UNKNOWN_API, "Forbidden"
    ),
    refused(
        "no such route", call(api(*DENY_ONLY), GRANTED, route=None), rules.UNKNOWN_ROUTE, MISSING
    ),
    refused(
        "no such route, from the internet",
        call(api(*DENY_ONLY), GRANTED, INTERNET, route=None),
        rules.PRIVATE_ONLY_THROUGH_ENDPOINTS,
        "Forbidden",
    ),
]

BY_GRANTS = [
    allowed("deny-only, grant", call(api(*DENY_ONLY), GRANTED), SAME),
    refused("deny-only, no grant", call(api(*DENY_ONLY), role()), SAME, NO_GRANT),
    refused(
        "deny-only, grant for another route",
        call(api(*DENY_ONLY), role(grant("GET/claims/*"))),
        SAME,
        NO_GRANT,
    ),
    refused(
        "deny-only, read grant used to write",
        call(api(*DENY_ONLY), GRANTED, method="POST"),
        SAME,
        NO_GRANT,
    ),
    refused(
        "deny-only, another endpoint",
        call(api(*DENY_ONLY), GRANTED, ELSEWHERE),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    refused(
        "deny-only, another account with a grant",
        call(api(*DENY_ONLY), FOREIGN),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    refused("unsigned", call(api(*DENY_ONLY)), rules.UNSIGNED_ON_IAM, MISSING),
    refused("unsigned, regional", call(public(), None, INTERNET), rules.UNSIGNED_ON_IAM, MISSING),
    refused(
        "a Deny in the grants",
        call(api(*DENY_ONLY), role(grant(), grant(Effect="Deny"))),
        rules.EXPLICIT_DENY,
        "with an explicit deny in an identity-based policy",
    ),
    allowed("root of the account", call(api(*DENY_ONLY), root()), SAME),
    refused(
        "root of the account, another endpoint",
        call(api(*DENY_ONLY), root(), ELSEWHERE),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    refused(
        "private without a policy",
        call(api(), GRANTED),
        rules.PRIVATE_NEEDS_POLICY,
        NO_RESOURCE,
    ),
    allowed("regional without a policy", call(public(), GRANTED, INTERNET), SAME),
]

BY_THE_API = [
    allowed("whitelist, no grant: the trap", call(api(*WHITELIST), role()), SAME),
    refused(
        "whitelist, another endpoint",
        call(api(*WHITELIST), GRANTED, ELSEWHERE),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    refused(
        "whitelist, another account without a grant",
        call(api(*WHITELIST), role(account=OTHER)),
        ELSE,
        NO_GRANT,
    ),
    allowed(
        "whitelist, another account with a grant: the trap again",
        call(api(*WHITELIST), FOREIGN),
        ELSE,
    ),
    refused(
        "whitelist mended by a Deny on the principal",
        call(
            api(
                *WHITELIST, deny({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app/X"}})
            ),
            role(),
        ),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    allowed(
        "whitelist mended, the principal that is named",
        call(api(*WHITELIST, deny({"ArnNotEquals": {"aws:PrincipalArn": ROLE}})), role()),
        SAME,
    ),
    refused(
        "whitelist mended by a tag, no such tag",
        call(
            api(*WHITELIST, deny({"StringNotEquals": {"aws:PrincipalTag/Calls": "claims"}})),
            role(tags={"calls": "members"}),
        ),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    allowed(
        "whitelist mended by a tag",
        call(
            api(*WHITELIST, deny({"StringNotEquals": {"aws:PrincipalTag/Calls": "claims"}})),
            role(tags={"calls": "claims"}),
        ),
        SAME,
    ),
    refused(
        "Allow for the account, no grant", call(api(allow(Principal=ROOT)), role()), SAME, NO_GRANT
    ),
    allowed(
        "Allow for the account, grant",
        call(api(allow(Principal=ROOT)), GRANTED),
        rules.ACCOUNT_DELEGATION,
    ),
    allowed(
        "Allow for the role, no grant", call(api(allow(Principal={"AWS": ROLE})), role()), SAME
    ),
    refused(
        "Allow for another role",
        call(api(allow(Principal={"AWS": ROLE + "2"})), role()),
        SAME,
        NO_GRANT,
    ),
    allowed("another account, invited and granted", call(api(*INVITED), FOREIGN), ELSE),
    refused(
        "another account, invited, no grant",
        call(api(*INVITED), role(account=OTHER)),
        ELSE,
        NO_GRANT,
    ),
    refused(
        "another account, grant but not invited",
        call(api(OTHER_ENDPOINTS), FOREIGN),
        ELSE,
        NO_RESOURCE,
    ),
    refused(
        "another account, invited elsewhere",
        call(api(*INVITED), FOREIGN, ELSEWHERE),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    allowed("root of another account, invited", call(api(*INVITED), root(OTHER)), ELSE),
    refused(
        "root of another account, not invited",
        call(api(OTHER_ENDPOINTS), root(OTHER)),
        ELSE,
        NO_RESOURCE,
    ),
    refused(
        "another account on a regional API without a policy",
        call(public(), FOREIGN, INTERNET),
        ELSE,
        NO_RESOURCE,
    ),
]

WITHOUT_IDENTITY = [
    allowed("open, whitelist", call(opened(*WHITELIST)), rules.NO_AUTHORIZATION),
    refused(
        "open, whitelist, another endpoint",
        call(opened(*WHITELIST), origin=ELSEWHERE),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    refused(
        "open, whitelist for another path",
        call(opened(*WHITELIST), path="/claims/m-1"),
        rules.NO_AUTHORIZATION,
        NO_RESOURCE,
    ),
    refused(
        "open, deny-only: the absent account is not ours",
        call(opened(*DENY_ONLY)),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    refused(
        "open, only a Deny that does not match",
        call(opened(OTHER_ENDPOINTS)),
        rules.NO_AUTHORIZATION,
        NO_RESOURCE,
    ),
    refused("open, private, no policy", call(opened()), rules.PRIVATE_NEEDS_POLICY, NO_RESOURCE),
    allowed(
        "open, regional, no policy",
        call(opened(private=False), origin=INTERNET),
        rules.NO_AUTHORIZATION,
    ),
    refused(
        "open, regional, Allow for other addresses",
        call(
            opened(allow(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), private=False),
            origin=INTERNET,
        ),
        rules.NO_AUTHORIZATION,
        NO_RESOURCE,
    ),
    allowed(
        "open, regional, Allow for its address",
        call(
            opened(
                allow(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), private=False
            ),
            origin=INTERNET,
        ),
        rules.NO_AUTHORIZATION,
    ),
    refused(
        "open, Allow for a role only",
        call(opened(allow(Principal={"AWS": ROLE})), role()),
        rules.NO_AUTHORIZATION,
        NO_RESOURCE,
    ),
    unknown(
        "a Cognito user pool", call(api(allow(), authorization=Authorization.COGNITO_USER_POOLS))
    ),
    unknown("a Lambda authorizer", call(api(allow(), authorization=Authorization.CUSTOM))),
]

MEMBERS = policy(grant(), of="its boundary")
CLAIMS = policy(grant("*/claims/*"), of="a session policy")
NO_BOUNDARY = "because no permissions boundary allows the execute-api:Invoke action"
NO_SESSION = "because no session policy allows the execute-api:Invoke action"

WITH_LIMITS = [
    allowed("boundary allows", call(api(*DENY_ONLY), role(grant(), limits=(MEMBERS,))), SAME),
    refused(
        "boundary silent",
        call(api(*DENY_ONLY), role(grant(), limits=(CLAIMS,))),
        rules.PERMISSIONS_BOUNDARY,
        NO_BOUNDARY,
    ),
    refused(
        "boundary grants nothing by itself",
        call(api(*DENY_ONLY), role(limits=(MEMBERS,))),
        SAME,
        NO_GRANT,
    ),
    refused(
        "boundary denies",
        call(api(*DENY_ONLY), role(grant(), limits=(policy(grant(), grant(Effect="Deny")),))),
        rules.EXPLICIT_DENY,
        "with an explicit deny in a permissions boundary",
    ),
    allowed("session allows", call(api(*DENY_ONLY), role(grant(), session=(MEMBERS,))), SAME),
    allowed(
        "one of the session's policies allows",
        call(api(*DENY_ONLY), role(grant(), session=(CLAIMS, MEMBERS))),
        SAME,
    ),
    refused(
        "session silent",
        call(api(*DENY_ONLY), role(grant(), session=(CLAIMS,))),
        rules.PERMISSIONS_BOUNDARY,
        NO_SESSION,
    ),
    refused(
        "session denies",
        call(api(*DENY_ONLY), role(grant(), session=(MEMBERS, policy(grant(Effect="Deny"))))),
        rules.EXPLICIT_DENY,
        "with an explicit deny in a session policy",
    ),
    refused(
        "another account, boundary silent",
        call(api(*INVITED), role(grant(), account=OTHER, limits=(CLAIMS,))),
        rules.PERMISSIONS_BOUNDARY,
        NO_BOUNDARY,
    ),
    unknown(
        "Allow for the role by the API, boundary silent",
        call(api(allow(Principal={"AWS": ROLE})), role(limits=(CLAIMS,))),
    ),
    unknown(
        "Allow for everyone by the API, session silent",
        call(api(*WHITELIST), role(session=(CLAIMS,))),
    ),
]


def through(*statements: object) -> Origin:
    """Our endpoint with a policy of its own."""
    own = policy(*statements, of="the endpoint's policy", resource_based=True)
    return replace(INSIDE, endpoint=replace(ENDPOINT, policy=own))


EVERYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
OURS = EVERYTHING | {"Resource": f"{PREFIX}/*"}
OUR_ACCOUNT = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
BAD = SignatureProblem("InvalidSignatureException", "It does not match.\n\nThe Canonical String")
BEARER = SignatureProblem("IncompleteSignatureException", "No parameters.", attempted=False)
NO_ENDPOINT = "because no VPC endpoint policy allows the execute-api:Invoke action"
FIRST = rules.ENDPOINT_POLICY_FIRST

AT_THE_ENDPOINT = [
    allowed("endpoint allows all", call(api(*DENY_ONLY), GRANTED, through(EVERYTHING)), SAME),
    allowed("endpoint allows the API", call(api(*DENY_ONLY), GRANTED, through(OURS)), FIRST),
    refused(
        "endpoint allows another API",
        call(api(*DENY_ONLY), GRANTED, through(EVERYTHING | {"Resource": f"{PREFIX}x/*"})),
        FIRST,
        NO_ENDPOINT,
    ),
    refused(
        "endpoint denies",
        call(api(*DENY_ONLY), GRANTED, through(EVERYTHING, OURS | {"Effect": "Deny"})),
        FIRST,
        "with an explicit deny in a VPC endpoint policy",
    ),
    allowed(
        "endpoint for our account, signed",
        call(api(*DENY_ONLY), GRANTED, through(EVERYTHING | {"Condition": OUR_ACCOUNT})),
        FIRST,
    ),
    refused(
        "endpoint for our account, another account",
        call(api(*INVITED), FOREIGN, through(EVERYTHING | {"Condition": OUR_ACCOUNT})),
        FIRST,
        NO_ENDPOINT,
    ),
    refused(
        "endpoint for our account, unsigned is anonymous",
        call(opened(*WHITELIST), None, through(EVERYTHING | {"Condition": OUR_ACCOUNT})),
        FIRST,
        NO_ENDPOINT,
    ),
    refused(
        "endpoint first, then the missing signature",
        call(api(*DENY_ONLY), None, through(EVERYTHING | {"Condition": OUR_ACCOUNT})),
        FIRST,
        NO_ENDPOINT,
    ),
    refused(
        "endpoint for a role, unsigned",
        call(opened(*WHITELIST), None, through(EVERYTHING | {"Principal": {"AWS": ROLE}})),
        FIRST,
        NO_ENDPOINT,
    ),
    allowed(
        "endpoint for a role, signed by it, on an open method",
        call(opened(*WHITELIST), role(), through(EVERYTHING | {"Principal": {"AWS": ROLE}})),
        rules.NO_AUTHORIZATION,
    ),
    unknown(
        "endpoint that names an account",
        call(api(*DENY_ONLY), GRANTED, through(EVERYTHING | {"Principal": ROOT})),
    ),
    unknown(
        "endpoint that denies an account",
        call(
            api(*DENY_ONLY),
            GRANTED,
            through(EVERYTHING, EVERYTHING | {"Effect": "Deny", "Principal": ROOT}),
        ),
    ),
    unknown(
        "endpoint with the short form, which is not documented there",
        call(api(*DENY_ONLY), GRANTED, through(EVERYTHING | {"Resource": "execute-api:/*"})),
    ),
    refused("a bad signature", call(api(*DENY_ONLY), signature=BAD), rules.SIGNATURE, BAD.message),
    refused(
        "a bad signature, whatever the endpoint says",
        call(api(*DENY_ONLY), None, through(OURS | {"Effect": "Deny"}), signature=BAD),
        rules.SIGNATURE,
        BAD.message,
    ),
    refused(
        "a bad signature on an open method, through an endpoint",
        call(opened(*WHITELIST), signature=BAD),
        rules.SIGNATURE_AT_ENDPOINT,
        BAD.message,
    ),
    allowed(
        "a bad signature on an open method, from the internet",
        call(opened(private=False), None, INTERNET, signature=BAD),
        rules.NO_AUTHORIZATION,
    ),
    allowed(
        "a bearer token on an open method is anonymous",
        call(opened(*WHITELIST), None, through(EVERYTHING), signature=BEARER),
        rules.NO_AUTHORIZATION,
    ),
    refused(
        "a bearer token is not our account",
        call(
            opened(*WHITELIST),
            None,
            through(EVERYTHING | {"Condition": OUR_ACCOUNT}),
            signature=BEARER,
        ),
        FIRST,
        NO_ENDPOINT,
    ),
    refused(
        "a bearer token where a signature is asked for",
        call(api(*DENY_ONLY), signature=BEARER),
        rules.SIGNATURE,
        BEARER.message,
    ),
]

ORGANISATION = {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
MALFORMED = {**OTHER_ENDPOINTS, "Principal": ["*"]}

NOT_KNOWN = [
    unknown(
        "a Deny whose endpoint is not known",
        call(api(deny({"StringNotEquals": {"aws:SourceVpce": UNKNOWN}})), GRANTED),
    ),
    refused(
        "the same without a grant: not decisive",
        call(api(deny({"StringNotEquals": {"aws:SourceVpce": UNKNOWN}})), role()),
        SAME,
        NO_GRANT,
    ),
    refused(
        "the same beside a Deny that matches: not decisive",
        call(
            api(deny({"StringNotEquals": {"aws:SourceVpce": UNKNOWN}}), *DENY_ONLY),
            GRANTED,
            ELSEWHERE,
        ),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    allowed(
        "one known endpoint among unknown ones: not decisive",
        call(api(deny({"StringNotEquals": {"aws:SourceVpce": [UNKNOWN, "vpce-1"]}})), GRANTED),
        SAME,
    ),
    unknown("a grant that is not known", call(api(*DENY_ONLY), role(grant(Resource=UNKNOWN)))),
    allowed(
        "a grant that is not known beside one that is",
        call(api(*DENY_ONLY), role(grant(Resource=UNKNOWN), grant())),
        SAME,
    ),
    unknown(
        "an Allow for somebody not known", call(api(allow(Principal={"AWS": UNKNOWN})), role())
    ),
    unknown(
        "an Allow for the account or somebody not known",
        call(api(allow(Principal={"AWS": [ACCOUNT, UNKNOWN]})), role()),
    ),
    unknown("an organisation", call(api(*DENY_ONLY, deny(ORGANISATION)), GRANTED)),
    refused(
        "an organisation, unsigned: the key is absent",
        call(opened(*WHITELIST, deny(ORGANISATION))),
        rules.EXPLICIT_DENY,
        DENIED,
    ),
    unknown(
        "the source address behind an endpoint",
        call(api(deny({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})), GRANTED),
    ),
    unknown("a Deny with a malformed Principal", call(api(MALFORMED), GRANTED, ELSEWHERE)),
    unknown(
        "a Deny with an empty list",
        call(api(deny({"StringNotEquals": {"aws:SourceVpce": []}})), GRANTED),
    ),
    unknown(
        "a Deny with a misspelt element",
        call(api({**OTHER_ENDPOINTS, "Principle": "*"}), GRANTED, ELSEWHERE),
    ),
    unknown(
        "a policy that is not one",
        call(
            replace(api(), policy=parse_policy("its policy", UNKNOWN, resource_based=True)), GRANTED
        ),
    ),
    unknown(
        "a boundary that cannot be read",
        call(api(*DENY_ONLY), role(grant(), limits=(parse_policy("boundary", UNKNOWN),))),
    ),
    unknown(
        "a variable that is not known",
        call(
            api(*DENY_ONLY, deny(Resource="execute-api:/dev/GET/members/${aws:PrincipalOrgID}")),
            GRANTED,
        ),
    ),
]

TABLE = [
    *NETWORK,
    *BY_GRANTS,
    *BY_THE_API,
    *WITHOUT_IDENTITY,
    *WITH_LIMITS,
    *AT_THE_ENDPOINT,
    *NOT_KNOWN,
]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name.replace(" ", "-"))
def test_table(case: Case) -> None:
    """Each call has its verdict, the rule that decides among its reasons, and its answer."""
    decision = case.decision
    assert decision.verdict is case.verdict, decision.reasons
    assert case.rule in {reason.rule for reason in decision.reasons}
    if case.verdict is Verdict.ALLOWED:
        assert decision.refusal is None
    else:
        assert decision.refusal is not None
        (said,) = json.loads(decision.refusal.body).values()
        assert said.endswith(case.says)


def absent_keys() -> Iterable[tuple[str, Principal | None, Origin]]:
    """Keys that a call cannot have: a caller's when it is unsigned, an endpoint's without one."""
    for key in (
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:PrincipalOrgID",
        "aws:PrincipalTag/Team",
        "aws:userid",
        "aws:username",
    ):
        yield key, None, INSIDE
    for key in ("aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp"):
        yield key, GRANTED, INTERNET
    yield "aws:username", GRANTED, INSIDE
    yield "aws:PrincipalTag/Team", role(grant(), tags={"Other": "x"}), INSIDE


@pytest.mark.parametrize(("key", "caller", "origin"), list(absent_keys()))
def test_a_negated_deny_refuses_where_its_key_is_absent(
    key: str, caller: Principal | None, origin: Origin
) -> None:
    """StringNotEquals holds of nothing, StringEquals does not; Null tells them apart."""

    def verdict(operator: str, value: str) -> Verdict:
        statements = (allow(), deny({operator: {key: value}}))
        authorization = Authorization.AWS_IAM if caller else Authorization.NONE
        private = origin is INSIDE
        target = api(*statements, authorization=authorization, private=private)
        return call(target, caller, origin).verdict

    assert verdict("StringNotEquals", "x") is Verdict.REFUSED
    assert verdict("StringEquals", "x") is Verdict.ALLOWED
    assert verdict("StringNotEqualsIfExists", "x") is Verdict.REFUSED
    assert verdict("Null", "true") is Verdict.REFUSED
    assert verdict("Null", "false") is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("key", "value", "caller"),
    [
        ("aws:PrincipalArn", ROLE, GRANTED),
        ("aws:PrincipalAccount", ACCOUNT, GRANTED),
        ("aws:PrincipalType", "AssumedRole", GRANTED),
        ("aws:PrincipalTag/TEAM", "claims", role(grant(), tags={"Team": "claims"})),
        ("aws:userid", "AROAEXAMPLE:session", GRANTED),
        ("aws:username", "ann", user(grant())),
        ("aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/team/ann", user(grant())),
        ("aws:SourceVpce", "vpce-1", GRANTED),
        ("aws:SourceVpc", "vpc-1", GRANTED),
        ("aws:VpcSourceIp", "10.0.1.7", GRANTED),
        ("aws:SecureTransport", "true", GRANTED),
        ("aws:CurrentTime", "2026-11-21T12:00:00Z", GRANTED),
        ("aws:EpochTime", "1795262400", GRANTED),
    ],
)
def test_condition_keys_of_a_signed_call(key: str, value: str, caller: Principal) -> None:
    """An assumed role's aws:PrincipalArn is the role's, not the session's; tags ignore case."""
    assert call(api(deny({"StringEquals": {key: value}})), caller).verdict is Verdict.REFUSED
    assert call(api(deny({"StringNotEquals": {key: value}})), caller).verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:RequestedRegion", "eu-central-1"),
        ("aws:ViaAWSService", "false"),
        ("aws:PrincipalIsAWSService", "false"),
    ],
)
def test_keys_that_only_identity_policies_have(key: str, value: str) -> None:
    """They are not in API Gateway's list for resource policies: unknown there, known in grants."""
    for operator in ("StringEquals", "StringNotEquals"):
        assert call(api(deny({operator: {key: value}})), GRANTED).verdict is Verdict.UNKNOWN
    for operator, expected in (
        ("StringEquals", Verdict.ALLOWED),
        ("StringNotEquals", Verdict.REFUSED),
    ):
        limited = role(grant() | {"Condition": {operator: {key: value}}})
        assert call(api(*DENY_ONLY), limited).verdict is expected


def test_a_wildcard_within_a_segment_may_or_may_not_pass_a_colon() -> None:
    """IAM's guide says that it stays there; a plain wildcard would not. Neither is claimed."""
    across = f"arn:aws:execute-api:*{ACCOUNT[1:]}:*/GET/members/*"
    decision = call(api(*DENY_ONLY), role({**grant(), "Resource": across}))
    assert decision.verdict is Verdict.UNKNOWN
    assert "a wildcard within a segment of an ARN" in decision.reasons[-1].text
    inside = f"arn:aws:execute-api:*:*{ACCOUNT[1:]}:*/GET/members/*"
    assert call(api(*DENY_ONLY), role({**grant(), "Resource": inside})).verdict is Verdict.ALLOWED


def test_a_grant_for_any_api_reaches_below_a_greedy_route() -> None:
    """`*/dev/GET/members/*` also covers `/dev/GET/members/...` of an API that takes any path."""
    wide = role({**grant(), "Resource": f"arn:aws:execute-api:*:{ACCOUNT}:*/dev/GET/members/*"})
    one_api = f"arn:aws:execute-api:*:{ACCOUNT}:??????????/dev/GET/members/*"
    exact = role({**grant(), "Resource": one_api})
    path = "/files/dev/GET/members/secret"
    greedy = replace(
        api(*DENY_ONLY), routes=(Route("ANY", "/{proxy+}", Authorization.AWS_IAM, None),)
    )
    assert call(greedy, wide, path=path).verdict is Verdict.ALLOWED
    assert call(greedy, exact, path=path).verdict is Verdict.REFUSED


def test_without_a_time_conditions_on_it_are_unknown() -> None:
    """A possible call happens at no time."""
    condition = {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}
    assert call(api(deny(condition)), GRANTED).verdict is Verdict.REFUSED
    assert call(api(deny(condition)), GRANTED, now=None).verdict is Verdict.UNKNOWN


def test_the_resource_has_the_real_path() -> None:
    """Not the route's pattern, and as it was sent; a slash in a path is no boundary to `*`."""
    exact = role(grant("GET/members/m-1"))
    assert call(api(*DENY_ONLY), exact).verdict is Verdict.ALLOWED
    assert call(api(*DENY_ONLY), exact, path="/members/m-2").verdict is Verdict.REFUSED
    for variant in ("/members/m%2D1", "//members/m-1"):
        assert call(api(*DENY_ONLY), exact, path=variant).verdict is Verdict.UNKNOWN
        assert call(api(*DENY_ONLY), role(), path=variant).verdict is Verdict.REFUSED
    assert call(api(*DENY_ONLY), GRANTED, path="/members/a/b").verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("path", "reading"),
    [
        ("/members/m-1/", "/members/m-1"),
        ("/members//m-1", "/members/m-1"),
        ("/members/./m-1", "/members/m-1"),
        ("/members/x/../m-1", "/members/m-1"),
        ("/members/%6D-1", "/members/m-1"),
        ("/members/x/%2e%2E/m-1", "/members/m-1"),
    ],
)
def test_a_deny_for_one_path_is_not_escaped_by_a_variant(path: str, reading: str) -> None:
    """Whether AWS would admit it is not known: the answer says both, and lets nobody in."""
    locked = api(*DENY_ONLY, deny(Resource="execute-api:/dev/GET/members/m-1"))
    assert call(locked, GRANTED, path="/members/m-1").verdict is Verdict.REFUSED
    decision = call(locked, GRANTED, path=path)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.refusal is not None
    assert decision.refusal.status == 501
    why = f"{path} is allowed as it was sent, and refused if it is read as {reading}"
    assert decision.reasons[-1].text == why
    found = [reason.rule for reason in decision.reasons]
    assert (found[0], found[-1]) == (rules.PATH_AS_SENT, rules.NOT_MODELLED)
    assert rules.EXPLICIT_DENY in found


@pytest.mark.parametrize(
    "path", ["/members/x%2Fy", "/members/x%20y", "/members/%", "/members/é%41"]
)
def test_a_variant_that_every_reading_admits_is_admitted(path: str) -> None:
    """What is common in paths stays as it was; an escape is named as a doubt."""
    decision = call(api(*DENY_ONLY), GRANTED, path=path)
    assert decision.verdict is Verdict.ALLOWED
    doubted = rules.PATH_AS_SENT in [reason.rule for reason in decision.reasons]
    assert doubted is (path != "/members/%")


@pytest.mark.parametrize("path", ["/admin%2Fx", "/%61dmin/x", "//admin/x", "/a/../admin/x"])
def test_an_http_api_reads_the_decoded_path_too(path: str) -> None:
    """A Deny in a grant for the decoded path leaves the decision open."""
    http = replace(public(), kind=Kind.HTTP)
    denied = grant("GET/admin/*", Effect="Deny")
    decision = call(http, role(grant("*"), denied), INTERNET, path=path)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.reasons[0].rule is rules.HTTP_PATHS
    assert call(http, role(grant("*")), INTERNET, path=path).verdict is Verdict.ALLOWED


def test_a_disabled_default_endpoint_is_forbidden() -> None:
    """To whoever is granted as well; of an HTTP API, or where it is not said, nothing is known."""
    for one, origin in ((api(*DENY_ONLY), INSIDE), (public(), INTERNET)):
        assert call(one, GRANTED, origin).verdict is Verdict.ALLOWED
        decision = call(replace(one, default_endpoint=False), GRANTED, origin)
        assert decision.refusal == refusals.FORBIDDEN
        assert [reason.rule for reason in decision.reasons] == [rules.DEFAULT_ENDPOINT_DISABLED]
        unsaid = call(replace(one, default_endpoint=None), GRANTED, origin)
        assert unsaid.verdict is Verdict.UNKNOWN
    http = replace(public(), kind=Kind.HTTP, default_endpoint=False)
    assert call(http, GRANTED, INTERNET).verdict is Verdict.UNKNOWN


def test_a_deny_only_admission_says_that_nobody_has_seen_it_live() -> None:
    """The one rule that would fail closed if it were wrong is named as unverified."""
    decision = call(api(*DENY_ONLY), GRANTED)
    doubted = [reason for reason in decision.reasons if reason.rule.known is Known.UNVERIFIED]
    assert [reason.rule for reason in doubted] == [rules.DENY_ONLY_ON_PRIVATE]
    assert not [
        reason
        for reason in call(api(*WHITELIST), GRANTED).reasons
        if reason.rule is rules.DENY_ONLY_ON_PRIVATE
    ]


def test_each_reason_keeps_its_own_rule() -> None:
    """A delegated Allow says so, and the Allow after it does not."""
    decision = call(api(allow(Principal=ROOT), allow(Principal={"AWS": ROLE})), GRANTED)
    assert [reason.rule for reason in decision.reasons] == [
        rules.IAM_SAME_ACCOUNT,
        rules.ACCOUNT_DELEGATION,
        rules.IAM_SAME_ACCOUNT,
    ]


def test_a_doubt_is_explained() -> None:
    """The reason and the answer name the statement and what in it is not known."""
    decision = call(api(deny({"StringNotEquals": {"aws:SourceVpce": UNKNOWN}})), GRANTED)
    (reason,) = decision.reasons
    assert reason.text == "Deny statement 1 of its policy: not known yet"
    assert decision.refusal == refusals.undecided(reason.text)
    assert decision.refusal.status == 501


def test_a_bad_signature_leaves_no_request_in_the_reasons() -> None:
    """Only the first line: the rest echoes the canonical string, session token included."""
    (reason,) = call(api(*DENY_ONLY), signature=BAD).reasons
    assert reason.text == "It does not match."


SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Notifier/session"
MASKED = "arn:aws:execute-api:eu-central-1:********9012:a1b2c3d4e5/dev/GET/members/m-1"
NOT_AUTHORIZED = "is not authorized to perform: execute-api:Invoke on resource:"


@pytest.mark.parametrize(
    ("decision", "body", "error_type"),
    [
        (
            call(api(*DENY_ONLY)),
            {"message": "Missing Authentication Token"},
            "MissingAuthenticationTokenException",
        ),
        (
            call(api(*DENY_ONLY), route=None),
            {"message": "Missing Authentication Token"},
            "MissingAuthenticationTokenException",
        ),
        (
            call(api(*DENY_ONLY), GRANTED, INTERNET),
            {"message": "Forbidden"},
            "ForbiddenException",
        ),
        (
            call(api(*DENY_ONLY), signature=BAD),
            {"message": BAD.message},
            "InvalidSignatureException",
        ),
        (
            call(api(*DENY_ONLY), signature=sigv4.unknown_key()),
            {"message": "The security token included in the request is invalid."},
            "UnrecognizedClientException",
        ),
        (
            call(api(*DENY_ONLY), role()),
            {"Message": f"User: {SESSION} {NOT_AUTHORIZED} {MASKED} {NO_GRANT}"},
            "AccessDeniedException",
        ),
        (
            call(opened(OTHER_ENDPOINTS)),
            {"Message": f"User: anonymous {NOT_AUTHORIZED} {MASKED} {NO_RESOURCE}"},
            "AccessDeniedException",
        ),
        (
            call(opened(OTHER_ENDPOINTS), GRANTED),
            {"Message": f"User: anonymous {NOT_AUTHORIZED} {MASKED} {NO_RESOURCE}"},
            "AccessDeniedException",
        ),
        (
            call(api(*DENY_ONLY), GRANTED, ELSEWHERE),
            {"Message": f"User: {SESSION} {NOT_AUTHORIZED} {MASKED} {DENIED}"},
            "AccessDeniedException",
        ),
    ],
)
def test_refusals_are_worded_as_api_gateway_words_them(
    decision: Decision, body: Json, error_type: str
) -> None:
    """403; `Message` for policies, `message` for all else; the account masked but its last four."""
    refusal = decision.refusal
    assert refusal is not None
    assert (refusal.status, json.loads(refusal.body), refusal.error_type) == (403, body, error_type)
    assert refusal.error_type.isascii()


@pytest.mark.parametrize(
    ("refusal", "status", "message"),
    [
        (refusals.TOO_LONG, 413, "Request Too Long"),
        (refusals.TIMED_OUT, 504, "Endpoint request timed out"),
        (refusals.INTERNAL_ERROR, 502, "Internal server error"),
    ],
)
def test_answers_that_no_policy_gives(refusal: Refusal, status: int, message: str) -> None:
    """Body too long, integration too slow, integration broken."""
    assert refusal.status == status
    assert json.loads(refusal.body) == {"message": message}


def test_a_path_cannot_break_the_answer() -> None:
    """Colons, quotes and bytes beyond ASCII stay inside the message."""
    path = '/members/a:b"c\xff\\'
    refusal = call(api(*DENY_ONLY), role(), path=path).refusal
    assert refusal is not None
    assert refusal.body.isascii()
    assert f":********9012:a1b2c3d4e5/dev/GET{path} because" in json.loads(refusal.body)["Message"]


def test_every_rule_says_how_it_is_known() -> None:
    """By an AWS page, by a report that can be read, or as unverified; names are unique."""
    found = [*vars(rules).values(), *vars(limits).values()]
    all_rules = [rule for rule in found if isinstance(rule, Rule)]
    assert len({rule.name for rule in all_rules}) == len(all_rules)
    aws = ("https://docs.aws.amazon.com/", "https://repost.aws/")
    for rule in all_rules:
        if rule.known is Known.AWS_DOCUMENT:
            assert rule.source.startswith(aws)
        elif rule.known is Known.PUBLIC_REPORT:
            assert rule.source.startswith("https://")
            assert not rule.source.startswith(aws)
