"""Members in DynamoDB: the profile item of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from service.table import available

if TYPE_CHECKING:
    from service.table import Table

Member: TypeAlias = dict[str, str]

_SHOWN = ("memberId", "name", "email")


class Members:
    """The members in a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, member_id: str) -> Member | None:
        """One member. Raises service.table.UnavailableError."""
        key = {"PK": {"S": f"MEMBER#{member_id}"}, "SK": {"S": "PROFILE"}}
        with available():
            answer = self._table.client.get_item(TableName=self._table.name, Key=key)
        item = answer.get("Item")
        return {name: item[name]["S"] for name in _SHOWN} if item else None
