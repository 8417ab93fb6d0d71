"""The sample events, and a table in memory that takes the requests the functions make."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture
def event() -> Callable[[str], Any]:
    """Read a sample event by its name below events/, without the extension."""

    def read(name: str) -> Any:
        return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture
def context() -> Any:
    """What Lambda says of an invocation."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
        aws_request_id="8d1c7d9e-5f0a-4b8e-9c55-0f2a1d3e4b5c",
    )


class MemoryTable:
    """As much of a DynamoDB client as the functions use, over one table with the index."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        assert request["ConditionExpression"] == "attribute_not_exists(PK)"
        key = self._key(request["Item"])
        assert key not in self.items
        self.items[key] = request["Item"]
        return {}

    def get_item(self, **request: Any) -> dict[str, Any]:
        item = self.items.get(self._key(request["Key"]))
        return {} if item is None else {"Item": item}

    def query(self, **request: Any) -> dict[str, Any]:
        assert request["IndexName"] == "ByCreation"
        assert request["KeyConditionExpression"] == "PK = :member"
        partition = request["ExpressionAttributeValues"][":member"]["S"]
        found = [
            item for (pk, _), item in self.items.items() if pk == partition and "createdAt" in item
        ]
        found.sort(key=lambda item: item["createdAt"]["S"], reverse=not request["ScanIndexForward"])
        return {"Items": found[: request["Limit"]]}

    @staticmethod
    def _key(item: dict[str, Any]) -> tuple[str, str]:
        return item["PK"]["S"], item["SK"]["S"]


@pytest.fixture
def table(event: Callable[[str], Any]) -> MemoryTable:
    """A table with the sample members in it."""
    table = MemoryTable()
    for item in event("sample-members"):
        table.items[item["PK"]["S"], item["SK"]["S"]] = item
    return table
