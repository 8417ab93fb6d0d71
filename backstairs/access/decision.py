"""The decision: may this call be made, and why.

Order for a call: the network path, the route, the signature, the endpoint's policy, then the
method's authorization with identity policies and resource policy together, then the API key. Every
step leaves its reasons, every reason names its rule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.keys import with_key
from backstairs.access.model import Authorization, Decision, Kind, Reason, Verdict
from backstairs.access.weighing import Weighing

if TYPE_CHECKING:
    from backstairs.access.model import Api, Call, Route
    from backstairs.access.refusals import Refusal
    from backstairs.access.rules import Rule

# A path that a server might read as another one.
_VARIANT = re.compile(r"//|/(\.|%2e){1,2}(/|$)|./$", re.IGNORECASE)


def decide(call: Call) -> Decision:
    """Decide on one call."""
    if call.api is None:
        return _refuse(rules.UNKNOWN_API, "there is no such API or stage", refusals.FORBIDDEN)
    unreachable = _unreachable(call, call.api)
    if unreachable is not None:
        return unreachable
    if call.route is None:
        text = f"{call.api.name} has no method {call.method} {call.path}"
        if call.api.kind is Kind.HTTP:
            return _refuse(rules.HTTP_UNKNOWN_ROUTE, text, refusals.NOT_FOUND)
        return _refuse(rules.UNKNOWN_ROUTE, text, refusals.MISSING_TOKEN)
    decision = _weighed(call, call.api, call.route)
    http = call.api.kind is Kind.HTTP
    if _VARIANT.search(call.path) or (http and "%" in call.path):
        rule = rules.HTTP_PATHS if http else rules.PATH_AS_SENT
        as_sent = Reason(rule, f"{call.path} is compared as it was sent")
        decision = Decision(decision.verdict, (as_sent, *decision.reasons), decision.refusal)
    if decision.verdict is Verdict.ALLOWED and call.route.needs_key:
        return with_key(call, call.api, decision)
    return decision


def _unreachable(call: Call, api: Api) -> Decision | None:
    endpoint = call.origin.endpoint
    if api.private and endpoint is None:
        return _refuse(
            rules.PRIVATE_ONLY_THROUGH_ENDPOINTS,
            f"{api.name} is private and the call comes from {call.origin.name}",
            refusals.FORBIDDEN,
        )
    if endpoint is not None and not api.private:
        return _refuse(
            rules.PUBLIC_NOT_THROUGH_ENDPOINTS,
            f"{api.name} is not private and the call comes through {endpoint.endpoint_id}",
            refusals.FORBIDDEN,
        )
    return None


def _weighed(call: Call, api: Api, route: Route) -> Decision:
    decision = Weighing(call, api, route).decide()
    if api.kind is Kind.REST:
        return decision
    reasons = decision.reasons
    if route.authorization is Authorization.AWS_IAM:
        reasons = (Reason(rules.HTTP_WITHOUT_POLICY, f"{api.name} is an HTTP API"), *reasons)
    refusal = decision.refusal
    if decision.verdict is Verdict.REFUSED:
        reasons = (Reason(rules.HTTP_FORBIDDEN, "it is not said why"), *reasons)
        refusal = refusals.FORBIDDEN
    return Decision(decision.verdict, reasons, refusal)


def _refuse(rule: Rule, text: str, answer: Refusal) -> Decision:
    return Decision(Verdict.REFUSED, (Reason(rule, text),), answer)
