"""Notifications in DynamoDB: one item for each change.

The table's stream hands them to whoever sends them. They hold a name and an address, so they
expire.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from insurance.table import Table, available

if TYPE_CHECKING:
    from notifier.change import Change
    from notifier.notification import Notification

# Longer than a change may come again: a day in the stream, two weeks set aside.
_KEPT_SECONDS = 30 * 24 * 3600


class Notifications:
    """The notifications in a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, change: Change, notification: Notification) -> bool:
        """Store the notification of a change; False where it is there already.

        Raises insurance.table.UnavailableError.
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
        expiry = {"expiresAt": {"N": str(int(time.time()) + _KEPT_SECONDS)}}
        try:
            with available():
                self._table.client.put_item(
                    TableName=self._table.name,
                    Item={name: {"S": value} for name, value in item.items()} | expiry,
                    ConditionExpression="attribute_not_exists(memberId)",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
