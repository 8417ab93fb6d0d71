"""Members in DynamoDB: the profile item of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Member: TypeAlias = dict[str, str]

_SHOWN = ("memberId", "name", "email")


class DynamoDB(Protocol):
    """What is used of boto3's DynamoDB client."""

    def get_item(self, **request: Any) -> Mapping[str, Any]:
        """One item by its key."""


class Members:
    """The members in a table."""

    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name

    def find(self, member_id: str) -> Member | None:
        """One member."""
        key = {"PK": {"S": f"MEMBER#{member_id}"}, "SK": {"S": "PROFILE"}}
        item = self._client.get_item(TableName=self._table, Key=key).get("Item")
        return {name: item[name]["S"] for name in _SHOWN} if item else None
