"""The condition keys of a call, as far as they are known.

Source: IAM User Guide, "AWS global condition context keys". Keys that are neither here nor known
to be absent nor given as facts (an organisation's id, the source address that API Gateway sees
behind an endpoint) are unknown.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from backstairs.access.facts import NO_FACTS
from backstairs.access.model import ANONYMOUS_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access.lacks import Lack
    from backstairs.access.model import Api, Call, Principal

_ADDRESSES = ("aws:sourceip", "aws:vpcsourceip")

# Not among the "AWS condition keys that can be used in API Gateway resource policies" (API Gateway
# Developer Guide), though IAM knows them: what such a policy makes of them is not known.
NOT_OF_API_POLICIES = frozenset(
    {"aws:principalisawsservice", "aws:requestedregion", "aws:viaawsservice"}
)


class CallKeys:
    """What conditions can ask about a call by `caller`, None for an anonymous one.

    `hidden` are keys that such a policy does not have, as far as anybody says.
    """

    __slots__ = ("_api", "_call", "_caller", "_hidden", "_tables")

    def __init__(
        self,
        call: Call,
        api: Api,
        caller: Principal | None,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self._call, self._api, self._caller, self._hidden = call, api, caller, hidden
        self._tables = (call.origin.keys, ANONYMOUS_KEYS if caller is None else caller.keys)

    @property
    def holds(self) -> Mapping[Lack, bool]:
        """What somebody has said of conditions that cannot be told."""
        return (self._call.facts or NO_FACTS).holds

    def get(self, key: str) -> tuple[str, ...] | None:
        """The values of a key, empty when it is absent, None when that is not known."""
        found = self.addresses(key)
        if found and "/" in found[0] and key.lower() in _ADDRESSES:
            return None
        return found

    def addresses(self, key: str) -> tuple[str, ...] | None:
        """The same; of an address only its network may be known (`10.0.0.0/16`)."""
        name = key.lower()
        if name in self._hidden:
            return None
        for table in self._tables:
            found = table.get(name)
            if found is not None:
                return found
        if "/" in name and f"{name.partition('/')[0]}/*" in self._tables[1]:
            return ()
        return self._of_the_moment(name)

    def _of_the_moment(self, name: str) -> tuple[str, ...] | None:
        now = self._call.now
        if name == "aws:requestedregion":
            return (self._api.region,)
        if name == "aws:currenttime" and now is not None:
            return (f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",)
        if name == "aws:epochtime" and now is not None:
            return (str(int(now.timestamp())),)
        facts = self._call.facts
        if facts is None:
            return None
        return facts.key(name, self._caller.account if self._caller else None, self._api.account)
