"""The API key, asked for last: of an admitted call, on a method that needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.model import Decision, Kind, Reason, Verdict

if TYPE_CHECKING:
    from backstairs.access.model import Api, Call


SEVERAL = "the call has several"


def with_key(call: Call, api: Api, admitted: Decision) -> Decision:
    """The decision on an admitted call once its API key is looked at."""
    if api.kind is Kind.HTTP or api.key_source != "HEADER":
        source = api.key_source.lower()
        return _unknown(
            admitted, f"API keys of the {api.kind.value} API {api.name} ({source}) are not modelled"
        )
    here = (api.api_id, api.stage)
    if call.api_key is not None and call.api_key.enabled and here in call.api_key.doubtful:
        which = f"{call.api_key.key_id} is of several usage plans with {api.name}'s {api.stage}"
        return _unknown(admitted, f"{which}; AWS allows one")
    problem = _problem(call, api)
    if problem is None and call.api_key is not None:
        text = f"API key {call.api_key.key_id} is of a usage plan with {api.name}'s {api.stage}"
        reasons = (*admitted.reasons, Reason(rules.API_KEY_OF_STAGE, text))
        return Decision(Verdict.ALLOWED, reasons)
    reasons = (
        *admitted.reasons,
        Reason(rules.API_KEY_LAST, "the call is admitted but for its API key"),
        *([Reason(rules.API_KEY_ONCE, SEVERAL)] if call.key_problem == SEVERAL else []),
        Reason(rules.API_KEY_OF_STAGE, f"the method asks for an API key, and {problem}"),
    )
    return Decision(Verdict.REFUSED, reasons, refusals.FORBIDDEN)


def _unknown(admitted: Decision, why: str) -> Decision:
    reasons = (*admitted.reasons, Reason(rules.NOT_MODELLED, why))
    return Decision(Verdict.UNKNOWN, reasons, refusals.undecided(why))


def _problem(call: Call, api: Api) -> str | None:
    key = call.api_key
    if key is None:
        return call.key_problem or "the call has none"
    if not key.enabled:
        return f"{key.key_id} is disabled"
    if (api.api_id, api.stage) not in key.stages:
        return f"{key.key_id} is of no usage plan with {api.name}'s {api.stage}"
    return None
