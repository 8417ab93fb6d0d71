"""The networks of a template, and the execute-api endpoints in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.template.networks import Networks

if TYPE_CHECKING:
    from backstairs.template.model import DeclaredEndpoint, NotRead
    from backstairs.template.resources import Resources


def read_networks(
    resources: Resources,  # noqa: ARG001
) -> tuple[Networks, tuple[NotRead, ...]]:
    """The networks, and what of them was not read."""
    return Networks(), ()


def read_endpoints(
    resources: Resources,  # noqa: ARG001
) -> tuple[tuple[DeclaredEndpoint, ...], tuple[NotRead, ...]]:
    """The execute-api interface endpoints, and what of them was not read."""
    return (), ()
