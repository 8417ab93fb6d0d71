"""A template with everything that it declares, its nested templates included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from backstairs.template import http_api, rest_api
from backstairs.template.apis import read_apis
from backstairs.template.model import Application, DeclaredFunction, NotRead
from backstairs.template.network_reader import read_endpoints, read_networks
from backstairs.template.other_ways import grants_to_invoke, read_other_ways, roles_to_assume
from backstairs.template.principals import read_principals
from backstairs.template.resources import Resources, texts
from backstairs.template.stack import Setting, Stack

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.access import Source

ACCOUNT = "123456789012"
REGION = "us-east-1"
Place = tuple[str | int, ...]


def read_application(
    path: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    account: str = ACCOUNT,
    region: str = REGION,
    stack_name: str = "stack",
    policies: Mapping[str, object] | None = None,
) -> Application:
    """Read a template file and the local ones that it nests. Asks nobody.

    `parameters` are the outermost template's; one without value and default gets a value of its
    own, equal to no other. `policies` are documents of managed policies that it only names, by
    ARN. What cannot be read is in `Application.not_read`. Sources are relative to the template's
    folder. Raises TemplateError where the file itself is no template.
    """
    setting = Setting(account, region, _partition(region), path.parent)
    outermost = Stack(path, parameters or {}, setting, stack_name)
    stacks = list(outermost.stacks())
    resources = _resources(stacks, setting, policies or {})
    apis, apis_not_read = read_apis(resources)
    functions = tuple(_functions(resources))
    principals, principals_not_read = read_principals(resources)
    endpoints, endpoints_not_read = read_endpoints(resources)
    return Application(
        file=outermost.file,
        account=account,
        region=region,
        apis=apis,
        functions=functions,
        principals=principals,
        endpoints=endpoints,
        networks=read_networks(resources),
        other_ways=(
            *read_other_ways(resources),
            *grants_to_invoke(principals, functions),
            *roles_to_assume(principals),
        ),
        not_read=(
            *setting.not_read,
            *_doubtful(resources),
            *apis_not_read,
            *_of_other_apis(resources),
            *principals_not_read,
            *endpoints_not_read,
        ),
        parameters=outermost.parameters,
        assumed=outermost.assumed,
        resources=resources.by_name,
        sources={name: resources.source(name, ()) for name in resources.by_name},
        templates={stack.prefix: stack.written for stack in stacks},
    )


def _of_other_apis(resources: Resources) -> Iterator[NotRead]:
    """The methods and routes whose API is none of these."""
    for what, kind, key, api in (
        ("method", rest_api.METHOD, "RestApiId", rest_api.API),
        ("route", http_api.ROUTE, "ApiId", http_api.API),
    ):
        for name, properties in resources.of_type(kind):
            if resources.named(api, properties.get(key)) is None:
                why = f"it is a {what} of an API that is not in here: {properties.get(key)}"
                yield NotRead(name, why, resources.source(name, ()))


def _partition(region: str) -> str:
    """The partition of a region, as ARNs name it."""
    partitions = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
    found = (name for prefix, name in partitions.items() if region.startswith(f"{prefix}-"))
    return next(found, "aws")


def _resources(stacks: list[Stack], setting: Setting, policies: Mapping[str, object]) -> Resources:
    """The resources of all stacks, in one."""
    by_prefix = {stack.prefix: stack for stack in stacks}

    def located(name: str) -> tuple[Stack, str]:
        prefix, slash, logical_id = name.rpartition("/")
        return by_prefix[prefix + slash], logical_id

    def ref(name: str) -> object:
        stack, logical_id = located(name)
        return stack.reference(logical_id)

    def attribute(name: str, attribute: str) -> object:
        stack, logical_id = located(name)
        return stack.attribute(logical_id, attribute)

    def source(name: str, path: Place) -> Source:
        stack, logical_id = located(name)
        return stack.place(logical_id, path)

    by_name = {
        stack.prefix + logical_id: resource
        for stack in stacks
        for logical_id, resource in stack.resources.items()
    }
    return Resources(
        by_name,
        ref,
        attribute,
        source,
        setting.account,
        setting.region,
        setting.partition,
        _doubts(stacks),
        policies,
    )


def _doubts(stacks: list[Stack]) -> dict[str, str]:
    """Why a resource may not exist, by name; one of a stack that may not exist may not either."""
    doubts: dict[str, str] = {}
    for stack in stacks:  # the outer ones first
        why = doubts.get(stack.prefix.removesuffix("/"))
        if why is not None:
            doubts |= {f"{stack.prefix}{name}": why for name in stack.resources}
        doubts |= stack.doubts()
    return doubts


def _doubtful(resources: Resources) -> list[NotRead]:
    """The APIs and functions, and what leads to them, of which nobody knows whether they exist."""
    return [
        NotRead(name, f"whether it exists is not known: {why}", resources.source(name, ()))
        for name, why in resources.doubts.items()
        if resources.by_name[name]["Type"].startswith(("AWS::ApiGateway", "AWS::Lambda::"))
    ]


def _functions(resources: Resources) -> list[DeclaredFunction]:
    return [
        DeclaredFunction(
            name=name,
            arn=str(resources.attribute(name, "Arn")),
            source=resources.source(name, ()),
            role=_role(resources, properties.get("Role")),
            subnets=_named(resources, "AWS::EC2::Subnet", properties, "SubnetIds"),
            security_groups=_named(
                resources, "AWS::EC2::SecurityGroup", properties, "SecurityGroupIds"
            ),
        )
        for name, properties in resources.of_type("AWS::Lambda::Function")
    ]


def _role(resources: Resources, role: object) -> str | None:
    """The name of the role that a function runs as, or its ARN where it is none of these."""
    return resources.named("AWS::IAM::Role", role) or (role if isinstance(role, str) else None)


def _named(
    resources: Resources, kind: str, properties: Mapping[str, Any], key: str
) -> tuple[str, ...]:
    """Names of resources, or ids where they are none of these."""
    network = properties.get("VpcConfig")
    ids = texts(network.get(key)) if isinstance(network, Mapping) else []
    return tuple(resources.named(kind, one) or str(one) for one in ids)
