"""Claims in DynamoDB: one item each, below its member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claims.claim import Claim

_KEYS = ("PK", "SK")


class DynamoDB(Protocol):
    """What is used of boto3's DynamoDB client."""

    def get_item(self, **request: Any) -> Mapping[str, Any]:
        """One item by its key."""

    def put_item(self, **request: Any) -> Mapping[str, Any]:
        """Write one item."""

    def query(self, **request: Any) -> Mapping[str, Any]:
        """Items below one partition key."""


class Claims:
    """The claims in a table."""

    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name

    def add(self, claim: Claim) -> None:
        """Store a new claim; never over another one."""
        item = _key(str(claim["memberId"]), str(claim["claimId"])) | {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value}
            for name, value in claim.items()
        }
        self._client.put_item(
            TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(PK)"
        )

    def find(self, member_id: str, claim_id: str) -> Claim | None:
        """One claim of a member."""
        answer = self._client.get_item(TableName=self._table, Key=_key(member_id, claim_id))
        return _claim(answer["Item"]) if "Item" in answer else None

    def newest(self, member_id: str) -> list[Claim]:
        """A member's claims, newest first, at most 100."""
        answer = self._client.query(
            TableName=self._table,
            IndexName="ByCreation",
            KeyConditionExpression="PK = :member",
            ExpressionAttributeValues={":member": {"S": _partition(member_id)}},
            ScanIndexForward=False,
            Limit=100,
        )
        return [_claim(item) for item in answer["Items"]]


def _partition(member_id: str) -> str:
    return f"MEMBER#{member_id}"


def _key(member_id: str, claim_id: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": _partition(member_id)}, "SK": {"S": f"CLAIM#{claim_id}"}}


def _claim(item: Mapping[str, Mapping[str, str]]) -> Claim:
    return {
        name: int(value["N"]) if "N" in value else value["S"]
        for name, value in item.items()
        if name not in _KEYS
    }
