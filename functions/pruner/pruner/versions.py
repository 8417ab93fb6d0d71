"""Which versions of a function may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT = 3


def dispensable(published: Iterable[str], aliases: Iterable[Mapping[str, Any]]) -> list[str]:
    """The versions to delete, oldest first.

    Kept are `$LATEST`, which is no version, the last three published, and whatever an alias leads
    to, be it for a share of the calls, as while a deployment shifts them.
    """
    led_to: set[str] = set()
    for alias in aliases:
        led_to.add(alias["FunctionVersion"])
        led_to |= (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {}).keys()
    numbered = sorted((version for version in published if version.isdigit()), key=int)
    return [version for version in numbered[:-KEPT] if version not in led_to]
