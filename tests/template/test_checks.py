"""The checks find what they are for, and nothing in the project's own templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.template.checks import CHECKS
from tests.template.conftest import ROOT, deployed, nested

if TYPE_CHECKING:
    from tests.template.conftest import Stack

READ_BY_CLOUDFORMATION = ("dynamodb:Describe", "ec2:Describe", "lambda:Get", "lambda:List")
FIXTURES = Path(__file__).parent / "fixtures"


def fixture(check: str, kind: str) -> Stack:
    """The small template that a check passes or finds fault with."""
    path = FIXTURES / f"{check}.{kind}.yaml"

    def attribute(logical_id: str, name: str) -> object:
        return f"{logical_id}.{name}"

    return deployed(path, {}, {}, attribute, {"Endpoint": "vpce-0123456789abcdef0"})


def findings(stack: Stack) -> dict[str, list[str]]:
    """What the checks find, by their names."""
    found = {name: list(check(stack)) for name, check in CHECKS.items()}
    return {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_a_check_finds_what_it_is_for(check: str) -> None:
    """And names the resource."""
    found = list(CHECKS[check](fixture(check, "bad")))
    assert found
    assert all(": " in line for line in found)


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_a_check_is_content_with_what_is_right(check: str) -> None:
    """As the neighbouring fixture shows it."""
    assert list(CHECKS[check](fixture(check, "good"))) == []


def test_every_check_has_its_fixtures_and_every_fixture_its_check() -> None:
    """One good and one bad for each."""
    names = {path.name for path in FIXTURES.iterdir()}
    assert names == {f"{check}.{kind}.yaml" for check in CHECKS for kind in ("good", "bad")}


def test_the_application_passes(application: Any) -> None:
    """In every placement."""
    assert findings(application) == {}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_application_passes_as_it_is_operated(application_with: Any, stage: str) -> None:
    """With logs and gradual deployment."""
    operated = {"Stage": stage, "AccessLogging": "true", "GradualDeployment": "true"}
    assert findings(application_with(**operated)) == {}


@pytest.mark.parametrize("logical_id", ["Operation", "AccessChecks", "ApiGatewayAccount"])
def test_what_the_application_brings_passes(application_with: Any, logical_id: str) -> None:
    """Alarms and pruner, the two functions that check access, the account's role for logs."""
    stack = application_with(AccessCheck="true", AccessLogging="set-up", GradualDeployment="true")
    assert findings(nested(stack, logical_id)) == {}


def test_the_network_passes(network_with: Any) -> None:
    """With and without the prefix list."""
    assert findings(network_with()) == {}
    assert findings(network_with(DynamoDBPrefixListId="pl-02cd2c6b")) == {}


@pytest.mark.parametrize("provider", ["", "arn:aws:iam::123456789012:oidc-provider/github"])
def test_the_roles_of_a_deployment_pass(deploy_role_with: Any, provider: str) -> None:
    """Every action that writes is named; only what has no name is granted on everything."""
    given = {"Repository": "a/b", "EnvironmentName": "dev", "ApplicationStackName": "backstairs"}
    found = findings(deploy_role_with(**given, GitHubProviderArn=provider))
    # CloudFormation itself calls the function of a custom resource.
    assert len(found.pop("functions_invoked")) == 1
    broad = found.pop("wildcard_granted")
    assert found == {}
    reads = {f"ExecutionRole: grants {reads}*" for reads in READ_BY_CLOUDFORMATION}
    assert {line for line in broad if not line.endswith(" on *")} == reads


def test_every_template_is_looked_at() -> None:
    """A new one belongs into the tests above."""
    assert {path.name for path in (ROOT / "stacks").glob("*.yaml")} == {
        "access-check.yaml",
        "api-gateway-account.yaml",
        "deploy-role.yaml",
        "forwarder.yaml",
        "http-backend.yaml",
        "network.yaml",
        "operation.yaml",
        "partner.yaml",
        "regional.yaml",
        "vpc-link.yaml",
        "webhooks.yaml",
    }
