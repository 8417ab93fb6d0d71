"""Policy documents where they stand in a template's resources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backstairs.access import Policy, Unresolved, parse_policy

if TYPE_CHECKING:
    from backstairs.template.resources import Path, Resources


def policy_at(
    resources: Resources,
    label: str,
    name: str,
    path: Path,
    value: object,
    *,
    resource_based: bool = False,
) -> Policy:
    """The document at a place of a resource, with the line of each of its statements.

    One of a resource that may not exist is unknown.
    """
    document, sources = as_document(value), [resources.source(name, path)]
    if name in resources.doubts:
        document = Unresolved(f"whether {name} exists is not known: {resources.doubts[name]}")
    elif isinstance(document, Mapping) and isinstance(document.get("Statement"), list):
        numbers = range(len(document["Statement"]))
        found = [resources.source(name, (*path, "Statement", number)) for number in numbers]
        sources = found or sources
    return parse_policy(label, document, resource_based=resource_based, sources=sources)


def as_document(value: object) -> object:
    """What CloudFormation takes for a document: a mapping, or its JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
