"""What `backstairs up` shows: its steps, the tour's calls, what to try next."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import textwrap
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from backstairs.cli.project import ask, python_version
from backstairs.template.openapi import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from backstairs.demo.stops import Seen, Stop
    from backstairs.local.running import Running


@contextlib.contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Say what is being done, with the seconds on a terminal, and how long it took."""
    start = time.monotonic()
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), _Seconds())
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(escape(what), total=None)
            yield
    else:
        console.print(f"{what} ...", markup=False, soft_wrap=True)
        yield
    took = f"({time.monotonic() - start:.1f} s)"
    console.print(f"[green]done[/] {escape(what)} [dim]{took}[/]", soft_wrap=True)


class _Seconds(ProgressColumn):
    """How long a task has been going on."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.elapsed or 0:.0f} s", style="dim")


def tour(console: Console, running: Running) -> bool:
    """Show the tour; returns whether every call came to what was expected."""
    from backstairs.demo.tour import chapters

    as_expected, planned = True, None
    for planned in chapters(running):
        as_expected = _calls(console, running, planned.title, planned.stops) and as_expected
        if planned.then is not None:
            with step(console, planned.waiting):
                came_of_it = planned.then(running)
            console.print(came_of_it or "Nothing came of it.", markup=False)
            as_expected = as_expected and came_of_it is not None
    if planned is None:
        console.print("There is no tour of this application: its functions have other names.")
    return as_expected


def _calls(console: Console, running: Running, title: str, planned: Iterable[Stop]) -> bool:
    """Make the calls and show what each came to."""
    from backstairs.demo.stops import take

    console.print(f"\n{title}\n")
    as_expected = True
    for stop in planned:
        seen = take(running, stop)
        right = seen.is_as_expected
        as_expected = as_expected and right
        color = "red" if not right else "green" if seen.answer.ok else "yellow"
        meant = "so" if seen.answer.status == stop.expected else stop.expected
        status = str(seen.answer.status) + ("" if right else f" (not {meant}!)")
        who = f"{stop.who}, by {stop.origin}"
        why = labelled(running, seen.told or _why(running, seen))
        for line in lines_of(status, who, f"{stop.method} {stop.path}", why, console.width):
            shown = escape(line).replace(status, f"[{color}]{status}[/]", 1)
            console.print(shown, soft_wrap=True)
            status = ""
    console.print()
    return as_expected


_INDENT = " " * 5
_WHAT_COLUMN = 44


def lines_of(status: str, who: str, what: str, why: str, width: int) -> list[str]:
    """One call as lines of at most `width` columns: what came of it, who called what, and why.

    Nothing is cut off; a word that is longer than a line has one of its own.
    """
    head = f"{status:<4} {who}"
    fold = partial(textwrap.wrap, width=width, break_long_words=False, break_on_hyphens=False)
    if len(head) < _WHAT_COLUMN and _WHAT_COLUMN + len(what) <= width:
        first = [head.ljust(_WHAT_COLUMN) + what]
    else:
        first = [*fold(head, subsequent_indent=_INDENT), _INDENT + what]
    return [*first, *fold(why, initial_indent=_INDENT, subsequent_indent=_INDENT)]


def labelled(running: Running, text: str) -> str:
    """The same with the names that the commands use in place of generated ones."""
    for label, arn in running.roles.items():
        text = text.replace(arn.rpartition("/")[2], label)
    return _ROLE_POLICY.sub(r"\1's policy", text)


# What SAM calls the policy that it makes of a function's `Policies`.
_ROLE_POLICY = re.compile(r"\b(\w+Function)RolePolicy\d+\b")


def _why(running: Running, seen: Seen) -> str:
    """Why a call was answered as it was: the reason that decided, here or in what it led to."""
    decision, _ = ask(running, "GET", f"/decisions/{seen.answer.request_id}")
    if decision.get("by") == "integration" and decision["verdict"] == "allowed":
        return f"admitted; {_decisive(decision)}"
    if decision.get("by") != "function" or seen.answer.ok:
        return _decisive(decision)
    refused = [one for one in decision["ledTo"] if one["by"] != "function"]
    if refused:
        return f"admitted; behind it: {_decisive(refused[-1])}"
    try:
        said = json.loads(seen.answer.body)["message"]
    except (ValueError, KeyError, TypeError):
        said = "no message"
    return f"admitted; the function answers: {said}"


def _decisive(decision: Mapping[str, Any]) -> str:
    """The last reason is the one that decided."""
    reasons = decision.get("reasons")
    return str(reasons[-1]["text"]) if reasons else ""


def what_next(console: Console, running: Running, python: Path, logs: Path) -> None:
    """Say where things are and what to try."""
    from backstairs.demo.tour import examples

    backstairs = Path(sys.executable).with_name("backstairs")
    with contextlib.suppress(ValueError):
        backstairs = backstairs.relative_to(Path.cwd())
    for origin in running.origins:
        console.print(f"  {origin.name:24} http://127.0.0.1:{origin.port}  {origin.dns_name or ''}")
    planned = examples(running) or examples_of(running)
    lines = [f"  {backstairs} {line}" for line in planned]
    signed = _by_curl(running, planned[0].split(), backstairs) if planned else []
    console.print(
        "\n".join(
            [
                "",
                f"Functions run on {python_version(python)} ({python}); their logs are in {logs}.",
                *(["Try, in another terminal:", "", *lines, ""] if lines else []),
                *([*signed, ""] if signed else []),
                _NOT_PROVEN,
                "Ctrl-C ends everything.",
            ]
        ),
        markup=False,
        soft_wrap=True,
    )


_NOT_PROVEN = (
    "Not proven here, as no AWS account took part: what docs/live.md lists, each with how to see "
    "it."
)


def examples_of(running: Running) -> list[str]:
    """A call of each API, as arguments of `backstairs`: its first GET, or else its first route."""
    examples = []
    for api in running.apis:
        routes = sorted(api.routes, key=lambda route: (route.method != "GET", route.path))
        for route in routes[:1]:
            method = "GET" if route.method == "ANY" else route.method
            path = "/" if route.path == DEFAULT else _PARAMETER.sub(r"\1", route.path)
            caller = [f"--as {name}" for name in sorted(running.roles) if route.signed][:1]
            examples.append(" ".join([f"call {method} {path} --api {api.name}", *caller]))
    return examples


# `{memberId}` or `{path+}`, for which its name stands in an example.
_PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


def _by_curl(running: Running, example: Sequence[str], backstairs: Path) -> list[str]:
    """The same call by curl, if somebody signs it and it is at a REST API behind an endpoint."""
    _, _, path, *options = example
    api = running.api_with(path)
    if "--as" not in options or not api.private:
        return []
    caller = options[options.index("--as") + 1]
    return [
        f'  eval "$({backstairs} credentials {caller})"',
        f"  curl --aws-sigv4 aws:amz:{running.region}:execute-api \\",
        '    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\',
        '    --header "x-amz-security-token: $AWS_SESSION_TOKEN" \\',
        f'    --header "x-apigw-api-id: {api.api_id}" \\',
        f"    http://127.0.0.1:{running.origins[0].port}{api.base}{path}",
    ]
