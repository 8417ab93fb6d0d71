"""The project's own templates: nothing is found in them that nobody has accepted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.report.findings.reading import ROOT, found, ids

if TYPE_CHECKING:
    from pathlib import Path

PLACEMENTS: dict[str, dict[str, str]] = {
    "created": {},
    "imported": {"NetworkStackName": "network"},
    "own": {
        "SubnetIds": "subnet-0a,subnet-0b",
        "SecurityGroupIds": "sg-0c,sg-0d",
        "ExecuteApiEndpointId": "vpce-0f0e0d0c",
        "ExecuteApiEndpointDnsName": "vpce-0f0e0d0c.example",
    },
}
OPERATED = {"AccessCheck": "true", "AccessLogging": "set-up", "GradualDeployment": "true"}


@pytest.mark.parametrize("placement", sorted(PLACEMENTS))
def test_the_application_passes(placement: str) -> None:
    """In every placement, with all that it nests."""
    assert ids(found(ROOT / "template.yaml", Stage="test", **PLACEMENTS[placement])) == set()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_application_passes_as_it_is_operated(stage: str) -> None:
    """With logs, gradual deployment, and the functions that check access."""
    assert ids(found(ROOT / "template.yaml", Stage=stage, **OPERATED)) == set()


@pytest.mark.parametrize("stack", sorted(path.name for path in (ROOT / "stacks").glob("*.yaml")))
def test_every_other_stack_passes(stack: str) -> None:
    """With its defaults; what has none has a value of its own."""
    assert ids(found(ROOT / "stacks" / stack)) == set()


def test_what_reads_everything_is_accepted_with_its_reason() -> None:
    """Of the roles of a deployment, which CloudFormation asks with."""
    findings = found(ROOT / "stacks" / "deploy-role.yaml")
    assert {(one.name, one.rule.id) for one in findings} == {("ExecutionRole", "wildcard-grant")}
    assert all(one.accepted for one in findings)


@pytest.mark.parametrize("kind", ["REST", "HTTP"])
@pytest.mark.parametrize("stack", ["forwarder", "webhooks"])
def test_the_ways_in_from_outside_pass_with_either_kind_of_api(stack: str, kind: str) -> None:
    """And with the functions' own network."""
    assert ids(found(ROOT / "stacks" / f"{stack}.yaml", ApiType=kind)) == set()


def test_a_whitelist_on_the_claims_api_is_the_trap_and_the_mend_is_named(tmp_path: Path) -> None:
    """What stands there now: Denies alone."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    before, policy, rest = text.partition("        ResourcePolicy:\n          CustomStatements:\n")
    after = rest[rest.index("\n\n") :]
    whitelist = "IntrinsicVpceWhitelist: [!GetAtt Network.Outputs.ExecuteApiEndpointId]"
    assert policy
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    copy = tmp_path / "template.yaml"
    copy.write_text(f"{before}        ResourcePolicy:\n          {whitelist}\n{after}", "utf-8")
    (finding,) = (one for one in found(copy) if one.is_open)
    assert (finding.rule.id, finding.name) == ("whitelist-trap", "ClaimsApi")
    line = copy.read_text("utf-8").splitlines()[finding.source.line - 1]
    assert line.strip() == "ResourcePolicy:"
    assert "Denies alone" in finding.rule.mend
