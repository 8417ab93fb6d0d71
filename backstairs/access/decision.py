"""The decision: may this call be made, and why.

Order for a call: the network path, the route, the signature, the endpoint's policy, then the
method's authorization with identity policies and resource policy together, then the API key. Every
step leaves its reasons, every reason names its rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.keys import with_key
from backstairs.access.model import Authorization, Decision, Kind, Reason, Verdict
from backstairs.access.paths import readings
from backstairs.access.weighing import Weighing

if TYPE_CHECKING:
    from backstairs.access.model import Api, Call, Route
    from backstairs.access.refusals import Refusal
    from backstairs.access.rules import Rule


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
    decision = _in_every_reading(call, call.api, call.route)
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
    if api.default_endpoint is True:
        return None
    disabled = f"the default endpoint of {api.name} is disabled"
    if api.kind is Kind.REST and api.default_endpoint is False:
        return _refuse(rules.DEFAULT_ENDPOINT_DISABLED, disabled, refusals.FORBIDDEN)
    why = (
        f"whether {disabled} is not known"
        if api.default_endpoint is None
        else f"{disabled}: what an HTTP API answers then is not modelled"
    )
    return _unknown((), why)


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
    as_sent = Reason(rule, f"{call.path} is compared as it was sent")
    reasons = (as_sent, *decision.reasons)
    for path in others:
        other = _weighed(replace(call, path=path), api, route)
        if other.verdict is not decision.verdict:
            why = (
                f"{call.path} is {decision.verdict.value} as it was sent, "
                f"and {other.verdict.value} if it is read as {path}"
            )
            return _unknown((*reasons, *other.reasons), why)
    return Decision(decision.verdict, reasons, decision.refusal)


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


def _unknown(reasons: tuple[Reason, ...], why: str) -> Decision:
    found = (*reasons, Reason(rules.NOT_MODELLED, why))
    return Decision(Verdict.UNKNOWN, found, refusals.undecided(why))
