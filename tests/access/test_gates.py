"""Every gate is weighed: what is unknown at one hides no refusal of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backstairs.access import (
    Api,
    ApiKey,
    Authorization,
    Call,
    Decision,
    Endpoint,
    Kind,
    Origin,
    Policy,
    Principal,
    Route,
    SignatureProblem,
    Source,
    Unresolved,
    Verdict,
    decide,
    parse_policy,
    rules,
)

Json = dict[str, Any]

ACCOUNT = "123456789012"
ENDPOINT = Endpoint("vpce-1", "vpc-1")
INSIDE = Origin("inside", ENDPOINT, "10.0.1.7")
ELSEWHERE = Origin("elsewhere", Endpoint("vpce-2", "vpc-2"), "10.9.0.7")
INTERNET = Origin("the internet", None, "203.0.113.10")
BASE = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
ALLOW = {"Effect": "Allow", **BASE}
OUR_ENDPOINT = {
    "Effect": "Deny",
    **BASE,
    "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
}
GRANT = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
UNREADABLE = parse_policy("what cannot be read", Unresolved("not known yet"), resource_based=True)
PUZZLING = replace(INSIDE, endpoint=replace(ENDPOINT, policy=UNREADABLE))


def policy(*statements: Json, resource_based: bool = False) -> Policy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return parse_policy("a policy", document, resource_based=resource_based)


def api(*statements: Json, authorization: Authorization, private: bool = True, **more: Any) -> Api:
    return Api(
        api_id="a1b2c3d4e5",
        name="ClaimsApi",
        stage="dev",
        region="eu-central-1",
        account=ACCOUNT,
        private=private,
        policy=policy(*statements, resource_based=True) if statements else None,
        routes=(Route("GET", "/members/{memberId}", authorization, None),),
        **more,
    )


def role(*statements: Json) -> Principal:
    return Principal(
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Notifier/session",
        principal_arn=f"arn:aws:iam::{ACCOUNT}:role/Notifier",
        account=ACCOUNT,
        kind="AssumedRole",
        policies=(policy(*statements),) if statements else (),
    )


def call(target: Api, caller: Principal | None, origin: Origin = INSIDE, **more: Any) -> Decision:
    given = {
        "origin": origin,
        "method": "GET",
        "path": "/members/m-1",
        "api": target,
        "route": target.routes[0],
        "caller": caller,
    }
    return decide(Call(**{**given, **more}))


IAM, NONE = Authorization.AWS_IAM, Authorization.NONE
COGNITO, CUSTOM = Authorization.COGNITO_USER_POOLS, Authorization.CUSTOM


def test_an_unknown_endpoint_policy_does_not_hide_a_missing_grant() -> None:
    """The caller has none whatever the endpoint lets through; with one, nothing is known."""
    target = api(OUR_ENDPOINT, authorization=IAM)
    refused = call(target, role(), PUZZLING)
    assert refused.verdict is Verdict.REFUSED
    assert "holds no grant" in refused.reasons[-1].text
    assert call(target, role(GRANT), PUZZLING).verdict is Verdict.UNKNOWN


def test_who_answers_is_not_known_then_and_the_answer_says_so() -> None:
    """The endpoint would answer in other words than the API: none are put into AWS's mouth."""
    refusal = call(api(OUR_ENDPOINT, authorization=IAM), role(), PUZZLING).refusal
    assert refusal is not None
    assert (refusal.status, refusal.error_type) == (403, "BackstairsRefused")
    assert b"cannot tell in which words" in refusal.body
    assert b"not known yet" in refusal.body


@pytest.mark.parametrize("authorization", [CUSTOM, COGNITO])
@pytest.mark.parametrize(
    ("statements", "origin", "rule"),
    [
        ((OUR_ENDPOINT,), ELSEWHERE, rules.EXPLICIT_DENY),
        ((), INSIDE, rules.PRIVATE_NEEDS_POLICY),
        ((ALLOW,), INTERNET, rules.PRIVATE_ONLY_THROUGH_ENDPOINTS),
    ],
)
def test_an_authorizer_lets_nobody_in_whom_another_gate_refuses(
    authorization: Authorization, statements: tuple[Json, ...], origin: Origin, rule: rules.Rule
) -> None:
    """A Deny of the resource policy, no policy on a private API, the wrong network."""
    decision = call(api(*statements, authorization=authorization), None, origin)
    assert decision.verdict is Verdict.REFUSED
    assert decision.reasons[-1].rule is rule


@pytest.mark.parametrize("authorization", [CUSTOM, COGNITO])
@pytest.mark.parametrize("statements", [(ALLOW,), (OUR_ENDPOINT,)])
def test_an_authorizer_decides_where_nothing_else_does(
    authorization: Authorization, statements: tuple[Json, ...]
) -> None:
    """It is not modelled, and named with the reason."""
    decision = call(api(*statements, authorization=authorization), None)
    assert decision.verdict is Verdict.UNKNOWN
    assert f"authorization {authorization.value} is not modelled" in decision.reasons[-1].text


def test_a_denied_call_never_reaches_a_lambda_authorizer() -> None:
    """So the answer is the policy's; a Cognito token is looked at first, so it is not known."""
    answers = []
    for authorization in (CUSTOM, COGNITO):
        refusal = call(api(OUR_ENDPOINT, authorization=authorization), None, ELSEWHERE).refusal
        assert refusal is not None
        answers.append(refusal.error_type)
    assert answers == ["AccessDeniedException", "BackstairsRefused"]


def test_a_default_endpoint_that_is_not_known_hides_no_refusal() -> None:
    """Disabled or not, the caller has no grant."""
    target = api(OUR_ENDPOINT, authorization=IAM, default_endpoint=None)
    assert call(target, role()).verdict is Verdict.REFUSED
    assert call(target, role(GRANT)).verdict is Verdict.UNKNOWN
    assert call(target, role(GRANT), route=None).verdict is Verdict.REFUSED


def test_a_key_that_is_missing_refuses_whatever_is_not_known() -> None:
    """It is asked for last: nobody knows whether the call came so far, and nobody says so."""
    route = Route("GET", "/members/{memberId}", CUSTOM, None, needs_key=True)
    target = replace(api(ALLOW, authorization=CUSTOM), routes=(route,))
    without = call(target, None)
    assert without.verdict is Verdict.REFUSED
    assert without.reasons[-1].rule is rules.API_KEY_OF_STAGE
    assert rules.API_KEY_LAST not in [reason.rule for reason in without.reasons]
    key = ApiKey("k-1", "partner", enabled=True, stages=frozenset({("a1b2c3d4e5", "dev")}))
    assert call(target, None, api_key=key).verdict is Verdict.UNKNOWN


def test_a_signature_that_proves_nothing_known_still_meets_a_missing_policy() -> None:
    """Whoever it is; with a policy, it depends on who it is."""
    puzzle = SignatureProblem(
        "X", "two signatures: what AWS makes of that is unknown", unknown=True
    )
    assert call(api(authorization=IAM), None, signature=puzzle).verdict is Verdict.REFUSED
    decision = call(api(OUR_ENDPOINT, authorization=IAM), None, signature=puzzle)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.reasons[-1].text == puzzle.message


def test_every_doubt_is_named() -> None:
    """One reason for all of them, at the end."""
    decision = call(api(ALLOW, authorization=CUSTOM), None, PUZZLING)
    assert decision.verdict is Verdict.UNKNOWN
    text = decision.reasons[-1].text
    assert "what cannot be read" in text
    assert "authorization CUSTOM is not modelled" in text


def test_an_http_api_says_forbidden_whoever_refuses() -> None:
    """Its words are known."""
    target = api(authorization=IAM, private=False, kind=Kind.HTTP)
    refusal = call(target, role(), INTERNET).refusal
    assert refusal is not None
    assert refusal.body == b'{"message":"Forbidden"}'


def test_a_reason_is_data() -> None:
    """The statement that decides, with the place where it is written, and the words when asked."""
    document = {"Version": "2012-10-17", "Statement": [ALLOW, OUR_ENDPOINT]}
    written = [Source("template.yaml", 12), Source("template.yaml", 20)]
    own = parse_policy("its policy", document, resource_based=True, sources=written)
    target = replace(api(ALLOW, authorization=NONE), policy=own)
    (reason,) = call(target, None, ELSEWHERE).reasons
    assert reason.match is not None
    assert reason.match.statement.effect == "Deny"
    assert reason.source == Source("template.yaml", 20)
    assert str(reason) == (
        "Deny statement 2 of its policy matches (StringNotEquals aws:SourceVpce [vpce-1])"
    )
    (missing,) = call(api(OUR_ENDPOINT, authorization=IAM), role()).reasons
    operands = tuple(map(str, missing.operands))
    assert operands == ("Notifier", "GET", "/members/m-1", "ClaimsApi")
    assert missing.text == "Notifier holds no grant for GET /members/m-1 of ClaimsApi"


def test_braces_in_a_path_are_no_places_for_operands() -> None:
    """A caller chooses the path."""
    target = api(OUR_ENDPOINT, authorization=IAM)
    (reason,) = call(target, role(), path="/members/{0}{x}").reasons
    assert "GET /members/{0}{x} of" in reason.text
