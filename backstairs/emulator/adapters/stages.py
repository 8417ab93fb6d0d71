"""Stages that log access."""

from __future__ import annotations

from typing import Any

from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import provisioners

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def keep_stage_access_logs() -> None:
    """Keep `AccessLogSetting`, and refuse it while the account has no role for it.

    MiniStack: drops the property.
    AWS: `GetStage` shows it as `accessLogSettings`; without a CloudWatch Logs role in the
    account's settings the stage is refused ("Set up CloudWatch logging for REST APIs in API
    Gateway").
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Stage"]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        _check(properties)
        result: Result = create(logical_id, properties, stack_name)
        _keep(properties)
        return result

    def updated(stage_name: str, old: Json, new: Json, stack_name: str) -> Result:
        _check(new)
        result: Result = update(stage_name, old, new, stack_name)
        _keep(new)
        return result

    handlers.update(create=created, update=updated)


def _check(properties: Json) -> None:
    settings = rest._account_settings.get("settings") or {}
    if properties.get("AccessLogSetting") and not settings.get("cloudwatchRoleArn"):
        raise ValueError(
            "CloudWatch Logs role ARN must be set in account settings to enable logging "
            "(Service: ApiGateway, Status Code: 400)"
        )


def _keep(properties: Json) -> None:
    setting = properties.get("AccessLogSetting") or {}
    stage = rest._stages_v1[properties["RestApiId"]][properties["StageName"]]
    stage["accessLogSettings"] = {
        name[0].lower() + name[1:]: value for name, value in setting.items()
    }
