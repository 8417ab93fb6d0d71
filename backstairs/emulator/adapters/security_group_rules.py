"""Security group rules as resources of their own."""

from __future__ import annotations

from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def provide_security_group_rules() -> None:
    """Provide `AWS::EC2::SecurityGroupIngress` and `AWS::EC2::SecurityGroupEgress`.

    MiniStack: refuses both types ("Unsupported resource type").
    AWS: adds one rule to a group; `Ref` and `Id` are the rule's id; only `Description` changes in
    place; a rule that is there already is refused (both types in the CloudFormation Template
    Reference; `InvalidPermission.Duplicate` in "Error codes for the Amazon EC2 API").
    """
    for resource_type, key in (
        ("AWS::EC2::SecurityGroupIngress", "IpPermissions"),
        ("AWS::EC2::SecurityGroupEgress", "IpPermissionsEgress"),
    ):
        provisioners._RESOURCE_HANDLERS[resource_type] = _Rule(key).handlers()


class _Rule:
    def __init__(self, key: str) -> None:
        self.key = key

    def handlers(self) -> dict[str, Any]:
        return {"create": self.create, "update": self.update, "delete": self.delete}

    def create(self, _logical_id: str, properties: Properties, _stack_name: str) -> Result:
        group = ec2._security_groups.get(properties.get("GroupId", ""))
        if group is None:
            raise ValueError(
                f"The security group '{properties.get('GroupId')}' does not exist "
                "(InvalidGroup.NotFound)"
            )
        [rule] = provisioners._ec2_sg_permissions([properties])
        if any(ec2._rules_match(rule, present) for present in group[self.key]):
            raise ValueError(
                "the specified rule already exists in the group (InvalidPermission.Duplicate)"
            )
        egress = self.key == "IpPermissionsEgress"
        rule_id = ec2._sg_rule_id(group["GroupId"], egress, rule)
        rule["SecurityGroupRuleId"] = rule_id
        group[self.key].append(rule)
        return rule_id, {"Id": rule_id}

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Result:
        if _without_description(old) != _without_description(new):
            created = self.create(physical_id, new, stack_name)
            provisioners._delete_predecessor(self.delete, physical_id, old)
            return created
        group = ec2._security_groups[new["GroupId"]]
        [described] = provisioners._ec2_sg_permissions([new])
        for rule in group[self.key]:
            if rule.get("SecurityGroupRuleId") == physical_id:
                rule.update(described)
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:
        group = ec2._security_groups.get(properties.get("GroupId", ""))
        if group is not None:
            group[self.key] = [
                rule for rule in group[self.key] if rule.get("SecurityGroupRuleId") != physical_id
            ]


def _without_description(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if name != "Description"}
