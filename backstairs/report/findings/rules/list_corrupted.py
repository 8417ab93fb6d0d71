"""A list in a policy that an intrinsic or a string has turned into something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backstairs.access import Known, Unresolved
from backstairs.report.findings.evidence import (
    REST_API,
    listed,
    mapping,
    of_type,
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
    id="list-corrupted",
    title="A value of the policy is not what was meant",
    severity=Severity.ERROR,
    why=(
        "SAM takes the values of a whitelist one by one: of a string it takes the letters, of a "
        "!Ref to a list or a !Split the name of the function. And policies compare with whole "
        'values: "a,b" is one that nothing equals. A Deny then refuses the wrong calls.'
    ),
    mend=(
        "Write a YAML list with one value in each element; pass a list-typed parameter within "
        "CustomStatements, where it is kept, and split a joined one there (!Split)."
    ),
    known=Known.PUBLIC_REPORT,
    source="https://github.com/aws/serverless-application-model/issues/1696",
)

# Keys whose values hold no comma, no space, and begin like this.
_BEGINNINGS = {"aws:sourcevpce": "vpce-", "aws:sourcevpc": "vpc-"}
_SINGLE = {*_BEGINNINGS, "aws:sourceip", "aws:vpcsourceip", "aws:principalaccount"}
_SINGLE |= {"aws:principalarn", "aws:principalorgid"}


def check(application: Application) -> Iterator[Finding]:
    """Policies of REST APIs and of endpoints, as they would be deployed."""
    unsure = set(_with_lists(application))
    for name, api in of_type(application, REST_API):
        if name not in unsure:
            yield from _found(application, name, policy_of(api))
    for name, endpoint in of_type(application, "AWS::EC2::VPCEndpoint"):
        if "execute-api" in str(endpoint.get("ServiceName")):
            yield from _found(application, name, endpoint.get("PolicyDocument"))


def _with_lists(application: Application) -> Iterator[str]:
    """The APIs of SAM with a whitelist that is a list-typed parameter.

    Whether CloudFormation hands SAM the list or its text is not known, so what comes of it is not
    either. Of one that Systems Manager keeps it hands neither.
    """
    for name, api in written_resources(application, "AWS::Serverless::Api"):
        policy = mapping(mapping(api.get("Auth")).get("ResourcePolicy"))
        parameters = mapping(application.templates[stack(name)].get("Parameters"))
        for value in policy.values():
            kind = str(mapping(parameters.get(str(mapping(value).get("Ref")))).get("Type"))
            if kind == "CommaDelimitedList" or kind.startswith("List<"):
                yield name


def _found(application: Application, name: str, document: object) -> Iterator[Finding]:
    for number, statement in enumerate(listed(mapping(document).get("Statement")), 1):
        for problem in dict.fromkeys(_problems(statement)):
            says = f"statement {number}: {problem}"
            yield RULE.finds(name, says, source_of(application, name))


def _problems(statement: Any) -> Iterator[str]:
    if isinstance(statement, Unresolved):
        return
    if not mapping(statement):
        yield f"{statement!r} is no statement"
        return
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in statement:
            yield from _odd(element, listed(statement[element]))
    for kind, names in mapping(statement.get("Principal")).items():
        yield from _odd(f"Principal {kind}", listed(names))
    for operator, keys in mapping(statement.get("Condition")).items():
        yield from _conditions(operator, mapping(keys))


def _conditions(operator: str, keys: Mapping[str, Any]) -> Iterator[str]:
    for key, values in keys.items():
        yield from _odd(f"{operator} {key}", listed(values))
        for value in filter(_is_text, listed(values)):
            if key.lower() in _SINGLE and ("," in value or " " in value.strip()):
                yield f"{operator} {key} compares with {value!r}, several values in one"
            elif _is_another_kind(key.lower(), value):
                yield f"{operator} {key} compares with {value!r}, which no such key holds"


def _odd(what: str, values: list[Any]) -> Iterator[str]:
    """What is left of an intrinsic, of a string that was taken apart, or of nothing."""
    if not values:
        yield f"{what} is an empty list"
    for value in values:
        if isinstance(value, dict | list):
            yield f"{what} holds {value!r}, which is no text"
        elif _is_text(value) and (value == "Ref" or value.startswith("Fn::")):
            yield f"{what} holds {value!r}, the name of an intrinsic function"
    letters = [value for value in values if _is_text(value) and len(value) == 1 and value != "*"]
    if len(letters) > 1:
        yield f"{what} holds the letters of {''.join(map(str, values))!r}"


def _is_another_kind(key: str, value: str) -> bool:
    """Whether a value is plainly another key's: a VPC where an endpoint is asked for."""
    mine = _BEGINNINGS.get(key)
    return mine is not None and any(
        value.startswith(other)
        for other in ("vpce-", "vpc-", "arn:", "com.amazonaws.", "subnet-", "sg-")
        if other != mine
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)
