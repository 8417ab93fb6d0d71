"""Where something is written: what a reason or a finding points at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a template's text, lines counted from 1.

    `made_by` is the property that made what stands there, where it is generated and not written
    (`Auth.ResourcePolicy.IntrinsicVpceWhitelist`).
    """

    file: str
    line: int
    made_by: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f" ({self.made_by})" if self.made_by else "")
