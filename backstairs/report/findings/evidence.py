"""What several rules look at: resources by type, policies and their texts, templates as written."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Source, Unresolved
from backstairs.template.openapi import POLICY
from backstairs.template.policies import as_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access import Policy
    from backstairs.access.policy import Statement
    from backstairs.template.model import Application, DeclaredApi

REST_API = "AWS::ApiGateway::RestApi"


def of_type(application: Application, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and properties of every resource of these types."""
    for name, resource in application.resources.items():
        if resource.get("Type") in kinds:
            yield name, mapping(resource.get("Properties"))


def source_of(application: Application, name: str) -> Source:
    """Where a resource is written; the template's first line where that is not known."""
    return application.sources.get(name) or Source(application.file, 1)


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Any]:
    """A list, or a list of the one value; of nothing where there is none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def is_true(value: object) -> bool:
    """A boolean as templates write it."""
    return str(value).lower() == "true"


def last(name: str) -> str:
    """A resource's logical id, without the stacks it is nested in."""
    return name.rpartition("/")[2]


def stack(name: str) -> str:
    """What stands before the logical id: the nested stacks that a resource is in."""
    return name[: len(name) - len(last(name))]


def policy_of(rest_api: Mapping[str, Any]) -> object:
    """The resource policy of an AWS::ApiGateway::RestApi, None where it has none."""
    body = mapping(rest_api.get("Body"))
    document = as_document(body.get(POLICY, rest_api.get("Policy")))
    return document if isinstance(document, Unresolved) or document else None


def is_private(rest_api: Mapping[str, Any]) -> bool:
    """Whether an AWS::ApiGateway::RestApi is reached through endpoints alone."""
    types = mapping(rest_api.get("EndpointConfiguration")).get("Types")
    if types is None:
        types = mapping(rest_api.get("Parameters")).get("endpointConfigurationTypes")
    return "PRIVATE" in listed(types)


def apis(application: Application) -> Iterator[DeclaredApi]:
    """Each API once, however many stages it has."""
    yield from {declared.name: declared for declared in application.apis}.values()


@dataclass(frozen=True, slots=True)
class Written:
    """A statement with the policy it stands in, and the resource that this is written in."""

    name: str
    policy: Policy
    statement: Statement
    source: Source

    def __str__(self) -> str:
        return f"{self.statement.name} of {self.policy.name}"


def api_statements(application: Application) -> Iterator[Written]:
    """The statements of all resource policies of APIs."""
    for declared in apis(application):
        if declared.api.policy is not None:
            yield from _written(declared.name, declared.api.policy, declared.source)


def endpoint_statements(application: Application) -> Iterator[Written]:
    """The statements of all policies of execute-api endpoints."""
    for declared in application.endpoints:
        if declared.endpoint.policy is not None:
            yield from _written(declared.name, declared.endpoint.policy, declared.source)


def grants(application: Application) -> Iterator[Written]:
    """What roles and users are allowed, where it is understood."""
    for written in identity_statements(application):
        if written.statement.effect == "Allow" and written.statement.problem is None:
            yield written


def identity_statements(application: Application) -> Iterator[Written]:
    """The statements of all roles and users; one policy of several of them is named once."""
    seen = set()
    for declared in application.principals:
        for policy in declared.principal.policies:
            for written in _written(declared.name, policy, declared.source):
                key = (
                    policy.name,
                    written.statement.name,
                    written.statement.effect,
                    written.source,
                )
                if key not in seen:
                    seen.add(key)
                    yield written


def statements(application: Application) -> Iterator[Written]:
    """The statements of all policies."""
    yield from api_statements(application)
    yield from endpoint_statements(application)
    yield from identity_statements(application)


def _written(name: str, policy: Policy, source: Source) -> Iterator[Written]:
    for statement in policy.statements:
        yield Written(name, policy, statement, statement.source or source)


def texts(values: object) -> list[str]:
    """Those of a policy's texts that are known."""
    return [value for value in listed(values) if isinstance(value, str)]


def written_resources(
    application: Application, kind: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and properties of the resources of a SAM type as they are written, with the Globals.

    Only those that exist: what a condition leaves out is not there.
    """
    for before, template in application.templates.items():
        shared = mapping(mapping(template.get("Globals")).get(kind.rpartition("::")[2]))
        for logical_id, resource in mapping(template.get("Resources")).items():
            name = f"{before}{logical_id}"
            if mapping(resource).get("Type") == kind and name in application.resources:
                yield name, merged(shared, mapping(mapping(resource).get("Properties")))


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Properties over Globals as SAM merges them: mappings by key, lists one after the other."""
    result = copy.deepcopy(dict(shared))
    for key, value in own.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, Mapping) and not _intrinsic(value):
            result[key] = merged(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            result[key] = [*before, *value]
        else:
            result[key] = value
    return result


def _intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)) in {"Ref", "Condition"} | {
        key for key in value if str(key).startswith("Fn::")
    }


def compact(document: object) -> str:
    """A policy document as short as it can be written."""
    return json.dumps(document, default=str, separators=(",", ":"))


def shown(items: list[str], limit: int = 3) -> str:
    """The first few of a list, and how many more there are."""
    more = len(items) - limit
    return ", ".join(items[:limit]) + (f" and {more} more" if more > 0 else "")
