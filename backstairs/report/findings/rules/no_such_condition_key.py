"""A condition key that nothing ever has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.access import Known
from backstairs.report.findings.evidence import (
    api_statements,
    endpoint_statements,
    identity_statements,
)
from backstairs.report.findings.model import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.report.findings.evidence import Written
    from backstairs.report.findings.model import Finding
    from backstairs.template.model import Application

RULE = Rule(
    id="no-such-condition-key",
    title="A condition key that does not exist",
    severity=Severity.ERROR,
    why=(
        "A key that is in no request counts as absent: a negated operator then always holds, so a "
        "Deny refuses everybody; a positive one never does, so a Deny refuses nobody."
    ),
    mend="Write the key as AWS does: aws:SourceVpce, aws:SourceVpc, aws:VpcSourceIp, ...",
    known=Known.AWS_DOCUMENT,
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
)

# "AWS global condition context keys"; a star stands for a name of one's own.
_GLOBAL = frozenset(
    f"aws:{key}"
    for key in """
    assumedroot calledvia calledviaawsmcp calledviafirst calledvialast chatbotsourcearn currenttime
    ec2instancesourceprivateipv4 ec2instancesourcevpc epochtime federatedprovider ismcpserviceaction
    multifactorauthage multifactorauthpresent principalaccount principalarn principalisawsservice
    principalorgid principalorgpaths principalservicename principalservicenameslist principaltag/*
    principaltype referer requestedregion requesttag/* resourceaccount resourceorgid
    resourceorgpaths resourcetag/* securetransport signinsessionarn sourceaccount sourcearn
    sourceidentity sourceip sourceorgid sourceorgpaths sourcevpc sourcevpcarn sourcevpce tagkeys
    tokenissuetime useragent userid username viaawsmcpservice viaawsservice vpceaccount vpceorgid
    vpceorgpaths vpcsourceip
    """.split()  # noqa: SIM905 - read as a table
)
_OF_EXECUTE_API = "execute-api:viadomainarn"


def check(application: Application) -> Iterator[Finding]:
    """Conditions of all policies; in identity policies services have keys of their own."""
    for written in (*api_statements(application), *endpoint_statements(application)):
        yield from _found(written, of_services=False)
    for written in identity_statements(application):
        yield from _found(written, of_services=True)


def _found(written: Written, *, of_services: bool) -> Iterator[Finding]:
    for condition in written.statement.conditions:
        if not exists(condition.key, of_services=of_services):
            says = f"{written}: there is no condition key {condition.key}"
            yield RULE.finds(written.name, says, written.source)


def exists(name: str, *, of_services: bool = False) -> bool:
    """Whether there is a condition key of this name, or might be where services have their own."""
    key = name.lower()
    before, slash, _ = key.partition("/")
    if key.startswith("aws:"):
        return (f"{before}/*" if slash else key) in _GLOBAL
    if key.startswith("execute-api:") or not of_services:
        return key == _OF_EXECUTE_API
    return ":" in key
