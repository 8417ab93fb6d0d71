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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop
from rich.console import Console

from backstairs.cli.project import ProblemError, Project, answers, function_python, tool
from backstairs.cli.show import step, tour, what_next

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from backstairs.local.kept import Inputs
    from backstairs.local.run import Doors
    from backstairs.local.watch import Watch
    from backstairs.runtime.process import Children


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
        _clear(project.state)
        logs = project.state / "logs"
        logs.mkdir(mode=0o700)
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


async def _stay_up(watch: Watch, url: str) -> None:
    """Follow changed sources for as long as the account answers."""
    watching = asyncio.create_task(watch.run())
    gone = asyncio.create_task(_until_gone(url))
    try:
        await asyncio.wait({watching, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        gone.cancel()
    if watching.done() and not watching.cancelled():
        watching.result()


async def _until_gone(url: str) -> None:
    """Return when nothing answers at the account's URL any more."""
    while await asyncio.to_thread(_answers, url):  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(1)


def _answers(url: str) -> bool:
    return answers(urlsplit(url).port or 80)


def _clear(state: Path) -> None:
    """Remove what an earlier run left, but for the account it kept; its logs were for reading."""
    from backstairs.local.kept import is_kept

    state.mkdir(mode=0o700, exist_ok=True)
    state.chmod(0o700)
    for path in state.iterdir():
        if is_kept(path):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _watch(root: Path, inputs: Inputs, doors: Doors, console: Console) -> Watch:
    """The sources as they are now, each with the functions that run it."""
    from backstairs.local.watch import Watch

    sources = {name for named in inputs.sources.values() for name in named}
    say = partial(console.print, markup=False, soft_wrap=True)
    return Watch(root, sources, inputs.common, doors.pools, say)


async def _up(project: Project, children: Children, urls: list[str], *, once: bool) -> int:
    from backstairs.cli.deployed import Deploying
    from backstairs.demo.backend import NAME, demo_backend
    from backstairs.demo.deliveries import GITHUB
    from backstairs.demo.samples import load_samples
    from backstairs.local.deploy import STACK_NAME, Sam, StepError
    from backstairs.local.run import Doors

    console = Console(highlight=False)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    logs = project.state / "logs"
    sam = Sam(tool("sam"), [str(Path(tool("uv")).parent)], project.root, logs, children)
    state = project.state
    try:
        deploying = Deploying(console, project, sam, children)
        account = await deploying.application()
        urls.append(account.url)
        python = function_python()
        opening = Doors(
            account,
            STACK_NAME,
            children=children,
            python=python,
            state=state,
            backends={NAME: demo_backend},
            origins=[GITHUB],
        )
        async with contextlib.AsyncExitStack() as stack:
            with step(console, "opening the doors, starting the functions"):
                doors = await stack.enter_async_context(opening)
                await asyncio.to_thread(load_samples, account, STACK_NAME, project.root)
            doors.running.write(project.run_file)
            deployed, problem = await deploying.edge(account)
            sam.unload()
            if deployed:
                await doors.look_again()
                doors.running.write(project.run_file)
            if problem is not None:
                console.print(f"warning: there is no public edge: {problem}", markup=False)
            for notice in [*account.notices(), *doors.not_run()]:
                console.print(f"note: {notice}", markup=False)
            # Before anybody is told to go ahead: what changes from now on is seen.
            watch = await asyncio.to_thread(_watch, project.root, deploying.inputs, doors, console)
            as_expected = await asyncio.to_thread(tour, console, doors.running)
            if once:
                return 0 if as_expected and problem is None else 1
            what_next(console, doors.running, python, logs)
            await _stay_up(watch, account.url)
        # Not within the doors' task group, which would wrap it.
        raise ProblemError("the emulated account does not answer")
    except StepError as error:
        raise ProblemError(str(error)) from error
    finally:
        children.close()
