"""`backstairs up` where the forwarder cannot be deployed: the application still runs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.local.application import BACKSTAIRS, SECONDS_TO_START, copy_application

if TYPE_CHECKING:
    from pathlib import Path


BROKEN = """Resources:
  Broken:
    Type: AWS::ApiGateway::UsagePlan
    Properties: {ApiStages: [{ApiId: nobody, Stage: none}]}
"""


@pytest.mark.parametrize("command", ["build", "deploy"])
def test_the_application_runs_all_the_same(tmp_path: Path, command: str) -> None:
    """A warning says what failed, the application's tour is taken, and --once ends with 1.

    Without the forwarder's settings no other template is built in its place; with a resource that
    cannot be made its deployment is rolled back.
    """
    folder = copy_application(tmp_path)
    name, old, new = {
        "build": ("samconfig.toml", "[forwarder.global", "[another.global"),
        "deploy": ("stacks/forwarder.yaml", "Resources:\n", BROKEN),
    }[command]
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    done = subprocess.run(
        [*BACKSTAIRS, "up", "--once"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_START,
    )

    said = done.stdout
    assert done.returncode == 1, said + done.stderr
    assert f"warning: there is no public edge: sam {command} of backstairs-forwarder failed" in said
    assert ("API Stage not found" in said) is (command == "deploy")
    assert "Real calls through the doors" in said
    assert "which wrote:" in said
    assert "From outside" not in said
    assert "Traceback" not in said + done.stderr
