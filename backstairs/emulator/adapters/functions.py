"""Functions with the network and the limits their template gives them."""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import ec2, lambda_svc
from ministack.services.cloudformation import provisioners

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def keep_function_network() -> None:
    """Keep `VpcConfig`, `DeadLetterConfig` and `ReservedConcurrentExecutions`.

    MiniStack: drops all three of a template's function, so that no function is in a VPC.
    AWS: `GetFunction` shows them (`FunctionConfiguration`, Lambda API Reference); subnets and
    groups must exist, the subnets in one VPC (`InvalidParameterValueException`, `CreateFunction`).
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        network = _network(properties)
        result: Result = create(logical_id, properties, stack_name)
        _keep(result[0], properties, network)
        return result

    def updated(
        name: str, old: Json, new: Json, stack_name: str, logical_id: str | None = None
    ) -> Result:
        network = _network(new)
        result: Result = update(name, old, new, stack_name, logical_id)
        _keep(result[0], new, network)
        return result

    handlers.update(create=created, update=updated)


def _network(properties: Json) -> Json | None:
    network = properties.get("VpcConfig")
    if not network or not network.get("SubnetIds"):
        return None
    ec2._ensure_defaults_initialized()
    for subnet in network["SubnetIds"]:
        if subnet not in ec2._subnets:
            raise ValueError(f"The subnet ID '{subnet}' does not exist (InvalidParameterValue)")
    for group in network.get("SecurityGroupIds", []):
        if group not in ec2._security_groups:
            raise ValueError(f"The security group '{group}' does not exist (InvalidParameterValue)")
    if len({ec2._subnets[subnet]["VpcId"] for subnet in network["SubnetIds"]}) != 1:
        raise ValueError("The subnets of a function must be in one VPC (InvalidParameterValue)")
    kept: Json = lambda_svc._vpc_config_with_id(network)
    return kept


def _keep(name: str, properties: Json, network: Json | None) -> None:
    function = lambda_svc._functions[name]
    optional = {"VpcConfig": network, "DeadLetterConfig": properties.get("DeadLetterConfig")}
    for key, value in optional.items():
        if value:
            function["config"][key] = copy.deepcopy(value)
        else:
            function["config"].pop(key, None)
    reserved = properties.get("ReservedConcurrentExecutions")
    function["concurrency"] = None if reserved is None else int(reserved)
