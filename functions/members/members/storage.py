"""Members in DynamoDB: the profile item of each.

Other tools write profiles. What a profile lacks, or has in another type than text, is null in the
answer, and the log names the item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aws_lambda_powertools import Logger
from insurance.table import available

if TYPE_CHECKING:
    from insurance.table import Table

Member: TypeAlias = dict[str, str | None]
"""`memberId`, `name` and `email`; null where the profile does not say."""

_SHOWN = ("name", "email")

logger = Logger(service="members", child=True)


class Members:
    """The members in a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, member_id: str) -> Member | None:
        """One member. Raises insurance.table.UnavailableError."""
        key = {"PK": {"S": f"MEMBER#{member_id}"}, "SK": {"S": "PROFILE"}}
        with available():
            answer = self._table.client.get_item(
                TableName=self._table.name,
                Key=key,
                # Who asks about a member that was written a moment ago takes "no such" for final.
                ConsistentRead=True,
            )
        item = answer.get("Item")
        if item is None:
            return None
        shown = {name: item.get(name, {}).get("S") or None for name in _SHOWN}
        lacking = [name for name, text in shown.items() if text is None]
        if lacking:
            logger.warning("profile is not whole", key=f"MEMBER#{member_id}/PROFILE", lacks=lacking)
        return {"memberId": member_id, **shown}
