"""Nested stacks that are transformed, export, update and retain as a stack does."""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, provisioners, stacks

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

# The parameters of the nested stack whose template is about to be read.
_given: contextvars.ContextVar[Json | None] = contextvars.ContextVar("nested", default=None)


def complete_nested_stacks() -> None:
    """Make a nested stack a stack.

    MiniStack: does not transform a nested stack's template, so that none can hold what SAM
    translates; drops the exports of a nested stack's outputs; loses the attributes of a resource
    that an update leaves alone, so that `GetAtt` of it fails the update; deletes resources whose
    `DeletionPolicy` retains them.
    AWS: transforms it ("Transform" holds for the template it is in; `AWS::Serverless::Application`
    exists to nest SAM's); a nested stack is "created as part of other stacks" and otherwise like
    any ("Embed stacks within other stacks using nested stacks"); export names are unique in account
    and region ("Outputs"); `DeletionPolicy` applies to the resource, whichever stack holds it.
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]
    update_resource, parse = provisioners._update_resource, engine._parse_template

    def parsed(body: str) -> Json:
        template: Json = parse(body)
        given = _given.get()
        if given is None or "Transform" not in template:
            return template
        _given.set(None)
        parameters = [{"Key": name, "Value": str(value)} for name, value in given.items()]
        transformed: Json = engine._apply_transforms(template, parameters)
        if isinstance(transformed, engine._TransformFailed):
            raise ValueError(transformed.error)  # noqa: TRY004 - the stack's failure, not a type's
        return transformed

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        _given.set(properties.get("Parameters") or {})
        result: Result = create(logical_id, properties, stack_name)
        _export(result[0])
        return result

    def updated(physical_id: str, old: Json, new: Json, stack_name: str) -> Result:
        _given.set(new.get("Parameters") or {})
        result: Result = update(physical_id, old, new, stack_name)
        _export(result[0])
        return result

    def deleted(physical_id: str, properties: Json) -> None:
        _let_go_of_retained(physical_id)
        delete(physical_id, properties)

    def resource_updated(*arguments: Any) -> Result:
        _, _, _, _, stack_name, logical_id, *known = arguments
        if not known:
            record = cloudformation._stacks[stack_name]["_resources"].get(logical_id, {})
            arguments = (*arguments, record.get("Attributes"))
        result: Result = update_resource(*arguments)
        return result

    handlers.update(create=created, update=updated, delete=deleted)
    provisioners._update_resource = resource_updated
    engine._parse_template = parsed


def _stack(physical_id: str) -> Json:
    name = provisioners._nested_stack_lookup_name(physical_id)
    return cloudformation._stacks.get(name) or {}


def _export(stack_id: str) -> None:
    stack = _stack(stack_id)
    template = stack["_template"]
    outputs, exports = stacks._resolve_stack_outputs(
        template.get("Outputs", {}),
        stack["_conditions"],
        stack["_resources"],
        stack["_resolved_params"],
        template.get("Mappings", {}),
        stack["StackName"],
        stack_id,
    )
    for name in exports:
        holder = cloudformation._exports.get(name)
        if holder is not None and holder["StackId"] != stack_id:
            raise ValueError(
                f"Export with name {name} is already exported by stack {holder['StackId']}"
            )
    for name, export in cloudformation._exports.items():
        if export["StackId"] == stack_id and name not in exports:
            del cloudformation._exports[name]
    for name, export in exports.items():
        cloudformation._exports[name] = export
    stack["Outputs"] = outputs


def _let_go_of_retained(stack_id: str) -> None:
    stack = _stack(stack_id)
    template = stack.get("_template") or {}
    resources = stack.get("_resources") or {}
    for logical_id, definition in (template.get("Resources") or {}).items():
        if logical_id not in resources:
            continue
        policy = stacks._resource_policy(
            definition,
            "DeletionPolicy",
            resources,
            stack["_resolved_params"],
            stack["_conditions"],
            template.get("Mappings", {}),
            stack["StackName"],
            stack["StackId"],
        )
        if policy in provisioners._RETAINING_POLICIES:
            kept = resources.pop(logical_id)
            stacks._add_event(
                stack["StackId"],
                stack["StackName"],
                logical_id,
                kept["ResourceType"],
                "DELETE_SKIPPED",
                physical_id=kept["PhysicalResourceId"],
            )
