"""Templates: loading, translating, resolving."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import Unresolved
from backstairs.cli.project import tool
from backstairs.template.intrinsics import Known, Resolver, parameter_values
from backstairs.template.load import TemplateError, load, parse
from backstairs.template.translate import translate

thorough = settings(max_examples=300, deadline=None, database=None)

ACCOUNT, REGION = "123456789012", "eu-central-1"
SAM = "Transform: AWS::Serverless-2016-10-31\n"
BUCKET = "Resources: {Bucket: {Type: AWS::S3::Bucket}}\n"


# What the SAM CLI takes, beside a folder `code`: each with the command that shows it.
ACCEPTED = {
    "code for all functions": (
        "build",
        SAM
        + "Globals: {Function: {CodeUri: code, Runtime: python3.13, Handler: a.b}}\n"
        + "Resources: {F: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: python-uv}}}",
    ),
    "local paths, or none": (
        "build",
        SAM
        + """Resources:
          Here:
            Type: AWS::Serverless::Function
            Metadata: {BuildMethod: python-uv}
            Properties: {Runtime: python3.13, Handler: a.b}
          Steps:
            Type: AWS::Serverless::StateMachine
            Properties: {DefinitionUri: code/steps.json, Role: "arn:aws:iam::123456789012:role/s"}
          Rest:
            Type: AWS::Serverless::Api
            Properties: {DefinitionUri: code/api.yaml, StageName: dev}
          Http: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: code/api.yaml}}
        """,
    ),
    "resources from elsewhere": (
        "build",
        SAM
        + """Resources:
          Queue: {Type: AWS::SQS::Queue}
          Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/key}}
        """,
    ),
    "JSON with tabs": (
        "build",
        json.dumps(
            {
                "Transform": "AWS::Serverless-2016-10-31",
                "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
            },
            indent="\t",
        ),
    ),
    # To build an image takes Docker.
    "an image": (
        "validate",
        SAM
        + """Resources:
          Image:
            Type: AWS::Serverless::Function
            Metadata: {Dockerfile: Dockerfile, DockerContext: code, DockerTag: v1}
            Properties: {PackageType: Image}
        """,
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_sam_cli_takes_is_taken(name: str, tmp_path: Path) -> None:
    """`make up` does not stop for what is valid."""
    path = tmp_path / "template.yaml"
    path.write_text(ACCEPTED[name][1], "utf-8")
    translated = translate(load(path), {}, path.name, REGION)
    types = {resource.get("Type") for resource in translated["Resources"].values()}
    assert not [one for one in types if one and one.startswith("AWS::Serverless::")]


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_sam_cli_takes_it(name: str, tmp_path: Path) -> None:
    """So the templates of the test above are valid."""
    command, text = ACCEPTED[name]
    options = {"build": ["--beta-features"], "validate": ["--lint", "--region", REGION]}[command]
    (tmp_path / "template.yaml").write_text(text, "utf-8")
    (tmp_path / "code").mkdir()
    for path in (tmp_path / "requirements.txt", tmp_path / "code" / "requirements.txt"):
        path.touch()
    (tmp_path / "code" / "steps.json").write_text("{}", "utf-8")
    (tmp_path / "code" / "api.yaml").write_text("openapi: 3.0.1\npaths: {}\n", "utf-8")
    search = os.pathsep.join([str(Path(tool("uv")).parent), os.environ["PATH"]])
    ran = subprocess.run(
        [tool("sam"), command, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PATH": search, "SAM_CLI_TELEMETRY": "0"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is not YAML: "),
        ("a: !Foo {b: c}: d", "is not YAML: "),
        ("\x00", "is not YAML: "),
        ("? [a]\n: b", "is not YAML: "),
        ("Resources: &all {A: *all}", "is not YAML: "),
        ("", "is not a template"),
        ("- a", "is not a template"),
        ("Parameters: {}", "has no Resources"),
        ("Resources: {}", "has no Resources"),
        ("Resources: [a]", "has no Resources"),
        ("Resources: {Table: AWS::DynamoDB::Table}", "Table has no Type"),
        ("Resources: {Table: {Type: [a]}}", "Table has no Type"),
        ("Resources: {Table: {Type: a, Properties: b}}", "Table has Properties that are not"),
        (
            "Resources: {Table: {Type: a, Condition: !Not [b]}}",
            "Table has a Condition that is not a name",
        ),
        ("Resources: {'Fn::ForEach::Tables': []}", "Fn::ForEach::Tables is not modelled"),
        (f"{BUCKET}Parameters: [a]", "Parameters is not a mapping"),
        (f"{BUCKET}Parameters: {{Stage: dev}}", "Stage is a parameter that has no Type"),
        (f"{BUCKET}Conditions: yes", "Conditions is not a mapping"),
        (f"{BUCKET}Mappings: 3", "Mappings is not a mapping"),
        (f"{BUCKET}Outputs: x", "Outputs is not a mapping"),
        (f"{BUCKET}Globals: [a]", "Globals is not a mapping"),
    ],
)
def test_a_template_that_cannot_be_loaded_says_where_and_why(
    tmp_path: Path, text: str, says: str
) -> None:
    """The file, the logical id where there is one, and what is not understood."""
    path = tmp_path / "template.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, or not UTF-8."""
    other = tmp_path / "latin.yaml"
    other.write_bytes("a: é".encode("latin-1"))
    for path, says in (
        (tmp_path / "missing.yaml", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (other, "is not UTF-8"),
    ):
        with pytest.raises(TemplateError, match=f"^{path}: {says}"):
            load(path)


def test_yaml_and_json_and_short_intrinsics_are_read() -> None:
    """One template, three spellings; what YAML takes for a date is text to CloudFormation."""
    short = "Resources: {A: {Type: T, Properties: {X: !GetAtt B.C, Y: 2012-10-17, 1: yes}}}"
    full = {"X": {"Fn::GetAtt": ["B", "C"]}, "Y": "2012-10-17", "1": True}
    template = {"Resources": {"A": {"Type": "T", "Properties": full}}}
    assert parse(short, "short") == template
    assert parse(json.dumps(template), "json") == template


def translated(text: str, **parameters: str) -> dict[str, Any]:
    return translate(parse(SAM + text, "t.yaml"), parameters, "t.yaml", REGION)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Resources: {F: {Type: AWS::Serverless::Function}}", "[F]"),
        ("Resources: {A: {Type: AWS::Serverless::Api, Properties: {Auth: 3}}}", "[A]"),
        ("Resources: {a-b: {Type: AWS::Serverless::SimpleTable}}", "[a-b]"),
        (f"{BUCKET}Globals: {{Function: {{Colour: red}}}}", "'Colour' is not a supported"),
    ],
)
def test_what_sam_cannot_translate_is_said_in_its_words(text: str, says: str) -> None:
    """With the file's name before them, and the logical id that SAM names."""
    with pytest.raises(TemplateError) as caught:
        translated(text)
    assert str(caught.value).startswith("t.yaml: SAM cannot translate it: ")
    assert says in str(caught.value)


def test_translation_asks_nobody() -> None:
    """An application of the public repository would be fetched from AWS."""
    location = "{ApplicationId: arn:aws:serverlessrepo:a:1:applications/b, SemanticVersion: 1.0.0}"
    with pytest.raises(TemplateError, match=r"^t\.yaml: App: applications of the repository"):
        translated(
            f"Resources: {{App: {{Type: AWS::Serverless::Application, "
            f"Properties: {{Location: {location}}}}}}}"
        )


def test_translation_leaves_the_template_as_it_was() -> None:
    """It may be translated again with other parameters."""
    template = parse(SAM + "Resources: {T: {Type: AWS::Serverless::SimpleTable}}", "t.yaml")
    before = copy.deepcopy(template)
    first = translate(template, {}, "t.yaml", REGION)
    assert template == before
    assert translate(template, {}, "t.yaml", REGION) == first


def test_parameters_have_their_values_as_cloudformation_writes_them() -> None:
    """Text, lists as lists; what is not given or is kept elsewhere is not known."""
    template = parse(
        BUCKET
        + """
Parameters:
  Given: {Type: String, Default: a}
  Defaulted: {Type: String, Default: b}
  Flag: {Type: String, Default: true}
  Count: {Type: Number, Default: 5}
  List: {Type: CommaDelimitedList, Default: "a, b"}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
  Nothing: {Type: CommaDelimitedList, Default: ""}
  Missing: {Type: String}
  Kept: {Type: "AWS::SSM::Parameter::Value<String>", Default: /network/endpoint}
""",
        "t.yaml",
    )
    values = parameter_values(template, {"Given": "g", "Subnets": "subnet-1,subnet-2"})
    assert isinstance(values.pop("Missing"), Unresolved)
    assert isinstance(values.pop("Kept"), Unresolved)
    assert values == {
        "Given": "g",
        "Defaulted": "b",
        "Flag": "true",
        "Count": "5",
        "List": ["a", "b"],
        "Subnets": ["subnet-1", "subnet-2"],
        "Nothing": [],
    }


TEMPLATE: dict[str, Any] = {
    "Mappings": {"Stages": {"dev": {"Name": "d"}, "prod": {"Name": "p"}}},
    "Conditions": {
        "IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
        "IsFlag": {"Fn::Equals": [{"Ref": "Flag"}, True]},
        "IsOne": {"Fn::Equals": [{"Ref": "One"}, 1]},
        "IsKnown": {"Fn::Equals": [{"Ref": "Missing"}, "x"]},
        "IsMade": {"Fn::Equals": [{"Fn::Join": ["", ["a", {"Ref": "Missing"}]]}, "x"]},
        "IsNeither": {"Fn::Not": [{"Condition": "IsDev"}]},
        "Alias": {"Condition": "IsDev"},
        "Self": {"Fn::Not": [{"Condition": "Self"}]},
        "Both": {"Fn::And": [{"Condition": "IsDev"}, {"Condition": "IsKnown"}]},
        "Neither": {"Fn::And": [{"Condition": "IsNeither"}, {"Condition": "IsKnown"}]},
        "Either": {"Fn::Or": [{"Condition": "IsKnown"}, {"Condition": "IsDev"}]},
        "Hardly": {"Fn::Or": [{"Condition": "IsKnown"}, {"Condition": "IsNeither"}]},
        "Text": "true",
        "OfText": {"Fn::Or": ["true", "false"]},
        "NotText": {"Fn::Not": ["false"]},
        "NoList": {"Fn::And": "IsDev"},
    },
}
PARAMETERS = {
    "Stage": "dev",
    "Flag": "true",
    "One": "1",
    "List": ["a", "b"],
    "Missing": Unresolved("parameter Missing has no value"),
}


def attribute(logical_id: str, name: str) -> object:
    return {"Api.Root": "r00t", "Function.Arn": "arn:x", "Api.List": ["x"]}.get(
        f"{logical_id}.{name}", Unresolved(f"{logical_id}.{name}")
    )


RESOLVER = Resolver(
    TEMPLATE,
    Known(
        parameters=PARAMETERS,
        physical_ids={"Api": "a1b2c3d4e5"},
        account=ACCOUNT,
        region=REGION,
        stack_name="stack",
        attribute=attribute,
        export={"network-EndpointId": "vpce-1"}.__getitem__,
    ),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (3, 3),
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "Api"}, "a1b2c3d4e5"),
        ({"Ref": "AWS::AccountId"}, ACCOUNT),
        ({"Fn::GetAtt": ["Api", "Root"]}, "r00t"),
        ({"Fn::GetAtt": "Api.Root"}, "r00t"),
        ({"Fn::Sub": "${Api}/${Stage}/${Api.Root}/${!Not}/${AWS::Region}"}, None),
        ({"Fn::Sub": ["${A}-${Stage}", {"A": {"Ref": "Api"}}]}, "a1b2c3d4e5-dev"),
        ({"Fn::Sub": ["${A}", {"A": True}]}, "true"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 1, True]]}, "a-dev-1-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Select": [0, ["x", {"Ref": "Missing"}]]}, "x"),
        ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Name"]}, "d"),
        ({"Fn::FindInMap": ["Stages", "test", "Name", {"DefaultValue": "none"}]}, "none"),
        ({"Fn::FindInMap": ["Stages", "dev", "Name", {"DefaultValue": "none"}]}, "d"),
        ({"Fn::Length": {"Ref": "List"}}, 2),
        ({"Fn::ToJsonString": {"a": [{"Ref": "Stage"}, 1]}}, '{"a":["dev",1]}'),
        ({"Ref": {"Fn::Join": ["", ["Sta", "ge"]]}}, "dev"),
        ({"Fn::GetAtt": [{"Fn::Join": ["", ["A", "pi"]]}, "Root"]}, "r00t"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::ImportValue": {"Fn::Sub": "network-EndpointId"}}, "vpce-1"),
        ({"Fn::If": ["IsDev", "yes", {"Fn::Nonsense": 1}]}, "yes"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"a": {"Fn::If": ["IsDev", {"Ref": "AWS::NoValue"}, 1]}}, {}),
        ({"Condition": "IsDev"}, {"Condition": "IsDev"}),
        ({"Ref": "Api", "Other": 1}, {"Ref": "Api", "Other": 1}),
    ],
)
def test_intrinsics_are_resolved(value: object, expected: object) -> None:
    """Each to what CloudFormation makes of it; a mapping that only looks like one is kept."""
    if expected is None:
        expected = f"a1b2c3d4e5/dev/r00t/${{Not}}/{REGION}"
    assert RESOLVER.resolve(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nobody"},
        {"Ref": "Missing"},
        {"Ref": ["Stage"]},
        {"Ref": "AWS::StackId"},
        {"Fn::GetAtt": ["Api", "Nothing"]},
        {"Fn::GetAtt": 3},
        {"Fn::Sub": "${Nobody}"},
        {"Fn::Sub": "${Api.Nothing}"},
        {"Fn::Sub": "${List}"},
        {"Fn::Sub": ["${A}", {"A": {"Ref": "Missing"}}]},
        {"Fn::Sub": 3},
        {"Fn::Join": ["-", ["a", {"Ref": "Missing"}]]},
        {"Fn::Join": ["-", "abc"]},
        {"Fn::Join": ["-", {"Ref": "Missing"}]},
        {"Fn::Join": []},
        {"Fn::Select": [2, ["a", "b"]]},
        {"Fn::Select": [-1, ["a", "b"]]},
        {"Fn::Select": [0, "abc"]},
        {"Fn::Select": [{"Ref": "Missing"}, ["a"]]},
        {"Fn::Select": [1, ["x", {"Ref": "Missing"}]]},
        {"Fn::Split": [",", {"Ref": "Missing"}]},
        {"Fn::Split": [",", ["a,b"]]},
        {"Fn::FindInMap": ["Stages", {"Ref": "Missing"}, "Name"]},
        {"Fn::FindInMap": ["Stages", "test", "Name"]},
        {"Fn::FindInMap": ["Stages", {"Ref": "Missing"}, "Name", {"DefaultValue": "none"}]},
        {"Fn::Length": {"Ref": "Missing"}},
        {"Fn::ToJsonString": {"a": {"Ref": "Missing"}}},
        {"Ref": {"Ref": "Missing"}},
        {"Fn::GetAtt": [{"Ref": "Missing"}, "Arn"]},
        {"Fn::Cidr": ["10.0.0.0/16", {"Ref": "Missing"}, 8]},
        "{{resolve:ssm:/network/endpoint}}",
        "arn:aws:iam::123456789012:role/{{resolve:ssm:/role}}",
        {"Fn::ImportValue": "somebody-else's"},
        {"Fn::ImportValue": {"Ref": "Missing"}},
        {"Fn::If": ["IsKnown", 1, 2]},
        {"Fn::If": ["Nobody", 1, 2]},
        {"Fn::If": [True, 1, 2]},
        {"Fn::If": ["IsDev", 1]},
        {"Fn::GetAZs": ""},
        {"Fn::Transform": {"Name": "AWS::Include"}},
    ],
)
def test_what_cannot_be_resolved_is_unresolved_and_says_why(value: object) -> None:
    """Never an exception, never a guess."""
    result = RESOLVER.resolve(value)
    assert isinstance(result, Unresolved)
    assert result.why


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IsDev", True),
        ("IsFlag", True),
        ("IsOne", True),
        ("IsNeither", False),
        ("Alias", True),
        ("Neither", False),
        ("Either", True),
        ("IsKnown", None),
        ("IsMade", None),
        ("Both", None),
        ("Hardly", None),
        ("Self", None),
        ("Text", None),
        ("OfText", None),
        ("NotText", None),
        ("NoList", None),
        ("Undefined", None),
    ],
)
def test_conditions_hold_or_not_or_are_not_known(name: str, *, expected: bool | None) -> None:
    """`true` in YAML is the text; what is not known matters only where it decides."""
    decided = RESOLVER.condition(name)
    assert decided is expected if expected is not None else isinstance(decided, Unresolved)
    assert RESOLVER.exists({"Type": "T", "Condition": name}) == decided


def test_a_resource_without_a_condition_exists() -> None:
    """Always."""
    assert RESOLVER.exists({"Type": "T"}) is True


intrinsics = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["Stage"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Ref", "Condition", "x", *Resolver._FUNCTIONS]),  # noqa: SLF001
            inner,
            max_size=2,
        )
    ),
    max_leaves=8,
)


@thorough
@given(value=intrinsics)
def test_any_value_can_be_resolved(value: object) -> None:
    """Malformed intrinsics included."""
    RESOLVER.resolve(value)
    Resolver({"Conditions": {"C": value}}, RESOLVER._known).condition("C")  # noqa: SLF001
