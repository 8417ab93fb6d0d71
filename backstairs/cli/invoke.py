"""Invoke a function with an event file, on the real runtime client, as its own role.

As `sam local invoke` with an event file, without Docker.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backstairs.cli.project import ProblemError, Project, ask, known_function, reaching

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("function", help="a function by its short name, such as claims")
    parser.add_argument("--event", "-e", type=Path, required=True, help="a JSON file")


def run(options: argparse.Namespace) -> int:
    """Print the function's answer; the exit status is 1 when the function failed."""
    running = Project.here().running()
    name = known_function(running, options.function)
    try:
        event = options.event.read_bytes()
        json.loads(event)
    except OSError as error:
        raise ProblemError(f"{options.event}: {error.strerror}") from error
    except ValueError as error:
        raise ProblemError(f"{options.event}: is not JSON: {error}") from error
    with reaching(running):
        answer, headers = ask(running, "POST", f"/functions/{name}/invocations", event)
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    if "x-amz-function-error" in headers:
        print(f"the function failed: {headers['x-amz-function-error']}", file=sys.stderr)
        return 1
    return 0
