"""The condition keys of a call, as far as they are known.

Source: IAM User Guide, "AWS global condition context keys". Keys that are neither here nor known
to be absent (an organisation's id, the source address that API Gateway sees behind an endpoint)
are unknown.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from backstairs.access.conditions import Context

if TYPE_CHECKING:
    from backstairs.access.model import Api, Call, Principal

_ENDPOINT_KEYS = frozenset({"aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip"})
_PRINCIPAL_KEYS = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principaltag/*",
        "aws:principalisawsservice",
        "aws:userid",
        "aws:username",
    }
)


# Not among the "AWS condition keys that can be used in API Gateway resource policies" (API Gateway
# Developer Guide), though IAM knows them: what such a policy makes of them is not known.
NOT_OF_API_POLICIES = frozenset(
    {"aws:principalisawsservice", "aws:requestedregion", "aws:viaawsservice"}
)


def context_of(call: Call, api: Api, caller: Principal | None) -> Context:
    """What conditions can ask about a call by `caller`; None for an anonymous one."""
    values: dict[str, tuple[str, ...]] = {
        "aws:securetransport": ("true",),
        "aws:requestedregion": (api.region,),
        "aws:viaawsservice": ("false",),
    }
    absent: frozenset[str] = frozenset()
    endpoint = call.origin.endpoint
    if endpoint is not None:
        values["aws:sourcevpce"] = (endpoint.endpoint_id,)
        if endpoint.vpc_id:
            values["aws:sourcevpc"] = (endpoint.vpc_id,)
        address_key = "aws:vpcsourceip"
    else:
        absent |= _ENDPOINT_KEYS
        address_key = "aws:sourceip"
    if call.origin.source_ip is not None:
        values[address_key] = (call.origin.source_ip,)
    if call.now is not None:
        values["aws:currenttime"] = (f"{call.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",)
        values["aws:epochtime"] = (str(int(call.now.timestamp())),)
    if caller is None:
        return Context(values, absent | _PRINCIPAL_KEYS)
    values["aws:principalarn"] = (caller.principal_arn,)
    values["aws:principalaccount"] = (caller.account,)
    values["aws:principaltype"] = (caller.kind,)
    values["aws:principalisawsservice"] = ("false",)
    if caller.user_id is not None:
        values["aws:userid"] = (caller.user_id,)
    known = {name: value for name, value in caller.tags.items() if isinstance(value, str)}
    for name, tag in known.items():
        values[f"aws:principaltag/{name.lower()}"] = (tag,)
    if len(known) == len(caller.tags):
        absent |= {"aws:principaltag/*"}
    if caller.kind == "User":
        values["aws:username"] = (caller.principal_arn.rpartition("/")[2],)
    else:
        absent |= {"aws:username"}
    return Context(values, absent)
