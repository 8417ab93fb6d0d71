"""What the template tells the function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's environment, read once."""

    table_name: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read TABLE_NAME. Raises KeyError where it is missing."""
        return cls(table_name=environment["TABLE_NAME"])
