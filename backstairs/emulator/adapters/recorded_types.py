"""Resource types that a stack may declare and that do nothing here."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

from backstairs.emulator import notices

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

# The property that names the resource, which is also what `Ref` gives; and why it may do nothing.
_TYPES = {
    "AWS::CodeDeploy::Application": ("ApplicationName", "an alias moves at once"),
    "AWS::CodeDeploy::DeploymentConfig": ("DeploymentConfigName", "an alias moves at once"),
    "AWS::CodeDeploy::DeploymentGroup": ("DeploymentGroupName", "an alias moves at once"),
}


def record_types_without_effect() -> None:
    """Accept CodeDeploy's types, and say so in the notices.

    MiniStack: refuses them, so that a function with a `DeploymentPreference` cannot be deployed.
    AWS: shifts the alias' traffic step by step and back on an alarm ("Deploying serverless
    applications gradually with AWS SAM"); here the alias points to the new version at once.
    """
    for resource_type, (name_property, reason) in _TYPES.items():
        provisioners._RESOURCE_HANDLERS[resource_type] = _handlers(
            resource_type, name_property, reason
        )


def _handlers(resource_type: str, name_property: str, reason: str) -> Json:
    def create(logical_id: str, properties: Json, stack_name: str) -> Result:
        notices.note(f"{stack_name}/{logical_id} ({resource_type}) is recorded only: {reason}")
        name = properties.get(name_property) or provisioners._physical_name(stack_name, logical_id)
        return name, {"Id": name}

    def update(name: str, _old: Json, new: Json, _stack_name: str) -> Result:
        return new.get(name_property) or name, {"Id": name}

    def delete(_name: str, _properties: Json) -> None:
        pass

    return {"create": create, "update": update, "delete": delete}
