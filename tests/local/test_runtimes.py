"""A function's runtime is the template's: Python is run, any other is named and not started."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Authorization, Route
from backstairs.account.client import Account as LocalAccount
from backstairs.account.functions import functions
from backstairs.local.control import Control, describe
from backstairs.runtime.launcher import Launcher
from backstairs.runtime.pool import Function, NotRunError, Pool, Worker
from backstairs.runtime.process import Children
from tests.local.public_door import FUNCTION, PublicDoor, api
from tests.local.test_emulator import Account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backstairs.runtime.process import WorkerProcess

OPEN = Route("ANY", "/open", Authorization.NONE, FUNCTION)


def function(folder: Path, runtime: str) -> Function:
    """A function of a runtime."""
    return Function(
        name="stack-ReportsFunction-1",
        label="reports",
        arn=FUNCTION,
        runtime=runtime,
        handler="index.handler",
        role_arn="",
        timeout=3,
        memory=128,
        vpc_id=None,
        environment={},
        code=folder,
    )


async def never(_function: Function, _worker: Worker) -> WorkerProcess:
    """Whoever starts a worker here has taken something else for Python."""
    raise AssertionError


def pool_of(folder: Path, runtime: str) -> Pool:
    """A pool with workers, none of which may be started."""
    ports = iter(range(10))
    return Pool(function(folder, runtime), [Worker(lambda *_: next(ports))], never)


@pytest.mark.parametrize(
    ("runtime", "named"),
    [("nodejs22.x", "runtime nodejs22.x"), ("provided.al2023", "provided"), ("", "container")],
)
def test_its_routes_answer_501_by_name(tmp_path: Path, runtime: str, named: str) -> None:
    """It is not known what it would answer, and the reason says whose and which runtime it is."""
    with PublicDoor(api(OPEN), functions={FUNCTION: pool_of(tmp_path, runtime)}) as door:
        answer = door.call("GET", "/dev/open")
        kept = describe(door.door.decisions.last())

    assert answer.status == 501
    assert named in answer.message
    assert "reports" in answer.message
    assert (kept["by"], kept["verdict"]) == ("integration", "unknown")
    assert kept["reasons"][-1]["rule"] == "not-modelled"
    assert named in kept["reasons"][-1]["text"]


def test_it_is_neither_warmed_nor_invoked(tmp_path: Path) -> None:
    """Nothing of it is ever started."""
    pool = pool_of(tmp_path, "nodejs22.x")

    asyncio.run(pool.warm())

    with pytest.raises(NotRunError, match=r"nodejs22\.x is not run here"):
        asyncio.run(pool.invoke(b"{}"))


def test_backstairs_invoke_says_so(tmp_path: Path) -> None:
    """The command that asks for an invocation gets an error with a text, as from a function."""
    control = Control(SimpleNamespace(), {"reports": pool_of(tmp_path, "nodejs22.x")})  # type: ignore[arg-type]
    sent: list[dict[str, Any]] = []
    scope: Any = {
        "method": "POST",
        "path": "/functions/reports/invocations",
        "headers": [(b"host", b"127.0.0.1:1"), (b"content-type", b"application/json")],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(control(scope, receive, send))

    assert (b"x-amz-function-error", b"NotRunError") in sent[0]["headers"]
    assert "nodejs22.x" in json.loads(sent[1]["body"])["errorMessage"]


def test_what_lambda_tells_a_function_of_its_runtime(tmp_path: Path) -> None:
    """AWS_EXECUTION_ENV has the runtime of the template, whichever Python it runs on here."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$AWS_EXECUTION_ENV"\n', "utf-8")
    python.chmod(0o755)
    expires = datetime.now(UTC) + timedelta(hours=1)
    credentials = {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}
    account: Any = SimpleNamespace(
        url="http://127.0.0.1:1",
        region="us-east-1",
        assume=lambda *_: {**credentials, "Expiration": expires},
    )
    networks: Any = {None: SimpleNamespace(port=1)}

    async def run() -> None:
        children = Children()
        launcher = Launcher(
            account=account,
            children=children,
            python=python,
            logs=tmp_path,
            networks=networks,
            certificates=tmp_path,
        )
        worker = Worker(lambda *_: 9)
        started = await launcher.start(function(tmp_path, "python3.12"), worker)
        await started.ended
        await launcher.ended()
        children.close()

    asyncio.run(run())

    assert (tmp_path / "reports.log").read_text("utf-8") == "AWS_Lambda_python3.12\n"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own, killed at the end."""
    started = Account(tmp_path_factory.mktemp("state"))
    yield started
    started.process.kill()
    started.process.communicate()


def test_the_account_says_what_each_function_runs_on(account: Account, tmp_path: Path) -> None:
    """As the template has it; the one that is an image has neither runtime nor handler."""
    role = "arn:aws:iam::123456789012:role/nobody"
    code = {"ZipFile": "exports.handler = 1"}
    node = {"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": role, "Code": code}
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/reports:1"
    image = {"PackageType": "Image", "Role": role, "Code": {"ImageUri": uri}}
    resources = {
        "NodeFunction": {"Type": "AWS::Lambda::Function", "Properties": node},
        "ImageFunction": {"Type": "AWS::Lambda::Function", "Properties": image},
    }
    account.deploy("runtimes", {"Resources": resources})

    local = LocalAccount(f"http://127.0.0.1:{account.port}", "us-east-1")
    found = {one.label: one for one in functions(local, "runtimes", tmp_path)}

    assert found["node"].runtime == "nodejs22.x"
    assert found["image"].runtime == ""
    assert all(one.why_not_run for one in found.values())
