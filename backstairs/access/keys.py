"""The API key, asked for last: on a method that needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import refusals, rules
from backstairs.access.gates import PASSED, Decision, Reason, Verdict
from backstairs.access.lacks import Lack
from backstairs.access.model import Kind

if TYPE_CHECKING:
    from backstairs.access.model import Api, Call


SEVERAL = "the call has several"


def api_key(call: Call, api: Api, *, admitted: bool) -> Decision:
    """The gate of the API key; `admitted`: all others are known to let the call in."""
    if api.kind is Kind.HTTP or api.key_source != "HEADER":
        source = api.key_source.lower()
        why = f"API keys of the {api.kind.value} API {api.name} ({source}) are not modelled"
        return PASSED.unknown(why, (Lack.of(f"the API key that {api.name} finds admits it"),))
    here = (api.api_id, api.stage)
    key = call.api_key
    if key is not None and key.enabled and here in key.doubtful:
        plans = f"{key.key_id} is of several usage plans with {api.name}'s {api.stage}"
        lack = Lack.of(f"the API key {key.key_id} is good for {api.name}'s {api.stage}")
        return PASSED.unknown(f"{plans}; AWS allows one", (lack,))
    problem = _problem(call, api)
    if problem is None and key is not None:
        says = "API key {} is of a usage plan with {}'s {}"
        of_stage = Reason(rules.API_KEY_OF_STAGE, says, operands=(key.key_id, api.name, api.stage))
        return Decision(Verdict.ALLOWED, (of_stage,))
    reasons = (
        *([_LAST] if admitted else []),
        *([Reason(rules.API_KEY_ONCE, SEVERAL)] if call.key_problem == SEVERAL else []),
        Reason(
            rules.API_KEY_OF_STAGE, "the method asks for an API key, and {}", operands=(problem,)
        ),
    )
    return Decision(Verdict.REFUSED, reasons, refusals.FORBIDDEN)


_LAST = Reason(rules.API_KEY_LAST, "the call is admitted but for its API key")


def _problem(call: Call, api: Api) -> str | None:
    key = call.api_key
    if key is None:
        return call.key_problem or "the call has none"
    if not key.enabled:
        return f"{key.key_id} is disabled"
    if (api.api_id, api.stage) not in key.stages:
        return f"{key.key_id} is of no usage plan with {api.name}'s {api.stage}"
    return None
