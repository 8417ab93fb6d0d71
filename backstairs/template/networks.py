"""The networks of a template: VPCs, subnets, routes, security groups, peering, names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Networks:
    """What the template declares of networks."""
