"""Notifications in DynamoDB: for each change one item, whoever sends them on reads them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from service.table import Table, available

if TYPE_CHECKING:
    from notifier.change import Change
    from notifier.notification import Notification


class Notifications:
    """The notifications in a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, change: Change, notification: Notification) -> bool:
        """Store the notification of a change; False where it is there already.

        Raises service.table.UnavailableError.
        """
        item = {
            "memberId": change.member_id,
            "changeId": change.change_id,
            "claimId": change.claim_id,
            "kind": change.kind,
            "at": change.at.isoformat(),
            "to": notification.to,
            "subject": notification.subject,
            "text": notification.text,
        }
        try:
            with available():
                self._table.client.put_item(
                    TableName=self._table.name,
                    Item={name: {"S": value} for name, value in item.items()},
                    ConditionExpression="attribute_not_exists(memberId)",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
