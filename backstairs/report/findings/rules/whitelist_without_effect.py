"""A policy that the template writes and SAM does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Known
from backstairs.report.findings.evidence import (
    listed,
    mapping,
    policy_of,
    source_of,
    stack,
    written_resources,
)
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="whitelist-without-effect",
    title="A resource policy is asked for, and SAM writes none",
    severity=Severity.ERROR,
    why=(
        "SAM writes a whitelist's statements for each route it knows, so without routes or "
        "with an empty list it writes no policy, and for ResourcePolicy under !If none either. "
        "A public API is then open, a private one cannot be deployed. Nothing is said."
    ),
    mend=(
        "Give the API its routes, give the list its values one by one, and put no !If around "
        "ResourcePolicy; or write the policy as CustomStatements."
    ),
    known=Known.PUBLIC_REPORT,
    source="https://github.com/aws/serverless-application-model/issues/3764",
)


def check(application: Application) -> Iterator[Finding]:
    """APIs of SAM with a ResourcePolicy whose translation has none, whatever its parameters are."""
    for name, api in written_resources(application, "AWS::Serverless::Api"):
        made = mapping(application.resources[name].get("Properties"))
        parameters = mapping(application.templates[stack(name)].get("Parameters"))
        if _hangs_on(api, parameters):
            continue
        if writes_policy(api) and "Body" in made and policy_of(made) is None:
            says = "its Auth.ResourcePolicy becomes no policy at all"
            yield RULE.finds(name, says, source_of(application, name))


def writes_policy(api: Mapping[str, Any]) -> bool:
    """Whether an API of SAM asks for a resource policy."""
    return bool(mapping(api.get("Auth")).get("ResourcePolicy"))


def _hangs_on(api: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether a parameter is in a list of which SAM takes what begins with vpc- or vpce-."""
    policy = mapping(mapping(api.get("Auth")).get("ResourcePolicy"))
    return any(
        mapping(value).get("Ref") in parameters
        for name in ("SourceVpcWhitelist", "SourceVpcBlacklist")
        for value in listed(policy.get(name))
    )
