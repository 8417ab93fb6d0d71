"""Sample data for the deployed tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.account.client import Account


FILE = "events/sample-members.json"


def load_samples(account: Account, stack_name: str, root: Path) -> None:
    """Put the items of `FILE` (a JSON list, DynamoDB's own notation) into the stack's tables.

    Each goes where it has the table's key attributes. Nothing is done without the file.
    """
    file = root / FILE
    if not file.is_file():
        return
    client = account.client("dynamodb")
    tables = {
        name: {
            key["AttributeName"]
            for key in client.describe_table(TableName=name)["Table"]["KeySchema"]
        }
        for name in account.tables(stack_name)
    }
    for item in json.loads(file.read_text(encoding="utf-8")):
        for name, keys in tables.items():
            if keys <= item.keys():
                client.put_item(TableName=name, Item=item)
