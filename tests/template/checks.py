"""What cfn-lint, `sam validate --lint` and checkov let pass, found in the translated template.

Each check takes a stack as it would be deployed, intrinsics resolved, and says what is wrong with
it: one line for each finding, the logical id first.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.template.conftest import Stack

_POLICY = "x-amazon-apigateway-policy"
_ENDPOINT = re.compile(r"vpce-[0-9a-z]+")
_VERBS = {"get", "put", "post", "delete", "options", "head", "patch"}
_ANY = "x-amazon-apigateway-any-method"
_EVERYONE = ("0.0.0.0/0", "::/0")
_INVOKES = re.compile(r"\*|lambda:(\*|Invoke.*)", re.IGNORECASE)
_INVOKING_MANAGED = (
    "AWSLambdaRole",
    "AWSLambda_FullAccess",
    "AdministratorAccess",
    "PowerUserAccess",
)


def policy_missing(stack: Stack) -> Iterator[str]:
    """A private API without a resource policy, which cannot even be deployed."""
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        if _is_private(api) and not _statements(api):
            yield f"{name}: private, and without a resource policy"


def policy_corrupted(stack: Stack) -> Iterator[str]:
    """A resource policy in which an intrinsic came out as its name, its letters or nothing."""
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        for statement in _statements(api):
            if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
                yield f"{name}: not a statement: {statement}"
                continue
            if re.search(r'"(Fn::|Ref")', json.dumps(statement, default=str)):
                yield f"{name}: an intrinsic is left in the policy: {statement}"
            for operator, key, values in _conditions(statement):
                if not values:
                    yield f"{name}: {operator} {key} compares with nothing"
                for value in values:
                    if key.lower() == "aws:sourcevpce" and not _is_endpoint(value):
                        yield f"{name}: {operator} {key} compares with {value!r}, no endpoint"


def identity_not_asked(stack: Stack) -> Iterator[str]:
    """A method that asks for no signature, but reads from an API that only an endpoint reaches."""
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        for verb, path, method in _methods(api):
            if not method.get("security"):
                if (
                    verb not in ("GET", "HEAD")
                    or not _is_private(api)
                    or not _keeps_others_out(api)
                ):
                    yield f"{name}: {verb} {path} asks for no signature"
            elif "credentials" in method.get("x-amazon-apigateway-integration", {}):
                yield f"{name}: {verb} {path} calls its function with the caller's credentials"


def grants_overruled(stack: Stack) -> Iterator[str]:
    """An Allow for everyone on an API of signed methods: whoever signs gets in, granted or not."""
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        if not any(_is_signed(api, method) for _, _, method in _methods(api)):
            continue
        for statement in _statements(api):
            if isinstance(statement, dict) and statement.get("Effect") == "Allow":
                principal = statement.get("Principal")
                everyone = principal == "*" or "*" in _list((principal or {}).get("AWS", []))
                if everyone:
                    yield f"{name}: its policy lets in every signed caller, granted or not"


def wildcard_granted(stack: Stack) -> Iterator[str]:
    """A role that may do everything with something, or something with everything."""
    for name, statement in _grants(stack):
        actions, resources = (
            _list(statement.get("Action", [])),
            _list(statement.get("Resource", [])),
        )
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{name}: grants everything but something"
        for action in actions:
            if action.endswith("*"):
                yield f"{name}: grants {action}"
        for resource in resources:
            if resource == "*" or re.fullmatch(
                r"arn:[^:]*:execute-api:.*:[^/]*(/\*|/[^/]+/\*)?", resource
            ):
                yield f"{name}: grants {', '.join(actions)} on {resource}"


def functions_invoked(stack: Stack) -> Iterator[str]:
    """A role that may invoke functions, behind the backs of the APIs that guard them."""
    for name, statement in _grants(stack):
        for action in _list(statement.get("Action", [])):
            if _INVOKES.fullmatch(action):
                yield f"{name}: may invoke functions behind their APIs' backs ({action})"
    for name, role in stack.of_type("AWS::IAM::Role").items():
        for arn in role.get("ManagedPolicyArns", []):
            if str(arn).rpartition("/")[2] in _INVOKING_MANAGED:
                yield f"{name}: may invoke functions behind their APIs' backs ({arn})"


def functions_exposed(stack: Stack) -> Iterator[str]:
    """A function that anybody may invoke, or anybody's API, or that has a URL of its own."""
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        if not str(permission["Principal"]).endswith(".amazonaws.com"):
            yield f"{name}: lets {permission['Principal']} invoke the function"
        elif "SourceArn" not in permission:
            yield f"{name}: lets {permission['Principal']} invoke it for anybody's API"
    for name in stack.of_type("AWS::Lambda::Url"):
        yield f"{name}: a URL leads to the function past the API"


def groups_open(stack: Stack) -> Iterator[str]:
    """A security group that lets in the world, or more than TLS, or lets out everything."""
    for name, rule in _rules(stack, "Ingress"):
        if rule.get("CidrIp") in _EVERYONE or rule.get("CidrIpv6") in _EVERYONE:
            yield f"{name}: lets in the whole internet"
        if {str(rule.get("FromPort")), str(rule.get("ToPort"))} != {"443"}:
            yield f"{name}: lets in more than port 443"
    for name, rule in _rules(stack, "Egress"):
        if str(rule["IpProtocol"]) == "-1" and rule.get("CidrIp") in _EVERYONE:
            yield f"{name}: lets out everything"
    for name, group in stack.of_type("AWS::EC2::SecurityGroup").items():
        ruled = {
            rule["GroupId"] for rule in stack.of_type("AWS::EC2::SecurityGroupEgress").values()
        }
        if not group.get("SecurityGroupEgress") and name not in ruled:
            yield f"{name}: without a rule for what it lets out, which lets out everything"


CHECKS: dict[str, Callable[[Stack], Iterator[str]]] = {
    check.__name__: check
    for check in (
        policy_missing,
        policy_corrupted,
        identity_not_asked,
        grants_overruled,
        wildcard_granted,
        functions_invoked,
        functions_exposed,
        groups_open,
    )
}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_private(api: Mapping[str, Any]) -> bool:
    return "PRIVATE" in api.get("EndpointConfiguration", {}).get("Types", [])


def _statements(api: Mapping[str, Any]) -> list[Any]:
    policy = api.get("Body", {}).get(_POLICY) or api.get("Policy") or {}
    return _list(policy.get("Statement", []))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, _list(values)


def _is_endpoint(value: Any) -> bool:
    return isinstance(value, str) and _ENDPOINT.fullmatch(value) is not None


def _keeps_others_out(api: Mapping[str, Any]) -> bool:
    return any(
        statement.get("Effect") == "Deny" and key.lower() == "aws:sourcevpce"
        for statement in _statements(api)
        if isinstance(statement, dict)
        for _, key, _ in _conditions(statement)
    )


def _methods(api: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in api.get("Body", {}).get("paths", {}).items():
        for verb, method in item.items():
            if verb in _VERBS or verb == _ANY:
                yield ("ANY" if verb == _ANY else verb.upper()), path, method


def _is_signed(api: Mapping[str, Any], method: Mapping[str, Any]) -> bool:
    schemes = api["Body"].get("components", {}).get("securitySchemes", {})
    names = {name for requirement in method.get("security", []) for name in requirement}
    signed = "x-amazon-apigateway-authtype"
    return any(schemes.get(name, {}).get(signed) == "awsSigv4" for name in names)


def _grants(stack: Stack) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for name, properties in stack.of_type(kind).items():
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            if "PolicyDocument" in properties:
                documents.append(properties["PolicyDocument"])
            for document in documents:
                for statement in _list(document["Statement"]):
                    if statement["Effect"] == "Allow":
                        yield name, statement


def _rules(stack: Stack, direction: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, group in stack.of_type("AWS::EC2::SecurityGroup").items():
        for rule in group.get(f"SecurityGroup{direction}", []):
            yield name, rule
    yield from stack.of_type(f"AWS::EC2::SecurityGroup{direction}").items()
