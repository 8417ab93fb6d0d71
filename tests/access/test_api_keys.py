"""API keys: asked for last, and only an enabled one of a usage plan with the stage admits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backstairs.access import (
    Api,
    ApiKey,
    Authorization,
    Call,
    Decision,
    Kind,
    Origin,
    Principal,
    Route,
    Verdict,
    decide,
    parse_policy,
    rules,
)

ACCOUNT = "123456789012"
STAGE = ("a1b2c3d4e5", "dev")
KEY = ApiKey("k-1", "partner", enabled=True, stages=frozenset({STAGE}))
INTERNET = Origin("the internet", None, "203.0.113.10")


def api(*statements: object, authorization: Authorization = Authorization.NONE, **more: Any) -> Api:
    """A public API whose one method asks for a key."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    policy = parse_policy("its policy", document, resource_based=True) if statements else None
    route = Route("GET", "/partner/{path+}", authorization, None, needs_key=True)
    return Api(
        api_id=STAGE[0],
        name="PublicApi",
        stage=STAGE[1],
        region="eu-central-1",
        account=ACCOUNT,
        private=False,
        policy=policy,
        routes=(route,),
        **more,
    )


def allow(path: str, cidr: str) -> dict[str, Any]:
    """An allowlist for one path."""
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": f"execute-api:/dev/{path}",
        "Condition": {"IpAddress": {"aws:SourceIp": cidr}},
    }


def call(target: Api, key: ApiKey | None = None, **more: Any) -> Decision:
    """A call of the API's method from the internet."""
    call = {
        "origin": INTERNET,
        "method": "GET",
        "path": "/partner/claims",
        "api": target,
        "route": target.routes[0],
        "api_key": key,
        **more,
    }
    return decide(Call(**call))


def test_a_key_of_the_stage_admits() -> None:
    """The reasons name the key by its id."""
    decision = call(api(), KEY)
    assert decision.verdict is Verdict.ALLOWED
    assert decision.reasons[-1].rule is rules.API_KEY_OF_STAGE
    assert "k-1" in decision.reasons[-1].text


@pytest.mark.parametrize(
    ("key", "problem", "why"),
    [
        (None, None, "the call has none"),
        (None, "the account has no key with that value", "no key with that value"),
        (ApiKey("k-1", "partner", enabled=False, stages=KEY.stages), None, "k-1 is disabled"),
        (ApiKey("k-1", "p", enabled=True, stages=frozenset()), None, "of no usage plan with"),
        (
            ApiKey("k-1", "p", enabled=True, stages=frozenset({(STAGE[0], "prod")})),
            None,
            "of no usage plan with",
        ),
        (
            ApiKey("k-1", "p", enabled=True, stages=frozenset({("another", "dev")})),
            None,
            "of no usage plan with",
        ),
    ],
)
def test_any_other_key_is_forbidden(key: ApiKey | None, problem: str | None, why: str) -> None:
    """API Gateway says Forbidden to all of them; the last reason says why."""
    decision = call(api(), key, key_problem=problem)
    assert decision.verdict is Verdict.REFUSED
    assert decision.refusal is not None
    assert decision.refusal.status == 403
    assert json.loads(decision.refusal.body) == {"message": "Forbidden"}
    assert decision.refusal.error_type == "ForbiddenException"
    assert why in decision.reasons[-1].text


def test_the_policy_comes_before_the_key() -> None:
    """A call from elsewhere hears of the policy, with or without a key."""
    target = api(allow("GET/partner/*", "192.0.2.0/24"))
    for key in (KEY, None):
        decision = call(target, key)
        assert decision.refusal is not None
        assert decision.refusal.error_type == "AccessDeniedException"
        assert decision.reasons[-1].rule is rules.NO_AUTHORIZATION


def test_the_grant_comes_before_the_key() -> None:
    """A caller without a grant is refused for that, though its key is good."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/partner"
    caller = Principal(arn, arn, ACCOUNT, "AssumedRole")
    decision = call(api(authorization=Authorization.AWS_IAM), KEY, caller=caller)
    assert decision.verdict is Verdict.REFUSED
    assert decision.reasons[-1].rule is rules.IAM_SAME_ACCOUNT


@pytest.mark.parametrize("more", [{"key_source": "AUTHORIZER"}, {"kind": Kind.HTTP}])
def test_keys_from_elsewhere_are_not_modelled(more: dict[str, Any]) -> None:
    """From an authorizer, or on an HTTP API, which has none: not known, so never admitted."""
    assert call(api(**more), KEY).verdict is Verdict.UNKNOWN


def test_a_key_of_two_plans_of_the_stage_is_not_decided() -> None:
    """AWS allows one: what it makes of two, nobody can say. A disabled key is refused."""
    doubtful = replace(KEY, doubtful=KEY.stages)
    decision = call(api(), doubtful)
    assert decision.verdict is Verdict.UNKNOWN
    assert "several usage plans" in decision.reasons[-1].text
    assert call(api(), replace(doubtful, enabled=False)).verdict is Verdict.REFUSED


@pytest.mark.parametrize("variant", ["/hooks/", "//hooks", "/hooks//", "/%68ooks", "/./hooks"])
def test_an_allow_for_one_path_covers_no_variant(variant: str) -> None:
    """Whether AWS finds the Allow for a variant is not known, so nobody is let in by it."""
    target = api(allow("GET/hooks", "203.0.113.0/24"))
    route = Route("GET", "/hooks", Authorization.NONE, None)
    assert call(target, route=route, path="/hooks").verdict is Verdict.ALLOWED
    decision = call(target, route=route, path=variant)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.reasons[0].rule is rules.PATH_AS_SENT
    assert decision.reasons[-1].rule is rules.NOT_MODELLED
    elsewhere = Origin("another place", None, "192.0.2.10")
    refused = call(target, route=route, path=variant, origin=elsewhere)
    assert refused.verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("cidr", "address", "verdict"),
    [
        ("2606:50c0::/32", "2606:50c0:8000::153", Verdict.ALLOWED),
        ("2606:50c0::/32", "2606:50c1::1", Verdict.REFUSED),
        ("2606:50c0::/32", "203.0.113.10", Verdict.REFUSED),
        ("203.0.113.0/24", "2606:50c0::1", Verdict.REFUSED),
        ("203.0.113.10/32", "203.0.113.10", Verdict.ALLOWED),
    ],
)
def test_addresses_of_both_families(cidr: str, address: str, verdict: Verdict) -> None:
    """A range of one family holds no address of the other."""
    decision = call(
        api(allow("GET/partner/*", cidr)), KEY, origin=Origin("the internet", None, address)
    )
    assert decision.verdict is verdict


@pytest.mark.parametrize("path", ["/partner//x", "/partner/../x", "/partner/%2E%2e/x", "/partner/"])
def test_a_path_that_may_be_read_otherwise_is_named(path: str) -> None:
    """The decision says that it took the path as it was sent, and that nobody has verified it."""
    decision = call(api(), KEY, path=path)
    assert rules.PATH_AS_SENT in [reason.rule for reason in decision.reasons]
