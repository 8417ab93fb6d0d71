"""A change of the policy that nobody would notice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backstairs.access import Known
from backstairs.report.findings.evidence import (
    REST_API,
    is_true,
    last,
    mapping,
    of_type,
    shown,
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
    id="policy-not-live",
    title="A change of the policy would not be live",
    severity=Severity.WARNING,
    why=(
        "A policy holds once the API is deployed again. The deployment is another one only where "
        "its logical id changes: SAM makes that of the definition's text, in which a reference, an "
        "import or a mapping looks the same whatever its value is; plain CloudFormation never."
    ),
    mend="Set AlwaysDeploy: true (or another logical id for the AWS::ApiGateway::Deployment).",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html",
)

_HIDING = ("Fn::ImportValue", "Fn::FindInMap", "Fn::GetAtt", "Fn::If", "Fn::Transform")
_NAMED = re.compile(r"\$\{([^}!.]+)(\.[^}]*)?\}")
# As tools write it that make another id of each definition.
_DIGEST = re.compile(r"[0-9a-f]{32}$")


def check(application: Application) -> Iterator[Finding]:
    """Policies with values that their text does not show, and deployments that stay as they are."""
    for name, api in written_resources(application, "AWS::Serverless::Api"):
        policy = mapping(api.get("Auth")).get("ResourcePolicy")
        template = application.templates[stack(name)]
        hidden = list(dict.fromkeys(_hidden(policy, mapping(template.get("Parameters")))))
        if hidden and not is_true(api.get("AlwaysDeploy")):
            says = f"another value of {shown(hidden)} in its policy makes no deployment"
            yield RULE.finds(name, says, source_of(application, name))
    with_policy = {
        last(name)
        for name, _ in written_resources(application, REST_API)
        if "Policy" in mapping(application.resources[name].get("Properties"))
    }
    for name, _ in of_type(application, "AWS::ApiGateway::Deployment"):
        if not _DIGEST.search(name) and _api(application, name) in with_policy:
            says = "its logical id stays, so a change of the API's policy is not deployed"
            yield RULE.finds(name, says, source_of(application, name), Severity.NOTE)


def _api(application: Application, name: str) -> object:
    """The API that a deployment written in the template is of, by its logical id."""
    resources = mapping(application.templates.get(stack(name), {}).get("Resources"))
    deployment = mapping(mapping(resources.get(last(name))).get("Properties"))
    return mapping(deployment.get("RestApiId")).get("Ref")


def _hidden(value: Any, parameters: Mapping[str, Any]) -> Iterator[str]:
    """What stands in a policy whose value SAM does not see."""
    if isinstance(value, list):
        for item in value:
            yield from _hidden(item, parameters)
    for key, item in mapping(value).items():
        if key == "Ref":
            yield from _unless_seen(str(item), parameters)
        elif key == "Fn::Sub":
            text = item[0] if isinstance(item, list) else item
            for found in _NAMED.finditer(str(text)):
                yield from [found[1]] if found[2] else _unless_seen(found[1], parameters)
        elif key in _HIDING:
            yield _label(key, item)
        else:
            yield from _hidden(item, parameters)


def _unless_seen(name: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    """A name, unless it is a parameter's, whose value SAM is given, or the same in a region."""
    of_systems_manager = str(mapping(parameters.get(name)).get("Type")).startswith("AWS::SSM::")
    if not name.startswith("AWS::") and (name not in parameters or of_systems_manager):
        yield name


def _label(function: str, argument: object) -> str:
    short = function.removeprefix("Fn::")
    if short == "GetAtt":
        return ".".join(map(str, argument)) if isinstance(argument, list) else str(argument)
    return f"!{short}"
