"""Print a function's credentials as shell exports, for curl, awscurl, botocore.

They are temporary credentials of the function's role in the emulated account, worth nothing
elsewhere. Use them with: eval "$(backstairs credentials notifier)"
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from backstairs.cli.project import Project, assume, reaching

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("function", help="a function by its short name, such as notifier")


def run(options: argparse.Namespace) -> int:
    """Print the exports on standard output, whose they are on standard error."""
    running = Project.here().running()
    with reaching(running):
        found = assume(running, options.function)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", found["AccessKeyId"]),
        ("AWS_SECRET_ACCESS_KEY", found["SecretAccessKey"]),
        ("AWS_SESSION_TOKEN", found["SessionToken"]),
        ("AWS_REGION", running.region),
    ):
        print(f"export {name}={shlex.quote(value)}")
    until = found["Expiration"].strftime("%H:%M:%S %Z")
    print(f"# {running.roles[options.function]}, until {until}", file=sys.stderr)
    return 0
