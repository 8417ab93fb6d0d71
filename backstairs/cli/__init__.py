"""The command line: one module a command."""

from __future__ import annotations

import argparse
import logging
import sys
from importlib.metadata import version

from backstairs.cli import access, allowlist, call, credentials, invoke, redrive, up
from backstairs.cli.project import ProblemError

_COMMANDS = (up, call, invoke, access, redrive, credentials, allowlist)


def main() -> int:
    """Run one command; the exit status says whether it did what was asked."""
    parser = argparse.ArgumentParser(
        prog="backstairs", description="Private serverless APIs, whole on one machine."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('backstairs')}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in _COMMANDS:
        name = module.__name__.rpartition(".")[2]
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options, more = parser.parse_known_args()
    # argparse takes a list of words in one piece; those that follow an option are more of it.
    if more and ("words" not in options or any(word.startswith("-") for word in more)):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if more:
        options.words += more
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    try:
        status: int = options.run(options)
    except ProblemError as problem:
        print(f"backstairs: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status
