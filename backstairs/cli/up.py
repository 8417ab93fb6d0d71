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
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop
from rich.console import Console

from backstairs.cli.project import ProblemError, Project, answers, function_python, tool
from backstairs.cli.show import step, tour, what_next

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from backstairs.account.client import Account
    from backstairs.local.deploy import Sam, Stack
    from backstairs.runtime.process import Children

REGION = "us-east-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--once", action="store_true", help="end after the tour; status 1 if it went otherwise"
    )


def run(options: argparse.Namespace) -> int:
    """Run until Ctrl-C, or until the tour's end with --once."""
    from backstairs.runtime.process import Children

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
            with (
                _naming_a_lost_account() as urls,
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
            ):
                return runner.run(_up(project, Children(), urls, once=options.once))
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


@contextlib.contextmanager
def _naming_a_lost_account() -> Iterator[list[str]]:
    """Whatever fails because the account at one of these URLs ended, say that in one line."""
    from botocore.exceptions import BotoCoreError, ClientError

    urls: list[str] = []
    try:
        yield urls
    except (BotoCoreError, ClientError, OSError, ProblemError, ExceptionGroup) as error:
        if all(map(_answers, urls)):
            raise
        raise ProblemError(
            "the emulated account has ended by itself: start again with `make up`, after a look "
            "into .backstairs/logs/account.log"
        ) from error


async def _until_gone(url: str) -> None:
    """Return when nothing answers at the account's URL any more."""
    while await asyncio.to_thread(_answers, url):  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(1)


def _answers(url: str) -> bool:
    return answers(urlsplit(url).port or 80)


async def _up(project: Project, children: Children, urls: list[str], *, once: bool) -> int:
    from backstairs.account.client import Account
    from backstairs.demo import public
    from backstairs.demo.backend import NAME, demo_backend
    from backstairs.demo.samples import load_samples
    from backstairs.local.deploy import (
        STACK_NAME,
        Sam,
        StepError,
        start_account,
    )
    from backstairs.local.run import run as run_application

    console = Console(highlight=False)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    logs = project.state / "logs"
    sam = Sam(tool("sam"), [str(Path(tool("uv")).parent)], project.root, logs, children)
    wanted = [one for one in public.BUILT if (project.root / one.template).is_file()]
    try:
        with step(console, "sam build, starting an emulated account"):
            starting = asyncio.to_thread(
                start_account, sys.executable, children, project.state, REGION
            )
            url, problem = await asyncio.gather(starting, asyncio.to_thread(_build, sam, wanted))
        urls.append(url)
        account = Account(url, REGION)
        with step(console, f"sam deploy of stack {STACK_NAME}"):
            await asyncio.to_thread(sam.deploy, account)
        is_whole = problem is None and len(wanted) == len(public.BUILT)
        stacks = public.deployments(account) if is_whole else {}
        if stacks:
            try:
                with step(console, "sam deploy of " + ", ".join(one.name for one in stacks)):
                    await _deploy(sam, account, stacks)
                    await asyncio.to_thread(public.put_webhook_secrets, account)
            except StepError as error:
                problem = str(error)
        if problem is not None:
            console.print(f"warning: there is no public edge: {problem}", markup=False)
        for notice in account.notices():
            console.print(f"note: {notice}", markup=False)
        python = function_python()
        doors = run_application(
            account,
            STACK_NAME,
            children=children,
            python=python,
            state=project.state,
            backends={NAME: demo_backend},
        )
        async with contextlib.AsyncExitStack() as stack:
            with step(console, "opening the doors, starting the functions"):
                running = await stack.enter_async_context(doors)
                await asyncio.to_thread(
                    load_samples,
                    account,
                    STACK_NAME,
                    project.root / "events" / "sample-members.json",
                )
            running.write(project.run_file)
            as_expected = await asyncio.to_thread(tour, console, running)
            if once:
                return 0 if as_expected and problem is None else 1
            what_next(console, running, python, logs)
            await _until_gone(url)
        # Not within the doors' task group, which would wrap it.
        raise ProblemError("the emulated account does not answer")
    except StepError as error:
        raise ProblemError(str(error)) from error
    finally:
        children.close()


def _build(sam: Sam, stacks: Iterable[Stack]) -> str | None:
    """Build the application, then the others; returns why one of those cannot be built.

    Raises StepError where the application cannot.
    """
    from backstairs.local.deploy import APPLICATION, StepError

    sam.build(APPLICATION)
    try:
        for stack in stacks:
            sam.build(stack)
    except StepError as error:
        return str(error)
    return None


async def _deploy(sam: Sam, account: Account, stacks: Mapping[Stack, Mapping[str, str]]) -> None:
    """Deploy stacks at once; none is still at it afterwards. Raises StepError."""
    doing = [
        asyncio.to_thread(sam.deploy, account, stack, parameters)
        for stack, parameters in stacks.items()
    ]
    for came_to in await asyncio.gather(*doing, return_exceptions=True):
        if isinstance(came_to, BaseException):
            raise came_to


def _check_templates(project: Project) -> None:
    """Fail now, and by name, for what SAM could not translate later."""
    from backstairs.template.load import TemplateError, load, translate

    for path in (project.root / "template.yaml", *sorted(project.root.glob("stacks/*.yaml"))):
        try:
            template = load(path)
            translate(template, {}, str(path.relative_to(project.root)), REGION)
        except TemplateError as error:
            raise ProblemError(str(error)) from error
