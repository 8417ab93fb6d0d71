"""What a deployment changes is what calls get: invoked by the alias, as API Gateway does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backstairs.local.deploy import STACK_NAME
from tests.deployment.deployment import TEMPLATE

if TYPE_CHECKING:
    from tests.deployment.deployment import Deployment

FUNCTIONS = ("ClaimsFunction", "MembersFunction", "ClaimTypesFunction", "NotifierFunction")
EVENT = {"httpMethod": "GET", "path": "/nowhere", "resource": "/nowhere"}


def versions(deployment: Deployment) -> dict[str, list[str]]:
    """The published versions of each function."""
    names = deployment.account.physical_ids(STACK_NAME)
    client = deployment.account.client("lambda")
    return {
        function: [
            one["Version"]
            for one in client.list_versions_by_function(FunctionName=names[function])["Versions"]
            if one["Version"] != "$LATEST"
        ]
        for function in FUNCTIONS
    }


def new_versions(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, int]:
    """How many more there are, of the functions that have more."""
    counted = {name: len(after[name]) - len(before[name]) for name in FUNCTIONS}
    return {name: count for name, count in counted.items() if count}


@pytest.fixture(scope="module")
def deployed(deployment: Deployment) -> Deployment:
    """The application, deployed once."""
    deployment.deploy()
    return deployment


def test_an_unchanged_application_publishes_nothing(deployed: Deployment) -> None:
    """Built anew from files of another age, it is the same."""
    before, layers = versions(deployed), deployed.live("ClaimsFunction")["Layers"]
    for path in (*deployed.root.glob("layers/**/*.py"), *deployed.root.glob("functions/**/*.py")):
        path.write_text(path.read_text("utf-8"), "utf-8")
    deployed.deploy()
    assert versions(deployed) == before
    assert deployed.live("ClaimsFunction")["Layers"] == layers


def test_a_changed_layer_is_what_calls_get(deployed: Deployment) -> None:
    """Of the functions that use it, one version each; the rest stays as it is."""
    before = versions(deployed)
    (module,) = {path.parent for path in (deployed.root / "layers" / "service").glob("*/rest.py")}
    path = module / "__init__.py"
    text = path.read_text("utf-8")
    assert "the changed layer" not in deployed.invoke("MembersFunction", EVENT)
    path.write_text(f'{text}\nraise RuntimeError("the changed layer")\n', "utf-8")
    deployed.deploy()
    for function in ("ClaimsFunction", "MembersFunction", "NotifierFunction"):
        assert "the changed layer" in deployed.invoke(function, EVENT)
    assert "the changed layer" not in deployed.invoke("ClaimTypesFunction", EVENT)
    counted = new_versions(before, versions(deployed))
    assert counted == {"ClaimsFunction": 1, "MembersFunction": 1, "NotifierFunction": 1}
    path.write_text(text, "utf-8")
    deployed.deploy()
    assert "the changed layer" not in deployed.invoke("MembersFunction", EVENT)


def test_changed_code_is_what_calls_get(deployed: Deployment) -> None:
    """Of that function, and one version of it."""
    before = versions(deployed)
    path = deployed.root / "functions" / "claim_types" / "claim_types" / "handler.py"
    text = path.read_text("utf-8")
    path.write_text(f'{text}\nraise RuntimeError("the changed code")\n', "utf-8")
    deployed.deploy()
    assert "the changed code" in deployed.invoke("ClaimTypesFunction", EVENT)
    assert new_versions(before, versions(deployed)) == {"ClaimTypesFunction": 1}
    path.write_text(text, "utf-8")
    deployed.deploy()


def test_changed_settings_are_what_calls_get(deployed: Deployment) -> None:
    """Of every function that takes them from what all have in common."""
    before = versions(deployed)
    deployed.edit("template.yaml", "    MemorySize: 256\n", "    MemorySize: 512\n")
    deployed.deploy()
    assert new_versions(before, versions(deployed)) == dict.fromkeys(FUNCTIONS, 1)
    for function in FUNCTIONS:
        assert deployed.live(function)["MemorySize"] == 512
    deployed.write("template.yaml", TEMPLATE)


def test_a_changed_environment_is_what_calls_get(deployed: Deployment) -> None:
    """Of that function alone."""
    deployed.deploy()
    before = versions(deployed)
    variables = "{Variables: {TABLE_NAME: !Ref ClaimsTable}}"
    index = TEMPLATE.index("  MembersFunction:\n")
    head, tail = TEMPLATE[:index], TEMPLATE[index:]
    changed = tail.replace(variables, f"{variables[:-2]}, ANOTHER: value}}}}", 1)
    deployed.write("template.yaml", head + changed)
    deployed.deploy()
    assert deployed.live("MembersFunction")["Environment"]["Variables"]["ANOTHER"] == "value"
    assert new_versions(before, versions(deployed)) == {"MembersFunction": 1}
    deployed.write("template.yaml", TEMPLATE)
    deployed.deploy()


def test_a_changed_parameter_is_what_calls_get(deployed: Deployment) -> None:
    """SAM does not see the value behind a reference; the alias moves on all the same."""
    before = {function: deployed.live(function)["Version"] for function in FUNCTIONS}
    deployed.deploy(parameters={"LogLevel": "DEBUG"})
    for function in FUNCTIONS:
        live = deployed.live(function)
        assert live["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
        assert int(live["Version"]) == int(before[function]) + 1


def test_a_changed_policy_holds_for_the_version_that_runs(deployed: Deployment) -> None:
    """A role is not a part of a version: it is the same one, with its new grants at once."""
    before, role = versions(deployed), deployed.live("MembersFunction")["Role"]
    index = TEMPLATE.index("  MembersFunction:\n")
    head, tail = TEMPLATE[:index], TEMPLATE[index:]
    changed = tail.replace("Action: dynamodb:GetItem", "Action: dynamodb:BatchGetItem", 1)
    assert changed != tail
    deployed.write("template.yaml", head + changed)
    deployed.deploy(parameters={"LogLevel": "DEBUG"})
    assert deployed.live("MembersFunction")["Role"] == role
    iam, name = deployed.account.client("iam"), role.rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    (statement,) = document["Statement"]
    assert statement["Action"] == "dynamodb:BatchGetItem"
    assert new_versions(before, versions(deployed)) == {}
    deployed.write("template.yaml", TEMPLATE)


def test_layers_do_not_pile_up(deployed: Deployment) -> None:
    """After all these deployments there is one version of each."""
    client = deployed.account.client("lambda")
    layers = [one["LayerName"] for one in client.list_layers()["Layers"]]
    assert layers
    for layer in layers:
        assert len(client.list_layer_versions(LayerName=layer)["LayerVersions"]) == 1


def test_only_the_last_three_versions_are_kept(deployed: Deployment) -> None:
    """The pruner that the stack brought deletes the others, and what the alias leads to works."""
    account = deployed.account
    operation = account.physical_ids(account.physical_ids(STACK_NAME)["Operation"])
    assert any(len(numbers) > 3 for numbers in versions(deployed).values())
    pruner = operation["PrunerFunction"]
    answer = account.client("lambda").invoke(FunctionName=pruner, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert {len(numbers) for numbers in versions(deployed).values()} <= {1, 2, 3}
    assert "statusCode" in deployed.invoke("ClaimTypesFunction", EVENT)
