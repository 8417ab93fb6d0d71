"""What a deployment changes is what calls get: the alias moves on with everything that can run.

SAM names a function's version by a hash of the function's properties, references unresolved, and of
the layers that say PublishLambdaVersion; what changes behind a reference it does not see. Where the
version's description has the value too, CloudFormation replaces the version
(`AWS::Lambda::Version`, Description: "Update requires: Replacement").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.template.load import load
from backstairs.template.translate import translate
from tests.template.conftest import ROOT, nested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STACKS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "template.yaml", *(ROOT / "stacks").glob("*.yaml"))
    if "AutoPublishAlias" in path.read_text("utf-8")
)
# Not part of a version: the role is the same one, the group's name only changes with the group.
OUTSIDE = {"Role", "Tags", "Code", "Layers"}
# One thing by two names, of which the shorter is in the description: 256 characters are the limit.
SAME = {"Network.Outputs.ExecuteApiEndpointDnsName": "Network.Outputs.ExecuteApiEndpointId"}


def _uploaded(path: Any, key: str = "1") -> dict[str, Any]:
    """A template with its code in a bucket."""
    template = load(ROOT / path)
    for name, resource in template["Resources"].items():
        for place in {"CodeUri", "ContentUri", "Location"} & resource.get("Properties", {}).keys():
            is_stack = place == "Location"
            resource["Properties"][place] = (
                "https://s3.amazonaws.com/bucket/stack" if is_stack else f"s3://bucket/{name}/{key}"
            )
    return template


def _translated(template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    resources: dict[str, Any] = translate(template, parameters, "template", "us-east-1")[
        "Resources"
    ]
    return resources


def _versions(resources: dict[str, Any]) -> dict[str, str]:
    """The logical id of each function's version."""
    return {
        resource["Properties"]["FunctionName"]["Ref"]: name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Version"
    }


def _references(part: Any) -> Iterator[str]:
    """Everything that a part of a template refers to."""
    if isinstance(part, list):
        for item in part:
            yield from _references(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value if isinstance(value, str) else ".".join(value)
            elif key == "Fn::Sub":
                text, variables = (value, {}) if isinstance(value, str) else value
                yield from (
                    name for name in re.findall(r"\$\{([^!}]+)}", text) if name not in variables
                )
                yield from _references(variables)
            else:
                yield from _references(value)


@pytest.mark.parametrize("path", STACKS, ids=str)
def test_a_changed_layer_is_a_new_version(path: Any) -> None:
    """For every function behind an alias that uses it, and for no other."""
    before = _translated(_uploaded(path))
    template = _uploaded(path)
    layers = {
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }
    for layer in layers:
        changed = _uploaded(path)
        changed["Resources"][layer]["Properties"]["ContentUri"] = "s3://bucket/another"
        moved = {
            function
            for function, version in _versions(_translated(changed)).items()
            if _versions(before)[function] != version
        }
        users = {
            function
            for function in _versions(before)
            if {"Ref": layer} in template["Resources"][function]["Properties"].get("Layers", [])
        }
        assert users
        assert moved == users


@pytest.mark.parametrize("path", STACKS, ids=str)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CodeUri", "s3://bucket/another"),
        ("MemorySize", 512),
        ("Timeout", 7),
        ("Environment", {"Variables": {"ANOTHER": "1"}}),
        ("EphemeralStorage", {"Size": 1024}),
    ],
)
def test_a_changed_property_is_a_new_version(path: Any, name: str, value: Any) -> None:
    """Of that function alone."""
    before = _versions(_translated(_uploaded(path)))
    assert before
    for function in before:
        changed = _uploaded(path)
        changed["Resources"][function]["Properties"][name] = value
        after = _versions(_translated(changed))
        assert {one for one in before if before[one] != after[one]} == {function}


@pytest.mark.parametrize("path", STACKS, ids=str)
def test_what_a_function_refers_to_is_in_its_versions_description(path: Any) -> None:
    """All of it, and nothing else: Lambda refuses a version of a function that did not change."""
    resources = _translated(_uploaded(path))
    for function, version in _versions(resources).items():
        properties = dict(resources[function]["Properties"])
        logging = dict(properties.pop("LoggingConfig"))
        logging.pop("LogGroup")
        inside = {key: value for key, value in properties.items() if key not in OUTSIDE}
        referred = {SAME.get(name, name) for name in _references([inside, logging])}
        described = set(_references(resources[version]["Properties"]["Description"]))
        referred = {name for name in referred if not name.startswith("AWS::")}
        assert described == referred, function


def test_the_descriptions_of_versions_fit(application_with: Callable[..., Any]) -> None:
    """256 characters, with as many subnets and groups as there may be."""
    stack = application_with(
        Architecture="x86_64",
        LogLevel="ERROR",
        Stage="a" * 16,
        SubnetIds=",".join(["subnet-0123456789abcdef0"] * 4),
        SecurityGroupIds=",".join(["sg-0123456789abcdef0"] * 2),
        ExecuteApiEndpointId="vpce-0123456789abcdef0",
        ExecuteApiEndpointDnsName="vpce-0123456789abcdef0-abcdefgh.execute-api.example",
    )
    # The ids here are shorter than AWS's: of an API 10 characters, of a table's name 12.
    longer = 10 - len("ClaimsApi") + 2 * (12 - len("A1"))
    for version in stack.of_type("AWS::Lambda::Version").values():
        assert len(version["Description"]) + longer <= 256, version["Description"]


def test_versions_of_every_function_with_versions_are_pruned(
    application_with: Callable[..., Any], regional_with: Callable[..., Any]
) -> None:
    """The pruner knows all of them, and may delete theirs alone."""
    for stack in (application_with(), regional_with()):
        versioned = {one["FunctionName"] for one in stack.of_type("AWS::Lambda::Alias").values()}
        operation = nested(stack, "Operation")
        variables = operation.properties("PrunerFunction")["Environment"]["Variables"]
        assert set(variables["FUNCTION_NAMES"].split(",")) == versioned
        (policy,) = operation.properties("PrunerRole")["Policies"]
        look, delete, _ = policy["PolicyDocument"]["Statement"]
        assert {arn.split(":", 6)[6] for arn in look["Resource"]} == versioned
        assert {arn.split(":", 6)[6] for arn in delete["Resource"]} == {
            f"{name}:*" for name in versioned
        }


def test_old_layer_versions_go(application_with: Callable[..., Any]) -> None:
    """Functions' versions keep what they were published with; nothing else needs it."""
    resources = application_with().resources.values()
    layers = [resource for resource in resources if resource["Type"] == "AWS::Lambda::LayerVersion"]
    assert layers
    assert {layer["DeletionPolicy"] for layer in layers} == {"Delete"}
