"""Sample data for the deployed tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.local.account import Account


def load_samples(account: Account, stack_name: str, file: Path) -> None:
    """Put the items of a file (a JSON list, DynamoDB's own notation) into the stack's one table.

    Nothing is done without the file, or where the stack has no table or several.
    """
    tables = account.tables(stack_name)
    if not file.is_file() or len(tables) != 1:
        return
    client = account.client("dynamodb")
    for item in json.loads(file.read_text(encoding="utf-8")):
        client.put_item(TableName=tables[0], Item=item)
