"""The decision: may this call be made, and why.

Every gate is weighed: the network path, the route, the signature, the endpoint's policy, the
method's authorization with identity policies and resource policy together, the API key. One that
refuses refuses the call, though another be unknown. The answer is that of the first which refuses,
in that order. Every gate leaves its reasons, every reason names its rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.facts import NO_FACTS
from backstairs.access.gates import PASSED, Decision, Reason, Verdict, combined
from backstairs.access.keys import api_key
from backstairs.access.lacks import Lack
from backstairs.access.model import Authorization, Kind
from backstairs.access.paths import readings
from backstairs.access.weighing import Weighing

if TYPE_CHECKING:
    from backstairs.access.model import Api, Call, Route
    from backstairs.access.refusals import Refusal
    from backstairs.access.rules import Rule


def decide(call: Call) -> Decision:
    """Decide on one call."""
    api, route = call.api, call.route
    if api is None:
        return _refuse(rules.UNKNOWN_API, "there is no such API or stage", refusals.FORBIDDEN)
    network = _network(call, api)
    if network.verdict is Verdict.REFUSED:
        return network
    decision = _no_route(call, api) if route is None else _in_every_reading(call, api, route)
    if network is not PASSED:
        decision = combined((network, decision))
    if route is not None and route.needs_key and decision.verdict is not Verdict.REFUSED:
        key = api_key(call, api, admitted=decision.verdict is Verdict.ALLOWED)
        return combined((decision, key))
    return decision


def _network(call: Call, api: Api) -> Decision:
    """The way that the call comes, and the name that it uses."""
    endpoint = call.origin.endpoint
    if api.private and endpoint is None:
        says = "{} is private and the call comes from {}"
        reason = Reason(
            rules.PRIVATE_ONLY_THROUGH_ENDPOINTS, says, operands=(api.name, call.origin.name)
        )
        return PASSED.refused(reason, refusals.FORBIDDEN)
    if endpoint is not None and not api.private:
        says = "{} is not private and the call comes through {}"
        operands = (api.name, endpoint.endpoint_id)
        reason = Reason(rules.PUBLIC_NOT_THROUGH_ENDPOINTS, says, operands=operands)
        return PASSED.refused(reason, refusals.FORBIDDEN)
    if api.default_endpoint is True:
        return PASSED
    return _default_endpoint(call, api)


def _default_endpoint(call: Call, api: Api) -> Decision:
    disabled = f"the default endpoint of {api.name} is disabled"
    lack, enabled = Lack.of(f"the default endpoint of {api.name} is enabled"), api.default_endpoint
    if enabled is None:
        enabled = (call.facts or NO_FACTS).holds.get(lack)
    if enabled is None:
        return PASSED.unknown(f"whether {disabled} is not known", (lack,))
    if enabled:
        return PASSED
    if api.kind is Kind.REST:
        return _refuse(rules.DEFAULT_ENDPOINT_DISABLED, disabled, refusals.FORBIDDEN)
    return PASSED.unknown(f"{disabled}: what an HTTP API answers then is not modelled")


def _no_route(call: Call, api: Api) -> Decision:
    text = f"{api.name} has no method {call.method} {call.path}"
    if api.kind is Kind.HTTP:
        return _refuse(rules.HTTP_UNKNOWN_ROUTE, text, refusals.NOT_FOUND)
    return _refuse(rules.UNKNOWN_ROUTE, text, refusals.MISSING_TOKEN)


def _in_every_reading(call: Call, api: Api, route: Route) -> Decision:
    """The decision on the path as it was sent, unless another reading of it is decided otherwise.

    A Deny for `/admin` says nothing of `/admin/`: which of them AWS compares is not documented.
    """
    decision = _weighed(call, api, route)
    http = api.kind is Kind.HTTP
    others = readings(call.path, http=http)
    if not others:
        return decision
    rule = rules.HTTP_PATHS if http else rules.PATH_AS_SENT
    as_sent = Reason(rule, "{} is compared as it was sent", operands=(call.path,))
    decision = replace(decision, reasons=(as_sent, *decision.reasons))
    said = (call.facts or NO_FACTS).holds
    for path in others:
        lack = Lack.of(f"{call.path} is not read as {path}")
        if said.get(lack):
            continue
        other = _weighed(replace(call, path=path), api, route)
        if other.verdict is not decision.verdict:
            why = (
                f"{call.path} is {decision.verdict.value} as it was sent, "
                f"and {other.verdict.value} if it is read as {path}"
            )
            both = replace(decision, reasons=(*decision.reasons, *other.reasons))
            return both.unknown(why, (*other.lacks, lack))
        decision = replace(decision, lacks=(*decision.lacks, *other.lacks))
    return decision


def _weighed(call: Call, api: Api, route: Route) -> Decision:
    decision = combined(Weighing(call, api, route).gates())
    if api.kind is Kind.REST:
        return decision
    reasons, answer = decision.reasons, decision.answer
    if route.authorization is Authorization.AWS_IAM:
        reasons = (
            Reason(rules.HTTP_WITHOUT_POLICY, "{} is an HTTP API", operands=(api.name,)),
            *reasons,
        )
    if decision.verdict is Verdict.REFUSED:
        reasons = (Reason(rules.HTTP_FORBIDDEN, "it is not said why"), *reasons)
        answer = refusals.FORBIDDEN
    return replace(decision, reasons=reasons, answer=answer)


def _refuse(rule: Rule, text: str, answer: Refusal) -> Decision:
    return PASSED.refused(Reason(rule, text), answer)
