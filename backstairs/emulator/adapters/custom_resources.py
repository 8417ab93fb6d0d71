"""Custom resources whose failures show, and whose rollback cleans up."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource, provisioners

from backstairs.emulator import notices

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

_ANSWER_BYTES = 4096
_PATH = "/_ministack/cfn-response/"

# By stack and logical id, the physical id that a custom resource's last answer named.
_named: dict[tuple[str, str], str] = {}


def answer_for_custom_resources() -> None:
    """End a custom resource whose function ends without an answer, and delete one that failed.

    MiniStack: ignores how the function ended and waits an hour for an answer that cannot come;
    takes an answer of any size; forgets a resource whose creation failed.
    AWS: an answer has at most 4096 bytes ("Custom resource response objects") and names the
    resource, which is deleted when the stack rolls back ("delete" in "Custom resource request
    types"). It waits as MiniStack does, but who develops should not have to.
    The function runs as its own role there and here.
    """
    execute = lambda_svc._execute_function_with_config_scope
    deliver = custom_resource.deliver_response
    create = provisioners._custom_resource_create

    def executed(function: Json, event: Json) -> Json:
        result: Json = execute(function, event)
        _, found, token = str(event.get("ResponseURL", "")).partition(_PATH)
        pending = custom_resource._pending.get(token) if found else None
        if pending is not None and pending["result"] is None:
            deliver(token, {"Status": "FAILED", "Reason": _ended(result)})
        return result

    def delivered(token: str, response: Json) -> bool:
        size = len(json.dumps(response).encode())
        if size > _ANSWER_BYTES:
            reason = f"Response object is too long: {size} bytes of {_ANSWER_BYTES}"
            response = {**response, "Status": "FAILED", "Reason": reason, "Data": {}}
        named = response.get("PhysicalResourceId")
        if named:
            key = (str(response.get("StackId")), str(response.get("LogicalResourceId")))
            _named[key] = str(named)
        known: bool = deliver(token, response)
        return known

    def created(logical_id: str, properties: Json, stack_name: str, *kind: str) -> Result:
        key = (provisioners._cr_stack_id(stack_name), logical_id)
        _named.pop(key, None)
        try:
            result: Result = create(logical_id, properties, stack_name, *kind)
        except RuntimeError:
            if key in _named:
                _delete(_named[key], properties, stack_name, logical_id, *kind)
            raise
        return result

    lambda_svc._execute_function_with_config_scope = executed
    custom_resource.deliver_response = delivered
    provisioners._custom_resource_create = created
    handlers = provisioners._RESOURCE_HANDLERS.get("AWS::CloudFormation::CustomResource")
    if handlers is not None:
        handlers["create"] = created


def _delete(physical_id: str, properties: Json, stack_name: str, *rest: str) -> None:
    """Delete what failed to be created; that it cannot be must not hide why it failed."""
    try:
        provisioners._custom_resource_delete(physical_id, properties, stack_name, *rest)
    except (RuntimeError, TimeoutError) as error:
        notices.note(f"{stack_name}/{rest[0]}: {physical_id} was not deleted: {error}")


def _ended(result: Json) -> str:
    """Why there is no answer: the function's error, by its type and message, or none."""
    body = result.get("body")
    if not result.get("error") or not isinstance(body, dict):
        return "the function ended without an answer to the ResponseURL"
    return f"the function failed: {body.get('errorType')}: {body.get('errorMessage')}"
