"""The trace that a call shares with the calls it leads to.

Source: AWS X-Ray Developer Guide, "Tracing header": `Root=1-` with eight and 24 hexadecimal digits;
API Gateway makes a root where a request brings none.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backstairs.access import WireRequest

_ROOT = re.compile(r"(?:^|;)\s*(Root=1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24})\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Trace:
    """`header` is what goes on as X-Amzn-Trace-Id, `root` what all its calls have in common."""

    header: str
    root: str


def trace_of(request: WireRequest) -> Trace:
    """The trace that a request is of; a new one where it names none, or something else."""
    given = request.values("x-amzn-trace-id")
    found = _ROOT.search(given[0]) if given else None
    if found is not None:
        return Trace(given[0], found[1])
    root = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return Trace(root, root)
