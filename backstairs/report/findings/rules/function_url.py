"""A function's own address, past its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import of_type, source_of
from backstairs.report.findings.functions import behind_apis, named_function
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="function-url",
    title="A URL leads to the function past the API",
    severity=Severity.ERROR,
    why=(
        "A function URL is on the internet, and knows neither the API's authorizer, resource "
        "policy, keys, throttling nor web ACL. With AuthType NONE anybody may call it."
    ),
    mend="Remove FunctionUrlConfig; or AuthType: AWS_IAM where the URL is meant.",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
)


def check(application: Application) -> Iterator[Finding]:
    """URLs of functions that an API has too, and open ones."""
    behind = behind_apis(application)
    for name, url in of_type(application, "AWS::Lambda::Url"):
        function = named_function(application, url.get("TargetFunctionArn"))
        is_open = url.get("AuthType") != "AWS_IAM"
        source = source_of(application, name)
        who = "anybody" if is_open else "whoever has a grant for the URL"
        if function in behind:
            says = f"{who} may call {function} on the internet, past {behind[function]}"
            yield RULE.finds(name, says, source, None if is_open else Severity.WARNING)
        elif is_open:
            says = f"{who} may call {function} on the internet"
            yield RULE.finds(name, says, source, Severity.WARNING)
