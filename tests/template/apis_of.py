"""The APIs of a translated template whose ids are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Api, Source
from backstairs.template.apis import read_apis
from backstairs.template.intrinsics import Known, Resolver
from backstairs.template.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.template.model import NotRead


def apis_of(translated: Mapping[str, Any], known: Known) -> tuple[list[Api], list[NotRead]]:
    """One for each stage, and what of them was not read."""
    resolver = Resolver(translated, known)
    resources = Resources(
        {
            name: resolver.resolve(resource)
            for name, resource in translated["Resources"].items()
            if resolver.exists(resource) is not False
        },
        known.physical_ids.get,
        known.attribute,
        lambda _name, _path: Source("template.yaml", 1),
        known.account,
        known.region,
    )
    declared, not_read = read_apis(resources)
    return [one.api for one in declared], list(not_read)
