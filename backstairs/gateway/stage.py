"""What a stage asks of its requests beside access."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.gateway.usage import Throttles
    from backstairs.gateway.validation import RequestValidator


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What a stage asks of its requests beside access.

    `validators` by method and resource path; `throttles` of the stage's methods; `binary_types`
    are the media types that a REST API takes for binary; `not_modelled` holds the routes, by
    method and path, whose integration is not modelled, and why; `timeouts` the seconds that an
    integration is given by itself.
    """

    validators: Mapping[tuple[str, str], RequestValidator] = field(default_factory=dict)
    throttles: Throttles = field(default_factory=dict)
    binary_types: tuple[str, ...] = ()
    not_modelled: Mapping[tuple[str, str], str] = field(default_factory=dict)
    timeouts: Mapping[tuple[str, str], float] = field(default_factory=dict)
