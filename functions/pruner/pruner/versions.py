"""Which versions of a function to delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT = 3


def versions_to_delete(published: Iterable[str], aliases: Iterable[Mapping[str, Any]]) -> list[str]:
    """The versions to delete, oldest first.

    Kept are `$LATEST`, which is no version, the last three published, and those that an alias
    points to, even for a share of the calls, as while a deployment shifts them.
    """
    in_use: set[str] = set()
    for alias in aliases:
        in_use.add(alias["FunctionVersion"])
        in_use |= (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {}).keys()
    numbered = sorted((version for version in published if version.isdigit()), key=int)
    return [version for version in numbered[:-KEPT] if version not in in_use]
