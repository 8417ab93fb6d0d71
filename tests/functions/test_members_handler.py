"""The members route."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from members.handler import handle
from members.storage import Members

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def call(table: Any, context: Any) -> Callable[[dict[str, Any]], tuple[int, Any]]:
    """Hand an event to the handler over the table: status and body."""

    def send(event: dict[str, Any]) -> tuple[int, Any]:
        answer = handle(event, context, Members(table))
        return answer["statusCode"], json.loads(answer["body"])

    return send


def test_a_member_is_shown_without_keys(
    call: Callable[[dict[str, Any]], tuple[int, Any]], event: Callable[[str], Any]
) -> None:
    """What the sample members say, and nothing of how they are stored."""
    member = {"memberId": "m-1001", "name": "Ada Lovelace", "email": "ada@example.com"}
    assert call(event("members/get")) == (200, member)


def test_an_unknown_member_is_404(
    call: Callable[[dict[str, Any]], tuple[int, Any]], event: Callable[[str], Any]
) -> None:
    """With a body that says so."""
    answer = {"statusCode": 404, "message": "There is no such member"}
    assert call(event("members/get-unknown")) == (404, answer)


def test_an_encoded_slash_is_no_way_out(
    call: Callable[[dict[str, Any]], tuple[int, Any]], event: Callable[[str], Any]
) -> None:
    """A grant for one member's path reaches no other member."""
    assert call(event("members/get-encoded-slash"))[0] == 400


@pytest.mark.parametrize("path", ["/members/", "/members/..", "/members/%C3%A9", "/members/a/b"])
def test_no_path_is_an_error_of_ours(
    call: Callable[[dict[str, Any]], tuple[int, Any]], event: Callable[[str], Any], path: str
) -> None:
    """Whatever path arrives, and without pathParameters: 400 or 404, as JSON."""
    status, answer = call(event("members/get") | {"path": path, "pathParameters": None})
    assert status in (400, 404)
    assert answer["statusCode"] == status
