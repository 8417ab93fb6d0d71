"""DynamoDB tables with the protections their template gives them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def keep_table_protections() -> None:
    """Apply encryption, recovery, expiry and deletion protection of a template's tables.

    MiniStack: drops `SSESpecification`, `PointInTimeRecoverySpecification`, `TableClass` and
    `TimeToLiveSpecification`; a stack deletes a protected table; a new key schema or local index
    empties the table in place, whatever `UpdateReplacePolicy` says.
    AWS: applies them; "Resource cannot be deleted as it is currently protected against deletion"
    (`DeletionProtectionEnabled`); `KeySchema` and `LocalSecondaryIndexes` replace the table
    (`AWS::DynamoDB::Table`), which retains the old one if so told (`UpdateReplacePolicy`).
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        result: Result = create(logical_id, properties, stack_name)
        _protect(result[0], {}, properties)
        return result

    def updated(
        table: str, old: Json, new: Json, stack_name: str, logical_id: str | None = None
    ) -> Result:
        if "TableName" not in new and _reshaped(old, new):
            replacement: Result = provisioners._seeded_create(created, logical_id, new, stack_name)
            provisioners._delete_predecessor(deleted, table, old)
            return replacement
        result: Result = update(table, old, new, stack_name, logical_id)
        _protect(result[0], old if result[0] == table else {}, new)
        return result

    def deleted(table: str, properties: Json) -> None:
        if dynamodb._tables.get(table, {}).get("DeletionProtectionEnabled"):
            raise ValueError(
                "Resource cannot be deleted as it is currently protected against deletion. "
                "Disable deletion protection first. (Service: DynamoDb, Status Code: 400)"
            )
        delete(table, properties)

    handlers.update(create=created, update=updated, delete=deleted)


def _reshaped(old: Json, new: Json) -> bool:
    return any(old.get(name) != new.get(name) for name in ("KeySchema", "LocalSecondaryIndexes"))


def _protect(table: str, old: Json, new: Json) -> None:
    record = dynamodb._tables[table]
    record["DeletionProtectionEnabled"] = provisioners._cfn_bool(
        new.get("DeletionProtectionEnabled", False)
    )
    encryption = new.get("SSESpecification")
    if encryption:
        enabled = provisioners._cfn_bool(encryption.get("SSEEnabled"))
        record["SSEDescription"] = dynamodb._sse_description_from_spec(
            {**encryption, "Enabled": enabled}
        )
    if new.get("TableClass"):
        record["TableClassSummary"] = {"TableClass": new["TableClass"]}
    recovery = new.get("PointInTimeRecoverySpecification") or {}
    if recovery or old.get("PointInTimeRecoverySpecification"):
        enabled = provisioners._cfn_bool(recovery.get("PointInTimeRecoveryEnabled", False))
        specification = {"PointInTimeRecoveryEnabled": enabled}
        _call(
            dynamodb._update_continuous_backups,
            {"TableName": table, "PointInTimeRecoverySpecification": specification},
        )
    expiry = new.get("TimeToLiveSpecification")
    if expiry is None and old.get("TimeToLiveSpecification"):
        expiry = {**old["TimeToLiveSpecification"], "Enabled": False}
    if expiry and expiry != old.get("TimeToLiveSpecification"):
        specification = {**expiry, "Enabled": provisioners._cfn_bool(expiry.get("Enabled"))}
        _call(dynamodb._update_ttl, {"TableName": table, "TimeToLiveSpecification": specification})


def _call(operation: Callable[[Json], tuple[int, Json, bytes]], request: Json) -> None:
    status, _, body = operation(request)
    if status != HTTPStatus.OK:
        raise ValueError(json.loads(body).get("message", "refused by DynamoDB"))
