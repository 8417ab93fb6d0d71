"""The claims routes while DynamoDB is down, throttles, or its answers get lost."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from claims.handler import handle
from claims.storage import Claims
from insurance.table import Table

from tests.functions.conftest import client_at

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = ("create", "create-idempotent", "list", "get", "update", "delete")


class Throttled:
    """A client to whom DynamoDB says that it is too much."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def refuse(**_request: Any) -> Any:
            answer = {
                "Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            raise ClientError(answer, operation)

        return refuse


class AnswerLost:
    """A client whose first write is carried out, and its answer lost on the way.

    `repeats` as botocore does it, so that the caller sees the second attempt's answer.
    """

    def __init__(self, client: Any, *, repeats: bool) -> None:
        self._client, self._repeats, self._lost = client, repeats, False

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        ask = getattr(self._client, operation)

        def lose(**request: Any) -> Any:
            if self._lost or operation == "get_item":
                return ask(**request)
            self._lost = True
            ask(**request)
            if self._repeats:
                return ask(**request)
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

        return lose


def call(table: Table, context: Any, event: dict[str, Any]) -> tuple[int, Any, dict[str, Any]]:
    """Status, body and headers of the route's answer over a table."""
    answer = handle(event, context, Claims(table))
    body = json.loads(answer["body"]) if answer["body"] else None
    return answer["statusCode"], body, answer["multiValueHeaders"]


def of(event: dict[str, Any], claim: dict[str, Any]) -> dict[str, Any]:
    """An event about that claim."""
    return event | {"path": f"/claims/{claim['memberId']}/{claim['claimId']}"}


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("trouble", ["down", "throttled"])
def test_503_says_when_to_come_again(context: Any, event: Any, name: str, trouble: str) -> None:
    """Every route, as JSON, and no word of what is behind it."""
    client = client_at(closed_port()) if trouble == "down" else Throttled()
    status, body, headers = call(Table(client, "claims"), context, event(f"claims/{name}"))
    assert status == body["statusCode"] == 503
    assert headers["Retry-After"] == ["1"]
    assert "dynamodb" not in json.dumps(body).lower()


def test_what_is_refused_by_itself_needs_no_table(context: Any, event: Any) -> None:
    """A bad request is 400 whether or not DynamoDB is there."""
    table = Table(Throttled(), "claims")
    assert call(table, context, event("claims/create-wrong-types"))[0] == 400


def test_a_creation_whose_answer_was_lost_is_found_by_its_key(
    context: Any, event: Any, table: Table, items: Any
) -> None:
    """503, then the same claim as if nothing had happened: written whole, and once."""
    create = event("claims/create-idempotent")
    losing = Table(AnswerLost(table.client, repeats=False), table.name)
    assert call(losing, context, create)[0] == 503
    before = items()
    status, claim, _ = call(losing, context, create)
    assert (status, claim["version"]) == (201, 1)
    assert items() == before
    assert len([item for item in before if item["SK"]["S"].startswith("CLAIM#")]) == 1


def test_an_update_whose_answer_was_lost_can_be_sent_again(
    context: Any, event: Any, table: Table
) -> None:
    """503, then 200 with the one version that it made."""
    created = call(table, context, event("claims/create"))[1]
    update = of(event("claims/update"), created)
    losing = Table(AnswerLost(table.client, repeats=False), table.name)
    assert call(losing, context, update)[0] == 503
    status, updated, _ = call(losing, context, update)
    assert (status, updated["version"]) == (200, 2)


def test_attempts_of_the_client_itself_are_no_conflict(
    context: Any, event: Any, table: Table
) -> None:
    """The SDK tries again by itself, and so meets its own first attempt."""

    def losing() -> Table:
        return Table(AnswerLost(table.client, repeats=True), table.name)

    status, created, _ = call(losing(), context, event("claims/create"))
    assert status == 201
    status, updated, _ = call(losing(), context, of(event("claims/update"), created))
    assert (status, updated["version"]) == (200, 2)
    assert call(losing(), context, of(event("claims/delete"), created))[0] == 204
    assert call(table, context, of(event("claims/get"), created))[0] == 404
