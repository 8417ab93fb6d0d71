"""Roles that a template cannot make stronger than it says."""

from __future__ import annotations

from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def limit_roles() -> None:
    """Keep `PermissionsBoundary` of a template's roles, and attach only policies that exist.

    MiniStack: drops the boundary, so that a role may do more here than on AWS; attaches any ARN.
    AWS: the boundary intersects with the role's policies ("Permissions boundaries for IAM
    entities"); a policy that does not exist is refused (`AttachRolePolicy`: `NoSuchEntity`).
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        _check(properties)
        result: Result = create(logical_id, properties, stack_name)
        iam._roles[result[0]]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
        return result

    def updated(
        name: str, old: Json, new: Json, stack_name: str, logical_id: str | None = None
    ) -> Result:
        _check(new)
        result: Result = update(name, old, new, stack_name, logical_id)
        iam._roles[result[0]]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return result

    handlers.update(create=created, update=updated)


def _check(properties: Json) -> None:
    named = [*properties.get("ManagedPolicyArns", []), properties.get("PermissionsBoundary")]
    for arn in named:
        if arn and not iam._policy_exists(arn):
            known = " to MiniStack; see managed_policies.py" if iam._is_aws_managed_arn(arn) else ""
            raise ValueError(f"Policy {arn} does not exist or is not attachable{known}")
