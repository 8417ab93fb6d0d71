"""Claims in DynamoDB: one item each, below its member. Each write is one conditional request.

A deleted claim leaves a tombstone without the claim's data, so that a late repetition of the
request that made it does not make it again, and so that the stream tells deletions from changes.
A tombstone is no claim: having no `createdAt`, it is not in the index either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from service.table import Table, available

from claims.claim import FIELDS, same
from claims.cursor import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claims.claim import Claim

Item = dict[str, dict[str, str]]

_INTERNAL: Final = frozenset({"PK", "SK", "fingerprint"})
_IS_A_CLAIM: Final = "attribute_exists(createdAt)"


class KeyReusedError(Exception):
    """The claim exists and was made by another request."""


class DeletedError(Exception):
    """The claim was made by the same request earlier and has been deleted since."""


class ConflictError(Exception):
    """The claim is not at the version that was to be changed; `version` is the one it is at."""

    def __init__(self, version: int) -> None:
        super().__init__(f"at version {version}")
        self.version = version


class _UnmetError(Exception):
    """The condition of a write did not hold; `item` is what was there."""

    def __init__(self, item: Item | None) -> None:
        self.item = item


class Claims:
    """The claims in a table. Every method raises service.table.UnavailableError."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, claim: Claim, fingerprint: str) -> Claim:
        """Store a new claim; where the same request stored it before, that one as it is now.

        Raises KeyReusedError and DeletedError.
        """
        item = _item({**claim, "fingerprint": fingerprint})
        try:
            self._write("put_item", Item=item, ConditionExpression="attribute_not_exists(PK)")
        except _UnmetError as unmet:
            there = unmet.item
            if there is None or "createdAt" not in there:
                raise DeletedError from None
            if there["fingerprint"]["S"] != fingerprint:
                raise KeyReusedError from None
            return _claim(there)
        return claim

    def find(self, member_id: str, claim_id: str) -> Claim | None:
        """One claim of a member."""
        with available():
            answer = self._table.client.get_item(
                TableName=self._table.name, Key=_key(member_id, claim_id), ConsistentRead=True
            )
        item = answer.get("Item", {})
        return _claim(item) if "createdAt" in item else None

    def newest(
        self, member_id: str, *, most: int, after: Place | None = None
    ) -> tuple[list[Claim], Place | None]:
        """A page of a member's claims, newest first, and its end where more may follow."""
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "IndexName": "ByCreation",
            "KeyConditionExpression": "PK = :member",
            "ExpressionAttributeValues": {":member": {"S": _partition(member_id)}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": most,
        }
        if after is not None:
            start = _key(member_id, after.claim_id) | {"createdAt": {"S": after.created_at}}
            request["ExclusiveStartKey"] = start
        with available():
            answer = self._table.client.query(**request)
        last = answer.get("LastEvaluatedKey")
        end = _place(last) if last else None
        return [_claim(item) for item in answer["Items"]], end

    def change(
        self, fields: Claim, *, member_id: str, claim_id: str, version: int, at: str
    ) -> Claim | None:
        """Replace a claim's fields at that version; the claim as it is then, None without one.

        Where the same change was made already, by a request whose answer was lost, it stays
        made. Raises ConflictError.
        """
        gone = [name for name in FIELDS if name not in fields]
        written = {**fields, "version": version + 1, "updatedAt": at}
        names = {f"#{name}": name for name in (*written, *gone)}
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
        if gone:
            update += " REMOVE " + ", ".join(f"#{name}" for name in gone)
        values = {f":{name}": _value(value) for name, value in written.items()}
        try:
            answer = self._write(
                "update_item",
                Key=_key(member_id, claim_id),
                UpdateExpression=update,
                ConditionExpression=f"{_IS_A_CLAIM} AND #version = :expected",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**values, ":expected": _value(version)},
                ReturnValues="ALL_NEW",
            )
        except _UnmetError as unmet:
            there = unmet.item
            if there is None or "createdAt" not in there:
                return None
            claim = _claim(there)
            if claim["version"] == version + 1 and same(claim, fields):
                return claim
            raise ConflictError(int(claim["version"])) from None
        return _claim(answer["Attributes"])

    def remove(self, member_id: str, claim_id: str, *, at: str, forgotten: int) -> bool:
        """Delete a claim; False without one. `forgotten`, in epoch seconds, ends its tombstone."""
        tombstone = _key(member_id, claim_id) | {
            "deletedAt": {"S": at},
            "expiresAt": {"N": str(forgotten)},
        }
        try:
            self._write("put_item", Item=tombstone, ConditionExpression=_IS_A_CLAIM)
        except _UnmetError as unmet:
            # One of our own, where the first attempt's answer was lost.
            return unmet.item == tombstone
        return True

    def _write(self, operation: str, **request: Any) -> Mapping[str, Any]:
        try:
            with available():
                answer: Mapping[str, Any] = getattr(self._table.client, operation)(
                    TableName=self._table.name,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **request,
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # Not in botocore's types of errors: the item beside the code.
            raise _UnmetError(dict(error.response).get("Item")) from None
        return answer


def _partition(member_id: str) -> str:
    return f"MEMBER#{member_id}"


def _key(member_id: str, claim_id: str) -> Item:
    return {"PK": {"S": _partition(member_id)}, "SK": {"S": f"CLAIM#{claim_id}"}}


def _item(claim: Claim) -> Item:
    key = _key(str(claim["memberId"]), str(claim["claimId"]))
    return key | {name: _value(value) for name, value in claim.items()}


def _place(key: Item) -> Place:
    return Place(key["createdAt"]["S"], key["SK"]["S"].removeprefix("CLAIM#"))


def _value(value: str | int) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _claim(item: Mapping[str, Mapping[str, str]]) -> Claim:
    return {
        name: int(value["N"]) if "N" in value else value["S"]
        for name, value in item.items()
        if name not in _INTERNAL
    }
