"""API keys and usage plans as API Gateway keeps them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Result = tuple[str, dict[str, Any]]

_API_KEY = "AWS::ApiGateway::ApiKey"
_USAGE_PLAN = "AWS::ApiGateway::UsagePlan"


def keep_api_keys() -> None:
    """Give values to those who ask for them, and plans the numbers their template gives them.

    MiniStack: shows a key's value to whoever may list keys; of a plan drops the throttles of single
    methods, keeps numbers as the text a parameter gives, takes stages and keys that do not exist,
    and a key in two plans of one stage; a key without `Enabled`, or with "false", is enabled; a
    deleted key stays in its plans.
    AWS: shows values for `includeValue(s)=true` alone (`GetApiKey`, `GetApiKeys`); `Throttle` of
    `ApiStages` (`AWS::ApiGateway::UsagePlan ApiStage`); stages and keys must exist ("API Stage not
    found", `NotFoundException` of `CreateUsagePlanKey`); a key is in one plan of a stage ("Usage
    plans and API keys for REST APIs"). Nobody here has seen how `ConflictException` is worded, nor
    that a key is disabled unless it says otherwise, as `CreateApiKey` is reported to behave.
    """
    _hide_values()
    _change(_API_KEY, _key)
    _change(_USAGE_PLAN, _plan)
    create_plan_key, delete_key = rest._create_usage_plan_key, rest._delete_api_key

    def plan_key_created(plan_id: str, data: Json) -> object:
        if data.get("keyId") not in rest._api_keys:
            message = "Invalid API Key identifier specified"
            return rest._v1_error("NotFoundException", message, 404)
        taken = _stages_of_key(data["keyId"], plan_id) & _stages_of_plan(plan_id)
        if taken:
            message = f"The key is in another usage plan of {', '.join(sorted(taken))} already"
            return rest._v1_error("ConflictException", message, 409)
        return create_plan_key(plan_id, data)

    def key_deleted(key_id: str) -> object:
        for plan_id in list(rest._usage_plan_keys):
            rest._usage_plan_keys[plan_id].pop(key_id, None)
        return delete_key(key_id)

    rest._create_usage_plan_key, rest._delete_api_key = plan_key_created, key_deleted


def _stages_of_key(key_id: str, but: str) -> set[str]:
    """The stages of the plans that a key is in, one plan left out."""
    return {
        stage
        for plan_id, keys in rest._usage_plan_keys.items()
        if plan_id != but and key_id in keys
        for stage in _stages_of_plan(plan_id)
    }


def _stages_of_plan(plan_id: str) -> set[str]:
    listed = rest._usage_plans.get(plan_id, {}).get("apiStages") or []
    return {f"{one.get('apiId')}:{one.get('stage')}" for one in listed}


def _hide_values() -> None:
    handle = rest.handle_request

    async def handled(method: str, path: str, headers: Json, body: bytes, query: Json) -> Answer:
        answer: Answer = await handle(method, path, headers, body, query)
        asked = "true" in (rest._qp(query, "includeValue"), rest._qp(query, "includeValues"))
        if method != "GET" or path.strip("/").split("/")[0] != "apikeys" or asked:
            return answer
        said = json.loads(answer[2])
        for key in said.get("item", [said]):
            key.pop("value", None)
        return answer[0], answer[1], json.dumps(said).encode()

    rest.handle_request = handled


def _change(resource_type: str, changed: Callable[[Json], Json]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        result: Result = create(logical_id, changed(properties), stack_name)
        return result

    def updated(physical_id: str, old: Json, new: Json, stack_name: str) -> Result:
        result: Result = update(physical_id, old, changed(new), stack_name)
        return result

    handlers.update(create=created, update=updated)


def _key(properties: Json) -> Json:
    return {**properties, "Enabled": provisioners._cfn_bool(properties.get("Enabled", False))}


def _plan(properties: Json) -> Json:
    plan = dict(properties)
    if plan.get("Throttle"):
        plan["Throttle"] = _throttle(plan["Throttle"])
    if plan.get("Quota"):
        numbers = {
            name: int(plan["Quota"][name]) for name in ("Limit", "Offset") if name in plan["Quota"]
        }
        plan["Quota"] = {**plan["Quota"], **numbers}
    plan["ApiStages"] = [_stage(stage) for stage in plan.get("ApiStages") or []]
    return plan


def _stage(stage: Json) -> Json:
    if stage.get("Stage") not in rest._stages_v1.get(stage.get("ApiId", ""), {}):
        raise ValueError(
            f"API Stage not found: {stage.get('ApiId')}:{stage.get('Stage')} "
            "(Service: ApiGateway, Status Code: 404)"
        )
    methods = {
        method: {name[0].lower() + name[1:]: value for name, value in _throttle(numbers).items()}
        for method, numbers in (stage.get("Throttle") or {}).items()
    }
    return {**stage, "Throttle": methods}


def _throttle(numbers: Json) -> Json:
    read: Json = {}
    if "BurstLimit" in numbers:
        read["BurstLimit"] = int(numbers["BurstLimit"])
    if "RateLimit" in numbers:
        read["RateLimit"] = float(numbers["RateLimit"])
    return read
