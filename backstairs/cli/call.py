"""Call an API through one of the doors, and say why it answered as it did."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from backstairs.cli.project import ProblemError, Project, api_of, ask, assume, origin_of

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("method", help="GET, POST, ...")
    parser.add_argument("path", help="below the stage, percent-encoded: /members/m-1001")
    parser.add_argument("--as", dest="function", help="sign as this function (default: unsigned)")
    parser.add_argument(
        "--from", dest="origin", default="endpoint", help="an origin (default: endpoint)"
    )
    parser.add_argument("--api", help="an API's name (default: the one that has the path)")
    parser.add_argument("--data", "-d", help="the body")


def run(options: argparse.Namespace) -> int:
    """Print status and body on standard output, the reasons on standard error."""
    from botocore.credentials import Credentials

    from backstairs.client import call

    if not options.path.startswith("/"):
        raise ProblemError(f"a path starts with /: {options.path}")
    if not options.path.isascii() or not options.path.isprintable() or " " in options.path:
        raise ProblemError(f"a path is percent-encoded: {quote(options.path, safe='/?=&%')}")
    running = Project.here().running()
    origin = origin_of(running, options.origin)
    api = api_of(running, options.api) if options.api else running.api_with(options.path)
    credentials = None
    if options.function:
        found = assume(running, options.function)
        credentials = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )
    answer = call(
        origin.port,
        options.method.upper(),
        f"/{api.stage}{options.path}",
        host=f"{api.api_id}.execute-api.{running.region}.amazonaws.com",
        region=running.region,
        credentials=credentials,
        headers={"Content-Type": "application/json"} if options.data else {},
        body=(options.data or "").encode(),
    )
    print(answer.status)
    print(answer.body.decode("utf-8", "replace"))
    decision, _ = ask(running, "GET", f"/decisions/{answer.request_id}")
    for reason in decision.get("reasons", ()):
        print(f"- {reason['text']} [{reason['rule']}: {reason['known']}]", file=sys.stderr)
    return 0
