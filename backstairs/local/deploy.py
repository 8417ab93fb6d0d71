"""The real `sam build` and `sam deploy`, into the emulated account."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from backstairs.emulator.settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY
from backstairs.http.servers import listen, port_of
from backstairs.local.kept import snapshot_file
from backstairs.local.loaded import Loaded

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from backstairs.account.client import Account
    from backstairs.local.kept import Kept
    from backstairs.runtime.process import Children

STACK_NAME = "backstairs"
_READY_SECONDS = 120
_TAIL = 15
_POLL_SECONDS = "0.2"
_LOADED = ("samcli.commands.build.command", "samcli.commands.deploy.command")


@dataclass(frozen=True, slots=True)
class Stack:
    """A template of the project, its environment in samconfig.toml, and its stack's name."""

    name: str
    template: str
    environment: str

    @property
    def build_folder(self) -> str:
        """Where its build goes: a folder of its own, as samconfig.toml has it."""
        own = "" if self.environment == "default" else f"{self.environment}/"
        return f".aws-sam/{own}build"


APPLICATION = Stack(STACK_NAME, "template.yaml", "default")


class StepError(Exception):
    """A step failed; the message has the end of its log and where the rest is."""


class Sam:
    """The SAM CLI on one project, talking to the emulated account and to nothing else.

    `program` is the `sam` to run, `search` the folders of the tools it needs (uv), `logs` where
    its output goes.
    """

    def __init__(
        self, program: str, search: Sequence[str], root: Path, logs: Path, children: Children
    ) -> None:
        self._program = Loaded(program, _LOADED)
        self._search, self._root, self._logs = search, root, logs
        self._children = children

    def build(self, *stacks: Stack) -> None:
        """`sam build` of one after the other: they share a folder. Raises StepError."""
        for stack in stacks:
            options = ["--template-file", stack.template, "--build-dir", stack.build_folder]
            self._run("build", stack, options, {})

    def deploy(
        self,
        account: Account,
        stack: Stack = APPLICATION,
        parameters: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`sam deploy` with the project's own samconfig.toml. Raises StepError."""
        variables = {
            "AWS_ENDPOINT_URL": account.url,
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": account.region,
        }
        options = ["--template-file", f"{stack.build_folder}/template.yaml"]
        options += ["--stack-name", stack.name, "--region", account.region, "--resolve-s3"]
        options += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
        if parameters:
            given = [f"{name}={value}" for name, value in parameters.items()]
            options += ["--parameter-overrides", *given]
        try:
            self._run("deploy", stack, options, variables)
        except StepError as error:
            failures = account.failures(stack.name)
            raise StepError("\n".join([str(error), *failures])) from error

    def unload(self) -> None:
        """Give back the memory that it takes to have the SAM CLI loaded between two runs of it."""
        self._program.end()

    def _run(
        self, command: str, stack: Stack, options: Sequence[str], variables: Mapping[str, str]
    ) -> None:
        log = self._logs / f"sam-{command}-{stack.name}.log"
        # A developer's own AWS settings must not get here: nothing may reach a real account.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        # Nor may what is meant for 127.0.0.1 go by way of a proxy.
        direct = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        environment = {
            **clean,
            "PATH": os.pathsep.join([*self._search, os.environ.get("PATH", os.defpath)]),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            # Between two looks at a change set; for AWS's sake it would be five.
            "SAM_CLI_POLL_DELAY": _POLL_SECONDS,
        }
        # SAM would look for it beside the template.
        settings = self._root / "samconfig.toml"
        config = ["--config-file", str(settings)] if settings.is_file() else []
        config += ["--config-env", stack.environment]
        with log.open("wb") as output:
            status = self._program.run(
                [command, *config, *options],
                children=self._children,
                environment=environment,
                variables={**direct, **variables} if variables else {},
                output=output,
                folder=self._root,
            )
        if status != 0:
            end = "\n".join(log.read_text("utf-8", "replace").splitlines()[-_TAIL:])
            raise StepError(f"sam {command} of {stack.name} failed; the end of {log}:\n{end}")


def start_account(
    python: str, children: Children, state: Path, region: str, kept: Kept | None = None
) -> str:
    """Start the emulated account; returns its URL. Raises StepError.

    It is on a free port and empty, or where it was and with what it had when it was `kept`.
    """
    logs = state / "logs"
    log = logs / "account.log"
    with _port(None if kept is None else kept.port) as listener:
        port = port_of(listener)
    options = ["--port", str(port), "--state", str(state / "tmp")]
    options += ["--snapshot", str(snapshot_file(state))]
    with log.open("ab") as output:
        process = children.start(
            [
                python,
                "-m",
                "backstairs.emulator",
                *options,
                *([] if kept is None else ["--restore"]),
            ],
            environment={**os.environ, "AWS_DEFAULT_REGION": region},
            output=output,
        )
    url = f"http://127.0.0.1:{port}"
    _wait_until_ready(url, process, log)
    return url


def _port(wanted: int | None) -> socket.socket:
    try:
        return listen() if wanted is None else socket.create_server(("127.0.0.1", wanted))
    except OSError as error:
        raise StepError(f"another program has port {wanted}, where it was") from error


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        try:
            with opener.open(f"{url}/_backstairs/health", timeout=5):
                return
        except (URLError, ConnectionError):
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise StepError(f"the emulated account does not answer; see {log}")
