"""The claims routes, from the sample events to what is stored."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from claims.handler import handle
from claims.storage import Claims

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[int, Any, dict[str, Any]]


@pytest.fixture
def call(table: Any, context: Any) -> Callable[[dict[str, Any]], Answer]:
    """Hand an event to the handler over the table: status, body, headers."""

    def send(event: dict[str, Any]) -> Answer:
        answer = handle(event, context, Claims(table, "claims"))
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        assert headers["Content-Type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"]), headers

    return send


def test_a_created_claim_can_be_read_where_its_location_says(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any]
) -> None:
    """201, the claim itself, and a Location with the stage that leads to it."""
    status, created, headers = call(event("claims/create"))
    assert status == 201
    assert created["memberId"] == "m-1001"
    assert created["version"] == 1
    assert created["createdAt"] == created["updatedAt"]
    assert created.items() >= json.loads(event("claims/create")["body"]).items()
    assert headers["Location"] == f"/dev/claims/m-1001/{created['claimId']}"

    get = event("claims/get")
    get["path"] = headers["Location"].removeprefix("/dev")
    assert call(get)[:2] == (200, created)


def test_claims_are_listed_newest_first(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any]
) -> None:
    """A member's claims and no others, nor the member's profile."""
    first, second = (call(event("claims/create"))[1] for _ in range(2))
    elsewhere = event("claims/create") | {"path": "/claims/m-1002"}
    assert call(elsewhere)[0] == 201
    assert call(event("claims/list"))[:2] == (200, {"claims": [second, first]})


def test_keys_are_made_of_checked_ids(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any], table: Any
) -> None:
    """PK names the member of the path, SK the claim."""
    created = call(event("claims/create"))[1]
    assert ("MEMBER#m-1001", f"CLAIM#{created['claimId']}") in table.items


def test_a_percent_encoded_id_is_the_same_id(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any]
) -> None:
    """REST APIs hand paths on as they came."""
    status, created, _ = call(event("claims/create") | {"path": "/claims/%6D-1001"})
    assert (status, created["memberId"]) == (201, "m-1001")


def test_a_base64_body_is_decoded(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any]
) -> None:
    """As API Gateway sends it once the API has binary media types."""
    create = event("claims/create")
    create["body"] = base64.b64encode(create["body"].encode()).decode()
    assert call(create | {"isBase64Encoded": True})[0] == 201


@pytest.mark.parametrize("body", ["no base64!", "/w=="])
def test_a_body_that_cannot_be_decoded_is_refused(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any], body: str
) -> None:
    """Neither broken base64 nor bytes that are no UTF-8 are an error of ours."""
    status, answer, _ = call(event("claims/create") | {"body": body, "isBase64Encoded": True})
    assert status == 400
    assert answer["statusCode"] == 400


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("create-empty-body", []),
        ("create-malformed-body", []),
        ("create-wrong-types", ["memberName", "amount", "currency", "occurredOn"]),
        ("create-server-fields", ["PK", "SK", "claimId", "version", "createdAt"]),
    ],
)
def test_what_is_no_claim_is_refused_and_not_stored(
    call: Callable[[dict[str, Any]], Answer],
    event: Callable[[str], Any],
    table: Any,
    name: str,
    fields: list[str],
) -> None:
    """400 with the fields at fault; the table stays as it was."""
    before = dict(table.items)
    status, answer, _ = call(event(f"claims/{name}"))
    assert status == answer["statusCode"] == 400
    assert answer["message"]
    assert [error["field"] for error in answer["errors"]] == fields
    assert table.items == before


def test_an_oversize_body_is_413(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any]
) -> None:
    """Longer than any claim can be."""
    status, answer, _ = call(event("claims/create") | {"body": "x" * 1_000_000})
    assert status == answer["statusCode"] == 413


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("get", 404),
        ("get-encoded-slash", 400),
        ("get-unicode", 400),
        ("list-dots", 400),
    ],
)
def test_ids_that_lead_nowhere(
    call: Callable[[dict[str, Any]], Answer],
    event: Callable[[str], Any],
    name: str,
    status: int,
) -> None:
    """404 for a claim that is not there, 400 for what cannot be an id."""
    answered, answer, _ = call(event(f"claims/{name}"))
    assert answered == answer["statusCode"] == status
    assert answer["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/claims/m-1001%252FPROFILE/3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "/claims/m-1001/PROFILE",
        "/claims/m-1001/%FF",
        "/claims/☃",
        "/claims/m-1001/a/b",
        "/claims//x",
        "/claims/",
        "/claims/%00",
        '/claims/"',
        "/",
        "",
    ],
)
def test_no_path_is_an_error_of_ours(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any], path: str
) -> None:
    """Whatever path arrives, and without pathParameters: 400 or 404, as JSON."""
    status, answer, _ = call(event("claims/get") | {"path": path, "pathParameters": None})
    assert status in (400, 404)
    assert answer["statusCode"] == status


def test_a_verb_without_a_route_is_404(
    call: Callable[[dict[str, Any]], Answer], event: Callable[[str], Any]
) -> None:
    """API Gateway does not send it, and the function does not take it."""
    assert call(event("claims/get") | {"httpMethod": "PATCH"})[0] == 404
