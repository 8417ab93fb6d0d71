"""What was deployed is what the template says: nothing was bent for the emulator's sake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backstairs.access import Policy
from backstairs.account.apis import deployed_stages
from backstairs.account.endpoints import endpoint_dns_name
from backstairs.demo.public import FORWARDER, FORWARDER_STACK_NAME, deployments
from backstairs.local.deploy import STACK_NAME
from backstairs.template.intrinsics import Known, parameter_values
from backstairs.template.load import load
from backstairs.template.translate import translate
from tests.template.apis_of import apis_of

if TYPE_CHECKING:
    from tests.local.application import Application


def without_places(policy: Policy) -> Policy:
    """The same as an account has it, which knows nothing of a template's lines."""
    statements = (replace(one, source=None) for one in policy.statements)
    return Policy(policy.name, tuple(statements))


def test_the_apis_are_the_templates(application: Application) -> None:
    """Routes, authorization, endpoint type and resource policies are live as the template has them.

    Translated by AWS's translator here, from the project's own file, and read back there from the
    account by API Gateway's GetExport.
    """
    account = application.account
    outputs = account.outputs(STACK_NAME)
    resources = account.physical_ids(STACK_NAME)
    network = account.outputs(resources["Network"])
    path = application.folder / "template.yaml"
    template = load(path)
    parameters = parameter_values(template, {})
    known = Known(
        parameters=parameters,
        physical_ids=resources,
        account=account.account_id,
        region=account.region,
        stack_name=STACK_NAME,
        attribute=lambda logical_id, attribute: (
            network[attribute.removeprefix("Outputs.")]
            if logical_id == "Network"
            else f"arn:aws:lambda:us-east-1:123456789012:function:{resources[logical_id]}"
        ),
    )
    translated = translate(template, {}, str(path), account.region)

    expected, not_read = apis_of(translated, known)
    assert not_read == []

    by_name = {one.api.name: one.api for one in deployed_stages(account)}
    assert {api.name for api in expected} == {"ClaimsApi", "ReferenceApi"}
    assert set(by_name) == {"ClaimsApi", "ReferenceApi", "PublicRestApi", "PublicHttpApi"}
    for api in expected:
        deployed = by_name[api.name]
        assert api.policy is not None
        assert deployed.policy == without_places(api.policy)
        assert deployed.private
        assert set(deployed.routes) == set(api.routes)
    assert outputs["ClaimsApiId"] == by_name["ClaimsApi"].api_id


def test_the_public_api_is_the_templates(application: Application) -> None:
    """As it is deployed in front of the application: its policy, its routes, its keys."""
    account = application.account
    resources = account.physical_ids(FORWARDER_STACK_NAME)
    path = application.folder / "stacks" / "forwarder.yaml"
    template, given = load(path), deployments(account)[FORWARDER]
    translated = translate(template, given, str(path), account.region)
    known = Known(
        parameters=parameter_values(template, given),
        physical_ids=resources,
        account=account.account_id,
        region=account.region,
        stack_name=FORWARDER_STACK_NAME,
        attribute=lambda logical_id, _: (
            f"arn:aws:lambda:us-east-1:123456789012:function:{resources[logical_id]}"
        ),
    )

    ((expected,), not_read) = apis_of(translated, known)
    assert not_read == []

    api_id = resources["PublicRestApi"]
    (deployed,) = [one.api for one in deployed_stages(account) if one.api.api_id == api_id]
    assert expected.policy is not None
    assert deployed.policy == without_places(expected.policy)
    assert not deployed.private
    assert set(deployed.routes) == set(expected.routes)
    assert [route.path for route in deployed.routes if route.needs_key] == ["/partner/{path+}"]


def test_the_endpoint_is_the_networks(application: Application) -> None:
    """The functions' subnets, group and endpoint are those of the nested network stack."""
    account = application.account
    network = account.outputs(account.physical_ids(STACK_NAME)["Network"])

    own = account.physical_ids(STACK_NAME).values()
    listed = account.client("lambda").list_functions()["Functions"]
    functions = [
        one
        for one in listed
        if one["FunctionName"] in own and one.get("VpcConfig", {}).get("VpcId")
    ]

    assert len(functions) == 4
    for function in functions:
        assert sorted(function["VpcConfig"]["SubnetIds"]) == sorted(network["SubnetIds"].split(","))
        assert function["VpcConfig"]["SecurityGroupIds"] == [network["ClientSecurityGroupId"]]
        assert function["VpcConfig"]["VpcId"] == network["VpcId"]
    dns_name = endpoint_dns_name(account, network["ExecuteApiEndpointId"])
    assert network["ExecuteApiEndpointDnsName"] == dns_name


def test_nothing_deployed_is_without_effect(application: Application) -> None:
    """The emulated account took every property of the templates seriously, or says which not."""
    assert "has no effect here" not in application.output


def test_the_roles_are_the_templates(application: Application) -> None:
    """Every role holds the statements that the template gives it, and no more."""
    account = application.account
    path = application.folder / "template.yaml"
    translated = translate(load(path), {}, str(path), account.region)
    roles = {
        logical_id: resource["Properties"].get("Policies", [])
        for logical_id, resource in translated["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    names = account.physical_ids(STACK_NAME)
    iam = account.client("iam")

    for logical_id in roles.keys() & names.keys():
        name = names[logical_id]
        deployed = {
            policy: _permissions(
                iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            )
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
        assert deployed == {
            policy["PolicyName"]: _permissions(policy["PolicyDocument"])
            for policy in roles[logical_id]
        }
    assert "NotifierFunctionRole" in roles.keys() & names.keys()


def _permissions(document: dict[str, Any]) -> list[tuple[str, tuple[str, ...], int]]:
    """What each statement of a policy allows, on how many resources."""
    statements = document["Statement"]
    return [
        (one["Effect"], tuple(_listed(one["Action"])), len(_listed(one["Resource"])))
        for one in (statements if isinstance(statements, list) else [statements])
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
