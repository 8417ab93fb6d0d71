"""An account with everything deployed: as it was kept where nothing has changed, else by SAM."""

from __future__ import annotations

import asyncio
import sys
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


class Deploying:
    """One start: first the application, then the stacks of the public edge."""

    def __init__(self, console: Console, project: Project, sam: Sam, children: Children) -> None:
        self._console, self._project, self._sam, self._children = console, project, sam, children
        root = project.root
        self._built = [one for one in public.BUILT if (root / one.template).is_file()]
        # What there is of the edge's stacks, by name, and what of their sources has changed.
        self._parameters: Parameters = {}
        self._changed: dict[str, list[str]] = {one.template: ["everything"] for one in self._built}
        self._building: asyncio.Future[None] | None = None
        self._skipped: list[str] = []
        self._is_kept = False
        self.inputs = Inputs({}, {})

    async def application(self) -> Account:
        """The account with the application in it.

        Raises StepError, and ProblemError for a template that SAM could not translate.
        """
        stacks = [APPLICATION, *self._built]
        programs = [tool(name) for name in PROGRAMS]
        self.inputs = await asyncio.to_thread(
            Inputs.read, self._project.root, [one.template for one in stacks], programs
        )
        try:
            kept = await asyncio.to_thread(self._kept, stacks)
            return await self._take_up(kept, stacks)
        except _UnusableError as error:
            self._say(f"building and deploying everything: {error}")
            await asyncio.to_thread(clear, self._project.state)
        return await self._begin()

    async def edge(self, account: Account) -> tuple[bool, str | None]:
        """Deploy what is due beside the application, and keep the account for the next run.

        Returns whether anything was deployed, and why there is no public edge, if there is none.
        """
        due: dict[Stack, Mapping[str, str]] = {}
        try:
            if self._building is not None:
                with step(self._console, f"sam build of {_names(self._stale())}"):
                    await self._building
            if self._parameters or not self._is_kept:
                due = await asyncio.to_thread(self._due, account)
            await self._deploy(account, due)
        except StepError as error:
            await asyncio.to_thread(clear, self._project.state)
            return True, str(error)
        names = {stack.name for stack in due}
        skipped = [*self._skipped, *(name for name in self._parameters if name not in names)]
        if skipped:
            self._say(f"skipped sam build and sam deploy of {', '.join(skipped)}: nothing changed")
        if due or not self._skipped:
            given = {stack.name: dict(parameters) for stack, parameters in due.items()}
            await asyncio.to_thread(self._keep, account, self._parameters | given)
        return bool(due), None

    def _kept(self, stacks: Iterable[Stack]) -> Kept:
        try:
            kept = Kept.read(self._project.state, self._project.root)
        except ValueError as error:
            raise _UnusableError(str(error)) from error
        changed = self.inputs.changed(kept.inputs)
        if changed:
            raise _UnusableError("changed since: " + ", ".join(changed))
        for stack in stacks:
            if not (self._project.root / stack.build_folder / "template.yaml").is_file():
                raise _UnusableError(f"there is no {stack.build_folder}")
        return kept

    async def _take_up(self, kept: Kept, stacks: Sequence[Stack]) -> Account:
        """Go on with the account of the last run, and deploy the application if it has changed."""
        changed = {
            one.template: self.inputs.changed_sources(kept.inputs, one.template) for one in stacks
        }
        for template, sources in changed.items():
            if sources:
                self._say(f"changed since: {', '.join(sources)} (of {template})")
        own = bool(changed[APPLICATION.template])
        what = "taking up the account of the last run"
        with step(self._console, f"sam build of {APPLICATION.name}, {what}" if own else what):
            url, failure = await asyncio.gather(
                asyncio.to_thread(self._start, kept),
                asyncio.to_thread(self._sam.build, *([APPLICATION] if own else [])),
                return_exceptions=True,
            )
        if isinstance(failure, BaseException):
            raise failure
        if isinstance(url, BaseException):
            raise _UnusableError(_first_line(url)) from url
        account = Account(url, REGION)
        if own:
            try:
                with step(self._console, f"sam deploy of {APPLICATION.name}"):
                    await asyncio.to_thread(self._sam.deploy, account)
            except StepError as error:
                await asyncio.to_thread(self._children.end)
                raise _UnusableError(_first_line(error)) from error
        else:
            self._skipped = [APPLICATION.name]
        self._is_kept = True
        self._changed = changed
        self._parameters = {name: dict(given) for name, given in kept.parameters.items()}
        self._build_the_others()
        return account

    async def _begin(self) -> Account:
        """Build the application and deploy it into an empty account."""
        with step(self._console, f"sam build of {APPLICATION.name}, starting an emulated account"):
            url, _, _ = await asyncio.gather(
                asyncio.to_thread(self._start, None),
                asyncio.to_thread(check_templates, self._project),
                asyncio.to_thread(self._sam.build, APPLICATION),
            )
        account = Account(url, REGION)
        self._build_the_others()
        with step(self._console, f"sam deploy of {APPLICATION.name}"):
            await asyncio.to_thread(self._sam.deploy, account)
        return account

    def _stale(self) -> list[Stack]:
        return [one for one in self._built if self._changed[one.template]]

    def _build_the_others(self) -> None:
        stale = self._stale()
        if stale:
            self._building = asyncio.ensure_future(asyncio.to_thread(self._sam.build, *stale))

    def _due(self, account: Account) -> dict[Stack, Mapping[str, str]]:
        """The stacks to deploy with their parameters: those that are new, or have changed."""
        if len(self._built) < len(public.BUILT):
            return {}
        return {
            stack: given
            for stack, given in public.deployments(account).items()
            if self._changed[stack.template] or self._parameters.get(stack.name) != given
        }

    async def _deploy(self, account: Account, stacks: Mapping[Stack, Mapping[str, str]]) -> None:
        """Deploy stacks at once; none is still at it afterwards. Raises StepError."""
        if not stacks:
            return
        with step(self._console, f"sam deploy of {_names(stacks)}"):
            await _all(
                asyncio.to_thread(self._sam.deploy, account, stack, parameters)
                for stack, parameters in stacks.items()
            )
            await asyncio.to_thread(public.put_webhook_secrets, account)

    def _start(self, kept: Kept | None) -> str:
        return start_account(sys.executable, self._children, self._project.state, REGION, kept)

    def _keep(self, account: Account, parameters: Parameters) -> None:
        state = self._project.state
        try:
            account.put_away()
            port = int(account.url.rpartition(":")[2])
            snapshot = digest_of_snapshot(state)
            Kept(str(self._project.root), port, snapshot, self.inputs, parameters).write(state)
        except OSError as error:
            self._say(f"the next run begins from nothing: the account cannot be kept: {error}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


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
    from backstairs.template.load import TemplateError, load
    from backstairs.template.translate import translate

    for path in (project.root / "template.yaml", *sorted(project.root.glob("stacks/*.yaml"))):
        try:
            template = load(path)
            translate(template, {}, str(path.relative_to(project.root)), REGION)
        except TemplateError as error:
            raise ProblemError(str(error)) from error
