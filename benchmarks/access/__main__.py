"""Decisions: how fast, how their time grows, and whether an independent evaluator agrees.

    .venv/local/bin/python -m benchmarks.access [PART ...]

Parts: `decisions` (against an earlier commit), `growth` (with the statements of a policy),
`evaluator` (against npm `@cloud-copilot/iam-simulate`), `agreement` (with it), `reading` (of a
template). All of them without a name. Where two are compared they take turns in one run, in
processes of their own, and CPU time is measured, which a busy machine changes least. Exits with 1
if a limit is missed. The evaluator needs node, npm and its registry.
"""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from importlib.util import find_spec

PARTS = ("decisions", "growth", "evaluator", "agreement", "reading")


def main(arguments: list[str]) -> int:
    """Run the parts that are named; a number behind `agreement` is that of its cases."""
    named = [one for one in arguments if not one.isdigit()] or [
        one for one in PARTS if _is_here(one)
    ]
    unknown = [one for one in named if one not in PARTS]
    if unknown:
        print(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}")
    numbers = [int(one) for one in arguments if one.isdigit()]
    held = [
        import_module(f"benchmarks.access.{part}").measure(*numbers if part == "agreement" else ())
        for part in named
    ]
    return 0 if all(held) else 1


def _is_here(part: str) -> bool:
    return find_spec(f"benchmarks.access.{part}") is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
