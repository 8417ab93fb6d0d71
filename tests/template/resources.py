"""Small templates as the readers of principals and networks get them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Source, Unresolved
from backstairs.template.intrinsics import Known, Resolver, parameter_values
from backstairs.template.load import parse, translate
from backstairs.template.resources import Path, Resources
from tests.template.conftest import ACCOUNT, REGION, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping


def resources_of(text: str, parameters: Mapping[str, str] | None = None) -> Resources:
    """A template's resources; of those whose existence is not known, with that doubt."""
    given = parameters or {}
    template = translate(parse(text, "template.yaml"), given, "template.yaml", REGION)
    declared = template["Resources"]
    ids = {name: _id(name, resource) for name, resource in declared.items()}

    def attribute(name: str, attribute: str) -> object:
        if attribute == "Arn" and declared[name]["Type"].startswith("AWS::IAM::"):
            path = declared[name].get("Properties", {}).get("Path", "/")
            kind = declared[name]["Type"].removeprefix("AWS::IAM::").lower()
            return f"arn:aws:iam::{ACCOUNT}:{kind}{path}{ids[name]}"
        if attribute in ("Arn", "DefaultSecurityGroup"):
            return f"{name}.{attribute}"
        return ids[name]

    known = Known(parameter_values(template, given), ids, ACCOUNT, REGION, "stack", attribute)
    resolver = Resolver(template, known)
    exists = {name: resolver.exists(resource) for name, resource in declared.items()}
    return Resources(
        by_name={
            name: resolver.resolve(resource)
            for name, resource in declared.items()
            if exists[name] is not False
        },
        ref=ids.__getitem__,
        attribute=attribute,
        source=source,
        account=ACCOUNT,
        region=REGION,
        doubts={name: one.why for name, one in exists.items() if isinstance(one, Unresolved)},
    )


def _id(name: str, resource: Mapping[str, Any]) -> str:
    properties, kind = resource.get("Properties", {}), resource["Type"]
    if kind == "AWS::IAM::ManagedPolicy":
        return f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    named = properties.get(f"{kind.rpartition('::')[2]}Name", name)
    return str(named) if kind.startswith("AWS::IAM::") else name


def of_stack(stack: Stack) -> Resources:
    """The resources of one of the project's own stacks."""
    return Resources(
        by_name=stack.resources,
        ref=lambda name: name,
        attribute=lambda name, attribute: f"{name}.{attribute}",
        source=source,
        account=ACCOUNT,
        region=REGION,
    )


def source(name: str, path: Path) -> Source:
    """Where a part of a resource is written: here its way, in place of a file's name."""
    return Source(".".join(map(str, (name, *path))), 1)
