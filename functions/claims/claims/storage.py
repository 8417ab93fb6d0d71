"""Claims in DynamoDB: one item each, below its member. Each write is one conditional request.

A deleted claim leaves a tombstone without the claim's data, so that a late repetition of the
request that made it does not make it again, and so that the stream tells deletions from changes.
A tombstone is no claim: having no `createdAt`, it is not in the index either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from insurance.table import Table, available

from claims import item
from claims.claim import FIELDS, same_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claims.claim import Claim
    from claims.cursor import Place

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
    """The condition of a write did not hold; `there` is the item that was there."""

    def __init__(self, there: item.Item) -> None:
        self.there = there


class Claims:
    """The claims in a table. Every method raises insurance.table.UnavailableError."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has_member(self, member_id: str) -> bool:
        """Whether a member can have claims: there is a profile, whatever it says."""
        with available():
            answer = self._table.client.get_item(
                TableName=self._table.name,
                Key=item.profile_key(member_id),
                ProjectionExpression="PK",
                # A member may have been written a moment ago.
                ConsistentRead=True,
            )
        return "Item" in answer

    def add(self, claim: Claim, fingerprint: str) -> Claim:
        """Store a new claim; where the same request stored it before, that one as it is now.

        Raises KeyReusedError and DeletedError.
        """
        written = item.write(claim, fingerprint)
        try:
            self._write("put_item", Item=written, ConditionExpression="attribute_not_exists(PK)")
        except _UnmetError as unmet:
            if "createdAt" not in unmet.there:
                raise DeletedError from None
            found = item.read(unmet.there)
            if found is None or unmet.there.get("fingerprint") != written["fingerprint"]:
                raise KeyReusedError from None
            return found
        return claim

    def find(self, member_id: str, claim_id: str) -> Claim | None:
        """One claim of a member."""
        with available():
            answer = self._table.client.get_item(
                TableName=self._table.name, Key=item.key(member_id, claim_id), ConsistentRead=True
            )
        return item.read(answer["Item"]) if "Item" in answer else None

    def newest(
        self, member_id: str, *, limit: int, after: Place | None = None
    ) -> tuple[list[Claim], Place | None]:
        """A page of a member's claims, newest first, and its end where more may follow."""
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "IndexName": "ByCreation",
            "KeyConditionExpression": "PK = :member",
            "ExpressionAttributeValues": {":member": {"S": item.partition(member_id)}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        if after is not None:
            created_at = {"createdAt": {"S": after.created_at}}
            request["ExclusiveStartKey"] = item.key(member_id, after.claim_id) | created_at
        claims: list[Claim] = []
        while True:
            with available():
                answer = self._table.client.query(**request, Limit=limit - len(claims))
            claims += [claim for one in answer["Items"] if (claim := item.read(one)) is not None]
            last = answer.get("LastEvaluatedKey")
            end = item.place_of(last) if last else None
            # No page ends at what is no claim.
            if not last or end is not None:
                return claims, end
            request["ExclusiveStartKey"] = last

    def change(
        self, fields: Claim, *, member_id: str, claim_id: str, version: int, updated_at: str
    ) -> Claim | None:
        """Replace a claim's fields at that version; the claim as it is then, None without one.

        Where the same change was made already, by a request whose answer was lost, it stays
        made. Raises ConflictError.
        """
        gone = [name for name in FIELDS if name not in fields]
        written = {**fields, "version": version + 1, "updatedAt": updated_at}
        names = {f"#{name}": name for name in (*written, *gone)}
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
        if gone:
            update += " REMOVE " + ", ".join(f"#{name}" for name in gone)
        values = {f":{name}": item.value(plain) for name, plain in written.items()}
        try:
            answer = self._write(
                "update_item",
                Key=item.key(member_id, claim_id),
                UpdateExpression=update,
                ConditionExpression=f"{_IS_A_CLAIM} AND #version = :expected",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**values, ":expected": item.value(version)},
                ReturnValues="ALL_NEW",
            )
        except _UnmetError as unmet:
            claim = item.read(unmet.there) if unmet.there else None
            if claim is None or (claim["version"] == version + 1 and same_fields(claim, fields)):
                return claim
            raise ConflictError(int(claim["version"])) from None
        return item.read(answer["Attributes"])

    def remove(self, member_id: str, claim_id: str, *, deleted_at: str, expires_at: int) -> bool:
        """Delete a claim; False without one. `expires_at` (epoch seconds) ends its tombstone."""
        tombstone = item.key(member_id, claim_id) | {
            "deletedAt": item.value(deleted_at),
            "expiresAt": item.value(expires_at),
        }
        try:
            self._write("put_item", Item=tombstone, ConditionExpression=_IS_A_CLAIM)
        except _UnmetError as unmet:
            # One of our own, where the first attempt's answer was lost.
            return unmet.there == tombstone
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
            raise _UnmetError(dict(error.response).get("Item") or {}) from None
        return answer
