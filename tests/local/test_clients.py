"""Real clients against the door, with nothing but `backstairs credentials`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local.application import Application

MEMBER = "/members/m-1001"


@pytest.fixture
def environment(application: Application) -> dict[str, str]:
    """The shell's environment after `eval "$(backstairs credentials notifier)"`."""
    exports = application.command("credentials", "notifier")
    assert exports.returncode == 0, exports.stderr
    lines = (line.removeprefix("export ") for line in exports.stdout.splitlines())
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return clean | dict(line.split("=", 1) for line in lines)


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run a client; returns what it prints."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("addressing", ["x-apigw-api-id", "Host"])
def test_curl(application: Application, environment: dict[str, str], addressing: str) -> None:
    """With --aws-sigv4, curl is admitted in both forms of addressing."""
    api = application.running.api_with(MEMBER)
    names = {"x-apigw-api-id": api.api_id, "Host": application.host(MEMBER)}

    said = run(
        [
            "curl",
            "--silent",
            "--aws-sigv4",
            "aws:amz:us-east-1:execute-api",
            "--user",
            f"{environment['AWS_ACCESS_KEY_ID']}:{environment['AWS_SECRET_ACCESS_KEY']}",
            "--header",
            f"x-amz-security-token: {environment['AWS_SESSION_TOKEN']}",
            "--header",
            f"{addressing}: {names[addressing]}",
            f"http://127.0.0.1:{application.port('endpoint')}/{api.stage}{MEMBER}",
        ],
        environment,
    )

    assert json.loads(said)["memberId"] == "m-1001"


def test_awscurl(application: Application, environment: dict[str, str]) -> None:
    """The awscurl program is admitted by the API's id."""
    api = application.running.api_with(MEMBER)
    program = shutil.which("awscurl", path=Path(sys.executable).parent)
    assert program is not None

    said = run(
        [
            program,
            "--service",
            "execute-api",
            "--region",
            "us-east-1",
            "--header",
            f"x-apigw-api-id: {api.api_id}",
            f"http://127.0.0.1:{application.port('endpoint')}/{api.stage}{MEMBER}",
        ],
        environment,
    )

    assert json.loads(said)["memberId"] == "m-1001"


def test_the_notifier_itself(application: Application) -> None:
    """The function's own call, by the signing layer through its network, gets the member."""
    event = application.folder / "events" / "notifier" / "claim-created.json"

    invoked = application.command("invoke", "notifier", "--event", str(event))

    assert invoked.returncode == 0, invoked.stderr
    assert json.loads(invoked.stdout) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["--as", "notifier"], "200", "Allow statement 1 of NotifierFunctionRolePolicy"),
        (["--as", "claims"], "403", "holds no grant"),
        ([], "403", "asks for a signature"),
        (["--as", "notifier", "--from", "internet"], "403", "is private"),
    ],
)
def test_call_says_why(
    application: Application, arguments: list[str], status: str, reason: str
) -> None:
    """`backstairs call` prints the answer, and the reasons with how each rule is known."""
    called = application.command("call", "GET", MEMBER, *arguments)

    assert called.returncode == 0
    assert called.stdout.splitlines()[0] == status
    assert reason in called.stderr
    assert "AWS document" in called.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["credentials", "nobody"], "there is no function nobody: there are "),
        (["call", "GET", "members"], "a path starts with /"),
        (["call", "GET", "/members/a b"], "a path is percent-encoded: /members/a%20b"),
        (["call", "GET", MEMBER, "--from", "moon"], "there is no origin moon: there are endpoint"),
        (["call", "GET", MEMBER, "--api", "None"], "there is no API None: there are"),
        (["invoke", "claims", "--event", "missing.json"], "missing.json: No such file"),
        (["invoke", "claims", "--event", "template.yaml"], "template.yaml: is not JSON"),
    ],
)
def test_a_command_says_what_is_wrong(
    application: Application, arguments: list[str], problem: str
) -> None:
    """What cannot be done is said in one line, with what there is instead."""
    done = application.command(*arguments)

    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_need_a_running_application(tmp_path: Path) -> None:
    """Without a project, or without `make up`, a command says so."""
    command = [sys.executable, "-m", "backstairs", "credentials", "notifier"]

    nowhere = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    (tmp_path / "template.yaml").touch()
    stopped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (nowhere.returncode, stopped.returncode) == (1, 1)
    assert "no template.yaml" in nowhere.stderr
    assert "nothing is running here: start it with `make up`" in stopped.stderr


def test_call_says_what_a_call_led_to(application: Application) -> None:
    """A partner's 403 is explained by the decision on the forwarder's own call behind it."""
    done = application.command("call", "GET", "/partner/members/m-1001", "--api-key", "PartnerKey")

    assert done.stdout.splitlines()[0] == "403"
    assert "ForwarderFunctionRole" not in done.stdout
    said = done.stderr.partition("it led to GET /dev/members/m-1001: 403")[2]
    assert "holds no grant for GET /members/m-1001 of ClaimsApi" in said
