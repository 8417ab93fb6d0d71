"""An account with everything deployed: as it was kept where nothing has changed, else by SAM."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstairs.account.client import Account
from backstairs.cli.project import ProblemError, tool
from backstairs.cli.show import step
from backstairs.demo import public
from backstairs.local.deploy import APPLICATION, StepError, start_account
from backstairs.local.kept import Inputs, Kept, clear, digest_of_snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from rich.console import Console

    from backstairs.cli.project import Project
    from backstairs.local.deploy import Sam, Stack
    from backstairs.runtime.process import Children

REGION = "us-east-1"
PROGRAMS = ("sam", "uv")

Parameters = dict[str, dict[str, str]]


class _UnusableError(Exception):
    """What was kept is of no use; the message says why."""


@dataclass(frozen=True, slots=True)
class Deploying:
    """One start: what to build and deploy, where, and whom to tell."""

    console: Console
    project: Project
    sam: Sam
    children: Children

    async def account(self) -> tuple[Account, str | None]:
        """The account, and why there is no public edge, if there is none.

        Raises StepError, and ProblemError for a template that SAM could not translate.
        """
        root, state = self.project.root, self.project.state
        built = [one for one in public.BUILT if (root / one.template).is_file()]
        stacks = [APPLICATION, *built]
        inputs = await asyncio.to_thread(
            Inputs.read, root, [one.template for one in stacks], [tool(name) for name in PROGRAMS]
        )
        try:
            kept = await asyncio.to_thread(self._kept, inputs, stacks)
            return await self._go_on(kept, inputs, stacks), None
        except _UnusableError as error:
            self._say(f"building and deploying everything: {error}")
            await asyncio.to_thread(clear, state)
        return await self._begin(inputs, built)

    def _kept(self, inputs: Inputs, stacks: Iterable[Stack]) -> Kept:
        try:
            kept = Kept.read(self.project.state, self.project.root)
        except ValueError as error:
            raise _UnusableError(str(error)) from error
        changed = inputs.changed(kept.inputs)
        if changed:
            raise _UnusableError("changed since: " + ", ".join(changed))
        for stack in stacks:
            if not (self.project.root / stack.build_folder / "template.yaml").is_file():
                raise _UnusableError(f"there is no {stack.build_folder}")
        return kept

    async def _go_on(self, kept: Kept, inputs: Inputs, stacks: Sequence[Stack]) -> Account:
        """Take the account up again, and deploy into it what has changed."""
        changed = {one.template: inputs.changed_sources(kept.inputs, one.template) for one in stacks}
        stale = [one for one in stacks if changed[one.template]]
        for one in stale:
            self._say(f"changed since: {', '.join(changed[one.template])} ({one.template})")
        what = "taking up the account of the last run"
        with step(self.console, f"sam build of {_names(stale)}, {what}" if stale else what):
            url, *failures = await asyncio.gather(
                asyncio.to_thread(self._start, kept),
                *(asyncio.to_thread(self.sam.build, one) for one in stale),
                return_exceptions=True,
            )
        for failure in failures:
            if failure is not None:
                raise failure
        if isinstance(url, BaseException):
            raise _UnusableError(_first_line(url)) from url
        account = Account(url, REGION)
        parameters = {name: dict(given) for name, given in kept.parameters.items()}
        try:
            if APPLICATION in stale:
                with step(self.console, f"sam deploy of {APPLICATION.name}"):
                    await asyncio.to_thread(self.sam.deploy, account)
            due = {}
            if stale:
                due = {
                    stack: given
                    for stack, given in public.deployments(account).items()
                    if changed[stack.template] or parameters.get(stack.name) != given
                }
            await self._deploy(account, due)
        except StepError as error:
            await asyncio.to_thread(self.children.end)
            raise _UnusableError(_first_line(error)) from error
        deployed = {*(one.name for one in stale if one == APPLICATION), *(one.name for one in due)}
        skipped = [name for name in (APPLICATION.name, *parameters) if name not in deployed]
        if skipped:
            names = ", ".join(skipped)
            self._say(f"skipped sam build and sam deploy of {names}: nothing of theirs has changed")
        if stale:
            given = {stack.name: dict(given) for stack, given in due.items()}
            await asyncio.to_thread(self._keep, account, inputs, parameters | given)
        return account

    async def _begin(self, inputs: Inputs, built: Sequence[Stack]) -> tuple[Account, str | None]:
        """Build everything and deploy it into an empty account."""
        with step(self.console, f"sam build of {APPLICATION.name}, starting an emulated account"):
            starting = asyncio.to_thread(self._start, None)
            building = asyncio.to_thread(self._check_and_build)
            url, _ = await asyncio.gather(starting, building)
        account = Account(url, REGION)
        others = [asyncio.create_task(asyncio.to_thread(self.sam.build, one)) for one in built]
        with step(self.console, f"sam deploy of {APPLICATION.name}"):
            await asyncio.to_thread(self.sam.deploy, account)
        problem = None
        try:
            if others:
                with step(self.console, f"sam build of {_names(built)}"):
                    await _all(others)
            stacks = {}
            if len(built) == len(public.BUILT):
                stacks = await asyncio.to_thread(public.deployments, account)
            await self._deploy(account, stacks)
        except StepError as error:
            problem = str(error)
        if problem is None:
            parameters = {stack.name: dict(given) for stack, given in stacks.items()}
            await asyncio.to_thread(self._keep, account, inputs, parameters)
        return account, problem

    async def _deploy(self, account: Account, stacks: Mapping[Stack, Mapping[str, str]]) -> None:
        """Deploy stacks at once; none is still at it afterwards. Raises StepError."""
        if not stacks:
            return
        with step(self.console, f"sam deploy of {_names(stacks)}"):
            await _all(
                asyncio.to_thread(self.sam.deploy, account, stack, parameters)
                for stack, parameters in stacks.items()
            )
            await asyncio.to_thread(public.put_webhook_secrets, account)

    def _start(self, kept: Kept | None) -> str:
        return start_account(sys.executable, self.children, self.project.state, REGION, kept)

    def _check_and_build(self) -> None:
        check_templates(self.project)
        self.sam.build(APPLICATION)

    def _keep(self, account: Account, inputs: Inputs, parameters: Parameters) -> None:
        state = self.project.state
        try:
            account.put_away()
            port = int(account.url.rpartition(":")[2])
            Kept(str(self.project.root), port, digest_of_snapshot(state), inputs, parameters).write(
                state
            )
        except OSError as error:
            self._say(f"the next run begins from nothing: the account cannot be kept: {error}")

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False)


async def _all(doing: Iterable[Awaitable[None]]) -> None:
    """Await all of them, the failed ones too. Raises the first failure."""
    for came_to in await asyncio.gather(*doing, return_exceptions=True):
        if isinstance(came_to, BaseException):
            raise came_to


def _names(stacks: Iterable[Stack]) -> str:
    return ", ".join(one.name for one in stacks)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def check_templates(project: Project) -> None:
    """Fail now, and by name, for what SAM could not translate later. Raises ProblemError."""
    from backstairs.template.load import TemplateError, load, translate

    for path in (project.root / "template.yaml", *sorted(project.root.glob("stacks/*.yaml"))):
        try:
            template = load(path)
            translate(template, {}, str(path.relative_to(project.root)), REGION)
        except TemplateError as error:
            raise ProblemError(str(error)) from error
