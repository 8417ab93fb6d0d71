"""What the workflows may do: only a job that installs nothing gets an identity in AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
JOBS: dict[str, dict[str, Any]] = {
    f"{path.stem}.{name}": job
    for path in sorted(WORKFLOWS.glob("*.yaml"))
    for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items()
}
# What brings code of others into a job, or runs what was brought.
BRINGS_CODE = ("make ", "pip ", "uv ", "npm ", "npx ", "apt", "curl ", ".venv")


def scripts(job: dict[str, Any]) -> str:
    """What a job's steps run."""
    return "\n".join(step.get("run", "") for step in job["steps"])


def identified() -> list[str]:
    """The jobs that may ask for an identity."""
    return [name for name, job in JOBS.items() if "id-token" in job["permissions"]]


def test_the_deployment_alone_has_an_identity() -> None:
    """A job without it cannot assume the role, whatever code it runs."""
    assert identified() == ["deploy.deploy"]


@pytest.mark.parametrize("name", identified())
def test_a_job_with_an_identity_installs_nothing(name: str) -> None:
    """Neither a package nor an action could take the credentials, but for two that are pinned."""
    job = JOBS[name]
    assert not [words for words in BRINGS_CODE if words in scripts(job)]
    used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
    assert used == {"actions/download-artifact", "aws-actions/configure-aws-credentials"}
    assert job["permissions"] == {"id-token": "write"}


def test_a_fork_deploys_nothing_before_it_is_told_to() -> None:
    """Its first push runs the checks, and skips what needs variables."""
    assert JOBS["deploy.build"]["if"] == "vars.DEPLOY_ENVIRONMENTS != ''"
    assert JOBS["deploy.deploy"]["needs"] == "build"


@pytest.mark.parametrize("name", JOBS)
def test_an_action_is_pinned_by_commit_with_its_version_beside_it(name: str) -> None:
    """A tag can be moved; Dependabot reads the comment."""
    path = WORKFLOWS / f"{name.partition('.')[0]}.yaml"
    lines = [line.strip() for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    for line in lines:
        commit, _, version = line.partition("@")[2].partition(" # v")
        assert (len(commit), bool(int(commit, 16))) == (40, True)
        assert version.count(".") == 2
