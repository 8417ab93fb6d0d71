"""The project's own templates: nothing is found in them that nobody has accepted."""

from __future__ import annotations

import pytest

from tests.report.findings.reading import ROOT, found, ids

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
