"""Build, deploy into an emulated account, open the doors, show real calls, and stay up.

Nothing leaves this machine: the real `sam build` and `sam deploy` talk to an emulated account on
127.0.0.1. Ctrl-C ends everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import platform
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backstairs.cli.project import ProblemError, Project, ask, function_python, tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from backstairs.local.process import Children
    from backstairs.local.run import Running

REGION = "us-east-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--once", action="store_true", help="end after the tour; status 1 if it went otherwise"
    )


def run(options: argparse.Namespace) -> int:
    """Run until Ctrl-C, or until the tour's end with --once."""
    from backstairs.local.process import Children

    project = Project.here()
    with _alone(project):
        _check_templates(project)
        # What an earlier run left: its logs were kept for reading until now.
        shutil.rmtree(project.state, ignore_errors=True)
        logs = project.state / "logs"
        logs.mkdir(parents=True, mode=0o700)
        logging.basicConfig(
            filename=logs / "backstairs.log", format="%(asctime)s %(levelname)s %(message)s"
        )
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_up(project, Children(), once=options.once))
        except asyncio.CancelledError:
            return 128 + signal.SIGTERM
        finally:
            project.run_file.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Hold the folder against another run, until this one ends in whatever way."""
    held = os.open(project.root, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ProblemError("it is already running here; end that one first (Ctrl-C)") from error
    finally:
        os.close(held)


async def _up(project: Project, children: Children, *, once: bool) -> int:
    from backstairs.local.account import Account
    from backstairs.local.deploy import STACK_NAME, Sam, StepError, start_account
    from backstairs.local.run import run as run_application
    from backstairs.local.samples import load_samples

    console = Console(highlight=False)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    logs = project.state / "logs"
    sam = Sam(tool("sam"), [str(Path(tool("uv")).parent)], project.root, logs, children)
    state = project.state
    try:
        with _step(console, "sam build, starting an emulated account"):
            starting = asyncio.to_thread(start_account, sys.executable, children, state, REGION)
            account = Account(
                (await asyncio.gather(starting, asyncio.to_thread(sam.build)))[0], REGION
            )
        with _step(console, f"sam deploy of stack {STACK_NAME}"):
            await asyncio.to_thread(sam.deploy, account)
        for notice in account.notices():
            console.print(f"note: {notice}", markup=False)
        python = function_python()
        doors = run_application(account, STACK_NAME, children=children, python=python, state=state)
        async with contextlib.AsyncExitStack() as stack:
            with _step(console, "opening the doors, starting the functions"):
                running = await stack.enter_async_context(doors)
                samples = project.root / "events" / "sample-members.json"
                await asyncio.to_thread(load_samples, account, STACK_NAME, samples)
            running.write(project.run_file)
            as_expected = await asyncio.to_thread(_tour, console, running)
            if once:
                return 0 if as_expected else 1
            _what_next(console, running, python, logs)
            await asyncio.Event().wait()
            return 0
    except StepError as error:
        raise ProblemError(str(error)) from error
    finally:
        children.close()


def _check_templates(project: Project) -> None:
    """Fail now, and by name, for what SAM could not translate later."""
    from backstairs.template import TemplateError, load, translate

    for path in (project.root / "template.yaml", *sorted(project.root.glob("stacks/*.yaml"))):
        try:
            template = load(path)
            translate(template, {}, str(path.relative_to(project.root)), REGION)
        except TemplateError as error:
            raise ProblemError(str(error)) from error


@contextlib.contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    start = time.monotonic()
    with console.status(what):
        yield
    console.print(f"[green]done[/] {what} [dim]({time.monotonic() - start:.1f} s)[/]")


def _tour(console: Console, running: Running) -> bool:
    """Show the tour; returns whether every call came to what was expected."""
    from backstairs.local.deploy import STACK_NAME
    from backstairs.local.tour import notification, stops, take

    table = Table("who", "from", "what", "status", "why", box=SIMPLE_HEAD, pad_edge=False)
    table.columns[-1].overflow = "fold"
    console.print("\nReal calls through the doors:")
    planned = stops(running)
    if not planned:
        console.print("There is no tour of this application: its functions have other names.")
        return True
    as_expected = True
    for stop in planned:
        seen = take(running, stop)
        decision, _ = ask(running, "GET", f"/decisions/{seen.answer.request_id}")
        # The last reason is the one that decided.
        why = decision["reasons"][-1]["text"] if decision["reasons"] else ""
        right = seen.answer.status == stop.expected
        as_expected = as_expected and right
        color = "red" if not right else "green" if seen.answer.ok else "yellow"
        status = str(seen.answer.status) + ("" if right else f" (not {stop.expected}!)")
        table.add_row(
            stop.who,
            stop.origin,
            f"{stop.method} {stop.path}",
            f"[{color}]{status}[/]",
            escape(why),
        )
    console.print(table)
    with _step(console, "waiting for the claim's notification"):
        told = notification(running, STACK_NAME)
    console.print(
        f"The table's stream brought the claim to the notifier, which wrote:\n  {told}\n",
        markup=False,
    )
    return as_expected and told is not None


def _what_next(console: Console, running: Running, python: Path, logs: Path) -> None:
    """Say where things are and what to try."""
    backstairs = Path(sys.executable).with_name("backstairs")
    with contextlib.suppress(ValueError):
        backstairs = backstairs.relative_to(Path.cwd())
    endpoint = running.origins[0]
    api = running.api_with("/members/m-1001")
    for origin in running.origins:
        console.print(f"  {origin.name:24} http://127.0.0.1:{origin.port}  {origin.dns_name or ''}")
    console.print(
        f"""
Functions run on Python {platform.python_version()} ({python}); their logs are in {logs}.
Try, in another terminal:

  {backstairs} call GET /members/m-1001 --as notifier
  {backstairs} call GET /members/m-1001 --as notifier --from internet
  {backstairs} invoke notifier --event events/notifier/claim-created.json

  eval "$({backstairs} credentials notifier)"
  curl --aws-sigv4 aws:amz:{running.region}:execute-api \\
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
    --header "x-amz-security-token: $AWS_SESSION_TOKEN" \\
    --header "x-apigw-api-id: {api.api_id}" \\
    http://127.0.0.1:{endpoint.port}/{api.stage}/members/m-1001

Ctrl-C ends everything.""",
        markup=False,
        soft_wrap=True,
    )
