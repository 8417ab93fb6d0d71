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
    from typing import TypeAlias

    Answer: TypeAlias = tuple[int, Any, dict[str, Any]]
    Call: TypeAlias = Callable[[dict[str, Any]], Answer]
    Events: TypeAlias = Callable[[str], Any]


@pytest.fixture
def call(table: Any, context: Any) -> Call:
    """Hand an event to the handler over the table: status, body, headers."""

    def send(event: dict[str, Any]) -> Answer:
        answer = handle(event, context, Claims(table))
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        if answer["statusCode"] == 204:
            assert not answer["body"]
            return 204, None, headers
        assert headers["Content-Type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"]), headers

    return send


def changed(event: dict[str, Any], **headers: str | None) -> dict[str, Any]:
    """An event with headers set, by their names with underscores, or left out."""
    all_headers = dict(event["headers"])
    for name, value in headers.items():
        if value is None:
            all_headers.pop(name.replace("_", "-"), None)
        else:
            all_headers[name.replace("_", "-")] = value
    return event | {"headers": all_headers}


def of(event: dict[str, Any], claim: dict[str, Any]) -> dict[str, Any]:
    """An event about that claim."""
    return event | {"path": f"/claims/{claim['memberId']}/{claim['claimId']}"}


def asking(event: dict[str, Any], **query: str) -> dict[str, Any]:
    """An event with a query string."""
    multi = {name: [value] for name, value in query.items()}
    return event | {"queryStringParameters": query, "multiValueQueryStringParameters": multi}


def test_a_created_claim_can_be_read_where_its_location_says(call: Call, event: Events) -> None:
    """201, the claim itself, and a Location with the stage that leads to it."""
    status, created, headers = call(event("claims/create"))
    assert status == 201
    assert created["memberId"] == "m-1001"
    assert created["version"] == 1
    assert created["createdAt"] == created["updatedAt"]
    assert created.items() >= json.loads(event("claims/create")["body"]).items()
    assert headers["Location"] == f"/dev/claims/m-1001/{created['claimId']}"
    assert headers["ETag"] == '"1"'

    get = event("claims/get")
    get["path"] = headers["Location"].removeprefix("/dev")
    status, found, headers = call(get)
    assert (status, found, headers["ETag"]) == (200, created, '"1"')


def test_a_claim_shows_what_its_client_wrote_and_what_the_service_added(
    call: Call, event: Events
) -> None:
    """And nothing of how it is stored."""
    created = call(event("claims/create"))[1]
    added = {"memberId", "claimId", "version", "createdAt", "updatedAt"}
    assert created.keys() == json.loads(event("claims/create")["body"]).keys() | added
    assert call(of(event("claims/get"), created))[1].keys() == created.keys()


def test_claims_are_listed_newest_first(call: Call, event: Events) -> None:
    """A member's claims and no others, nor the member's profile."""
    first, second = (call(event("claims/create"))[1] for _ in range(2))
    elsewhere = event("claims/create") | {"path": "/claims/m-1002"}
    assert call(elsewhere)[0] == 201
    assert call(event("claims/list"))[:2] == (200, {"claims": [second, first]})


def test_pages_together_are_the_whole_list(call: Call, event: Events) -> None:
    """Each page ends where the next begins, and the last one has no cursor."""
    made = [call(event("claims/create"))[1] for _ in range(5)]
    seen: list[Any] = []
    query = {"limit": "2"}
    sizes = []
    while True:
        status, page, _ = call(asking(event("claims/list"), **query))
        assert status == 200
        seen += page["claims"]
        sizes.append(len(page["claims"]))
        if "next" not in page:
            break
        query["cursor"] = page["next"]
    assert seen == made[::-1]
    assert sizes == [2, 2, 1]


def test_a_page_may_begin_at_a_claim_that_is_gone(call: Call, event: Events) -> None:
    """Deleting the last claim of a page between two requests loses none of the next."""
    made = [call(event("claims/create"))[1] for _ in range(3)]
    page = call(asking(event("claims/list"), limit="2"))[1]
    assert call(of(event("claims/delete"), page["claims"][1]))[0] == 204
    rest = call(asking(event("claims/list"), cursor=page["next"]))[1]
    assert rest == {"claims": made[:1]}


def test_a_cursor_leads_to_the_same_members_claims_only(call: Call, event: Events) -> None:
    """Another member's cursor is a place in time, not a way to that member's claims."""
    for _ in range(2):
        call(event("claims/create") | {"path": "/claims/m-1002"})
    foreign = call(asking(event("claims/list") | {"path": "/claims/m-1002"}, limit="1"))[1]["next"]
    call(event("claims/create"))
    status, page, _ = call(asking(event("claims/list"), cursor=foreign))
    assert status == 200
    assert {claim["memberId"] for claim in page["claims"]} <= {"m-1001"}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"limit": "1.0"},
        {"limit": ""},
        {"limit": "\N{ARABIC-INDIC DIGIT ONE}"},
        {"limit": "9" * 5000},
        {"cursor": ""},
        {"cursor": "x"},
        {"cursor": "A" * 88},
        {"cursor": "_" * 88},
        {"cursor": base64.urlsafe_b64encode(b"2025-01-01T00:00:00.000000Z/../../x").decode()},
        {"cursor": "A" * 100_000},
    ],
)
def test_a_page_that_cannot_be_is_refused(call: Call, event: Events, query: dict[str, str]) -> None:
    """400, whatever stands in the query."""
    assert call(asking(event("claims/list"), **query))[0] == 400


def test_keys_are_made_of_checked_ids(call: Call, event: Events, items: Any) -> None:
    """PK names the member of the path, SK the claim."""
    created = call(event("claims/create"))[1]
    keys = {(item["PK"]["S"], item["SK"]["S"]) for item in items()}
    assert ("MEMBER#m-1001", f"CLAIM#{created['claimId']}") in keys


def test_a_percent_encoded_id_is_the_same_id(call: Call, event: Events) -> None:
    """REST APIs hand paths on as they came."""
    status, created, _ = call(event("claims/create") | {"path": "/claims/%6D-1001"})
    assert (status, created["memberId"]) == (201, "m-1001")


def test_one_key_makes_one_claim(call: Call, event: Events, items: Any) -> None:
    """The same request again is answered as the first was, in any order of its fields."""
    create = event("claims/create-idempotent")
    fields = json.loads(create["body"])
    turned = json.dumps(dict(reversed(fields.items())), indent=2)
    first = call(create)
    before = items()
    assert first[0] == 201
    assert call(create) == call(create | {"body": turned}) == first
    assert items() == before


def test_a_key_is_the_members_own(call: Call, event: Events) -> None:
    """Two members' requests never meet."""
    create = event("claims/create-idempotent")
    one, other = call(create)[1], call(create | {"path": "/claims/m-1002"})[1]
    assert one["claimId"] != other["claimId"]
    assert other["memberId"] == "m-1002"


def test_a_key_used_for_another_claim_is_refused(call: Call, event: Events, items: Any) -> None:
    """422, and the first claim stays as it is."""
    create = event("claims/create-idempotent")
    call(create)
    before = items()
    another = json.dumps(json.loads(create["body"]) | {"amount": 1})
    assert call(create | {"body": another})[0] == 422
    assert items() == before


def test_a_late_repetition_shows_the_claim_as_it_is_now(call: Call, event: Events) -> None:
    """It neither undoes an update nor refuses for one."""
    create = event("claims/create-idempotent")
    created = call(create)[1]
    updated = call(of(event("claims/update"), created))[1]
    assert updated["version"] == 2
    assert call(create)[:2] == (201, updated)


def test_a_late_repetition_does_not_bring_a_deleted_claim_back(
    call: Call, event: Events, items: Any
) -> None:
    """410: the key is remembered after its claim is gone, the claim's data is not."""
    create = event("claims/create-idempotent")
    created = call(create)[1]
    assert call(of(event("claims/delete"), created))[0] == 204
    assert call(create)[0] == 410
    assert call(of(event("claims/get"), created))[0] == 404
    (tombstone,) = (item for item in items() if item["SK"]["S"].startswith("CLAIM#"))
    assert tombstone.keys() == {"PK", "SK", "deletedAt", "expiresAt"}


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\n"])
def test_what_is_no_key_is_refused(call: Call, event: Events, key: str) -> None:
    """400 rather than a claim that no repetition would find."""
    assert call(changed(event("claims/create"), Idempotency_Key=key))[0] == 400


def test_an_update_replaces_the_clients_fields(call: Call, event: Events) -> None:
    """Also by leaving the description out; ids and creation stay, version and time go on."""
    created = call(event("claims/create"))[1]
    update = of(event("claims/update"), created)
    status, updated, headers = call(update)
    fields = json.loads(update["body"])
    assert "description" in created
    assert "description" not in fields
    assert status == 200
    assert updated == fields | {
        "memberId": "m-1001",
        "claimId": created["claimId"],
        "version": 2,
        "createdAt": created["createdAt"],
        "updatedAt": updated["updatedAt"],
    }
    assert updated["updatedAt"] > created["updatedAt"]
    assert headers["ETag"] == '"2"'
    assert call(of(event("claims/get"), created))[1] == updated


def test_an_update_of_an_older_version_is_a_conflict(call: Call, event: Events, items: Any) -> None:
    """409 that says which version there is; nothing is overwritten."""
    created = call(event("claims/create"))[1]
    update = of(event("claims/update"), created)
    call(update)
    before = items()
    other = json.dumps(json.loads(update["body"]) | {"amount": 1})
    status, answer, _ = call(update | {"body": other})
    assert status == 409
    assert "version 2" in answer["message"]
    assert items() == before


def test_an_update_repeated_after_its_answer_was_lost_stays_made(call: Call, event: Events) -> None:
    """PUT is idempotent: the signing layer, for one, sends it again."""
    created = call(event("claims/create"))[1]
    update = of(event("claims/update"), created)
    first = call(update)
    assert call(update) == first
    assert first[1]["version"] == 2


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428),
        ("*", 400),
        ("1", 400),
        ('W/"1"', 400),
        ('"0"', 400),
        ('"1", "2"', 400),
        ('"' + "9" * 5000 + '"', 400),
        ('"\N{ARABIC-INDIC DIGIT ONE}"', 400),
        ('"999999999999999"', 409),
    ],
)
def test_an_update_names_the_version_it_is_of(
    call: Call, event: Events, if_match: str | None, status: int
) -> None:
    """One ETag of this claim, as it was given."""
    created = call(event("claims/create"))[1]
    update = of(changed(event("claims/update"), If_Match=if_match), created)
    assert call(update)[0] == status
    assert call(of(event("claims/get"), created))[1] == created


def test_what_is_not_there_can_be_neither_updated_nor_deleted(
    call: Call, event: Events, items: Any
) -> None:
    """404, also once a claim has been deleted; nothing comes into being by it."""
    before = items()
    assert call(event("claims/update"))[0] == 404
    assert call(event("claims/delete"))[0] == 404
    assert items() == before
    created = call(event("claims/create"))[1]
    assert call(of(event("claims/delete"), created))[0] == 204
    assert call(of(event("claims/update"), created))[0] == 404
    assert call(of(event("claims/delete"), created))[0] == 404
    assert call(event("claims/list"))[1] == {"claims": []}


def test_another_members_claim_is_not_there(call: Call, event: Events) -> None:
    """The id alone leads nowhere: a grant for one member's paths reaches no other's claims."""
    created = call(event("claims/create"))[1]
    elsewhere = f"/claims/m-1002/{created['claimId']}"
    for name in ("get", "update", "delete"):
        assert call(event(f"claims/{name}") | {"path": elsewhere})[0] == 404
    assert call(of(event("claims/get"), created))[0] == 200


def test_the_members_profile_is_no_claim(call: Call, event: Events, items: Any) -> None:
    """Not even where the path asks for it by key."""
    before = items()
    for name in ("get", "update", "delete"):
        assert call(event(f"claims/{name}") | {"path": "/claims/m-1001/PROFILE"})[0] == 400
    assert items() == before


def test_a_base64_body_is_decoded(call: Call, event: Events) -> None:
    """As API Gateway sends it once the API has binary media types."""
    create = event("claims/create")
    create["body"] = base64.b64encode(create["body"].encode()).decode()
    assert call(create | {"isBase64Encoded": True})[0] == 201


@pytest.mark.parametrize("body", ["no base64!", "/w=="])
def test_a_body_that_cannot_be_decoded_is_refused(call: Call, event: Events, body: str) -> None:
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
    call: Call, event: Events, items: Any, name: str, fields: list[str]
) -> None:
    """400 with the fields at fault, creating or updating; the table stays as it was."""
    created = call(event("claims/create"))[1]
    before = items()
    body = {"body": event(f"claims/{name}")["body"]}
    for request in (event(f"claims/{name}"), of(event("claims/update"), created) | body):
        status, answer, _ = call(request)
        assert status == answer["statusCode"] == 400
        assert answer["message"]
        assert [error["field"] for error in answer["errors"]] == fields
    assert items() == before


def test_an_oversize_body_is_413(call: Call, event: Events) -> None:
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
def test_ids_that_lead_nowhere(call: Call, event: Events, name: str, status: int) -> None:
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
def test_no_path_is_an_error_of_ours(call: Call, event: Events, path: str) -> None:
    """Whatever path arrives, and without pathParameters: 400 or 404, as JSON."""
    status, answer, _ = call(event("claims/get") | {"path": path, "pathParameters": None})
    assert status in (400, 404)
    assert answer["statusCode"] == status


def test_a_verb_without_a_route_is_404(call: Call, event: Events) -> None:
    """API Gateway does not send it, and the function does not take it."""
    assert call(event("claims/get") | {"httpMethod": "PATCH"})[0] == 404
