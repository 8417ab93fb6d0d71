"""A stage of an API: what it asks of its requests beside access, and what is behind its routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backstairs.gateway.integrations.integration import Integration

if TYPE_CHECKING:
    from backstairs.access import Api, Route
    from backstairs.gateway.usage import Throttle
    from backstairs.gateway.validation import RequestValidator


@dataclass(frozen=True, slots=True)
class Method:
    """One route of a stage: how its requests are validated and throttled, and what answers them."""

    route: Route
    validator: RequestValidator | None = None
    throttle: Throttle | None = None
    integration: Integration = field(default_factory=Integration)


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployed stage. `binary_types` are the media types that a REST API takes for binary.

    `deployment_id` is the id of the deployment that a REST API's stage shows. A route that is none
    of `methods` has nothing but itself.
    """

    api: Api
    methods: tuple[Method, ...] = ()
    binary_types: tuple[str, ...] = ()
    deployment_id: str = ""
