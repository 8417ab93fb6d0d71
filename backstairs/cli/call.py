"""Call an API through one of the doors, and say why it answered as it did."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backstairs.cli.project import ProblemError, Project, api_of, ask, assume, origin_of, reaching

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from backstairs.local.running import OpenApi, Running

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("method", help="GET, POST, ...")
    parser.add_argument("path", help="below the stage, percent-encoded: /members/m-1001")
    parser.add_argument("--as", dest="function", help="sign as this function (default: unsigned)")
    parser.add_argument(
        "--from", dest="origin", help="an origin (default: endpoint, of a public API: internet)"
    )
    parser.add_argument("--api", help="an API's name (default: the one that has the path)")
    parser.add_argument("--data", "-d", help="the body")
    parser.add_argument(
        "--header", "-H", action="append", default=[], help="NAME: VALUE, as often as needed"
    )
    parser.add_argument(
        "--api-key", help="a key's value, or the logical id, name or id of a key in the account"
    )


def run(options: argparse.Namespace) -> int:
    """Print status and body on standard output, the reasons on standard error."""
    if not options.path.startswith("/"):
        raise ProblemError(f"a path starts with /: {options.path}")
    if not options.path.isascii() or not options.path.isprintable() or " " in options.path:
        raise ProblemError(f"a path is percent-encoded: {quote(options.path, safe='/?=&%')}")
    if not _TOKEN.fullmatch(options.method):
        raise ProblemError(f"a method is a word of HTTP: {options.method}")
    headers = list(map(_header, options.header))
    if options.data and "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", "application/json"))
    running = Project.here().running()
    with reaching(running):
        _call(running, options, headers)
    return 0


def _call(running: Running, options: argparse.Namespace, headers: list[tuple[str, str]]) -> None:
    from botocore.credentials import Credentials

    from backstairs.client import call

    api = api_of(running, options.api) if options.api else _api_with(running, options.path)
    origin = origin_of(running, options.origin or ("endpoint" if api.private else "internet"))
    if options.api_key:
        headers.append(_sendable("X-Api-Key", _api_key(running, options.api_key)))
    credentials = None
    if options.function:
        found = assume(running, options.function)
        credentials = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )
    answer = call(
        origin.port,
        options.method.upper(),
        f"{api.base}{options.path}",
        host=f"{api.api_id}.execute-api.{running.region}.amazonaws.com",
        region=running.region,
        credentials=credentials,
        headers=headers,
        body=os.fsencode(options.data or ""),
    )
    print(answer.status)
    print(answer.body.decode("utf-8", "replace"))
    decision, _ = ask(running, "GET", f"/decisions/{answer.request_id}")
    _explain(decision)
    for one in decision.get("ledTo", ()):
        print(f"it led to {one['method']} {one['path']}: {one['status']}", file=sys.stderr)
        _explain(one)


def _explain(decision: Mapping[str, Any]) -> None:
    for reason in decision.get("reasons", ()):
        print(f"- {reason['text']} [{reason['rule']}: {reason['known']}]", file=sys.stderr)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ProblemError(f"a header is NAME: VALUE: {text}")
    return _sendable(name.strip(), value.strip())


def _sendable(name: str, value: str) -> tuple[str, str]:
    if not _TOKEN.fullmatch(name):
        raise ProblemError(f"a header's name is a word of HTTP, in ASCII: {name}")
    if not _VALUE.fullmatch(value):
        # The value may be a key, and is not shown.
        raise ProblemError(f"header {name}: its value has a character that is not of Latin-1")
    return name, value


def _api_with(running: Running, path: str) -> OpenApi:
    found = running.api_for(path)
    if found is not None:
        return found
    if len(running.apis) == 1:
        return running.apis[0]
    names = ", ".join(api.name for api in running.apis) or "there is none"
    raise ProblemError(f"no API has {path.partition('?')[0]}; name one with --api: {names}")


def _api_key(running: Running, named: str) -> str:
    """The value of a key in the account; what names none is taken for a value itself."""
    from backstairs.account.client import Account, pages

    gateway = Account(running.account_url, running.region).client("apigateway")
    for key in pages(gateway, "get_api_keys", "items", includeValues=True):
        logical_id = key.get("tags", {}).get("aws:cloudformation:logical-id")
        if named in (logical_id, key["name"], key["id"]):
            return str(key["value"])
    return named
