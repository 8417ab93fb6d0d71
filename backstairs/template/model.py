"""What a template declares, as the proof sees it: who may come, where, and through what.

Names are logical ids, those of a nested stack behind its own: `Network/ExecuteApiEndpoint`. Ids
that AWS gives on creation are stand-ins made of the names, the same wherever the template refers
to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Api, Endpoint, Principal, Route, Source
    from backstairs.template.networks import Networks


@dataclass(frozen=True, slots=True)
class DeclaredApi:
    """One stage of an API, with the lines of the API and of each of its routes."""

    name: str
    api: Api
    source: Source
    route_sources: Mapping[Route, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredPrincipal:
    """A role or user, as it would sign its calls.

    `trusted` are those who may assume a role (`lambda.amazonaws.com`, an ARN, an account's
    number); `functions` the names of the functions that run as it.
    """

    name: str
    principal: Principal
    source: Source
    trusted: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredFunction:
    """A Lambda function. `subnets` and `security_groups` are names or ids; empty: in no VPC."""

    name: str
    arn: str
    source: Source
    role: str | None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredEndpoint:
    """An execute-api interface endpoint.

    `vpc`, `subnets` and `security_groups` are names or ids. `private_dns` None: not known.
    """

    name: str
    endpoint: Endpoint
    source: Source
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    private_dns: bool | None = False


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A way to a function that is no route of an API: named, not decided.

    `kind`: `function URL`, `WebSocket API`, `web function`, `lambda:InvokeFunction`, ...;
    `function` is the function's name where that is known, `says` what it opens, in words.
    """

    name: str
    kind: str
    function: str | None
    says: str
    source: Source


@dataclass(frozen=True, slots=True)
class NotRead:
    """A part of the template that was not understood, and why."""

    name: str
    why: str
    source: Source


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that a template and its nested templates declare.

    `parameters` are the values it was read with, `assumed` those among them that nobody gave and
    that have no default: each is a value of its own that equals no other, or the first of those
    that are allowed. `resources` is the
    translated and resolved template, by name; `sources` the line of each. `templates` are the
    templates as they are written (SAM's types and Globals, intrinsics unresolved), by what stands
    before the names of their resources: "" for the outermost, "Network/" for a nested one.
    """

    file: str
    account: str
    region: str
    apis: tuple[DeclaredApi, ...]
    functions: tuple[DeclaredFunction, ...]
    principals: tuple[DeclaredPrincipal, ...]
    endpoints: tuple[DeclaredEndpoint, ...]
    networks: Networks
    other_ways: tuple[OtherWay, ...]
    not_read: tuple[NotRead, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()
    resources: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
