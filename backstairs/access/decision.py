"""The decision: may this call be made, and why.

Order for a call: the network path, the route, the signature, the endpoint's policy, then the
method's authorization with identity policies and resource policy together. Every step leaves its
reasons, every reason names its rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.model import Decision, Reason, Verdict
from backstairs.access.weighing import Weighing

if TYPE_CHECKING:
    from backstairs.access.model import Call
    from backstairs.access.refusals import Refusal
    from backstairs.access.rules import Rule


def decide(call: Call) -> Decision:
    """Decide on one call."""
    if call.api is None:
        return _refuse(rules.UNKNOWN_API, "there is no such API or stage", refusals.FORBIDDEN)
    if call.api.private and call.origin.endpoint is None:
        return _refuse(
            rules.PRIVATE_ONLY_THROUGH_ENDPOINTS,
            f"{call.api.name} is private and the call comes from {call.origin.name}",
            refusals.FORBIDDEN,
        )
    if call.origin.endpoint is not None and not call.api.private:
        return _refuse(
            rules.PUBLIC_NOT_THROUGH_ENDPOINTS,
            f"{call.api.name} is not private and the call comes through "
            f"{call.origin.endpoint.endpoint_id}",
            refusals.FORBIDDEN,
        )
    if call.route is None:
        return _refuse(
            rules.UNKNOWN_ROUTE,
            f"{call.api.name} has no method {call.method} {call.path}",
            refusals.MISSING_TOKEN,
        )
    return Weighing(call, call.api, call.route).decide()


def _refuse(rule: Rule, text: str, answer: Refusal) -> Decision:
    return Decision(Verdict.REFUSED, (Reason(rule, text),), answer)
