"""The routes over items that other tools wrote: an import, a mending hand, a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from claims.handler import handle as handle_claims
from claims.storage import Claims
from members.handler import handle as handle_members
from members.storage import Members

if TYPE_CHECKING:
    from collections.abc import Callable

    from insurance.table import Table

CLAIM_ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
CLAIM: dict[str, Any] = {
    "PK": {"S": "MEMBER#m-1001"},
    "SK": {"S": f"CLAIM#{CLAIM_ID}"},
    "amount": {"N": "100"},
    "currency": {"S": "EUR"},
    "version": {"N": "1"},
    "createdAt": {"S": "2025-03-14T09:26:53.000000Z"},
}
SHOWN = {
    "memberId": "m-1001",
    "claimId": CLAIM_ID,
    "amount": 100,
    "currency": "EUR",
    "version": 1,
    "createdAt": "2025-03-14T09:26:53.000000Z",
}


@pytest.fixture
def send(
    table: Table, context: Any, event: Callable[[str], Any]
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Send a sample event with a path of its own: status and body."""

    def call(name: str, **changes: object) -> tuple[int, dict[str, Any]]:
        given = event(name) | changes
        if name.startswith("members"):
            answer = handle_members(given, context, Members(table))
        else:
            answer = handle_claims(given, context, Claims(table))
        return answer["statusCode"], json.loads(answer["body"] or "{}")

    return call


@pytest.fixture
def put(table: Table) -> Callable[[dict[str, Any]], None]:
    """Write an item as it is."""
    return lambda item: table.client.put_item(TableName=table.name, Item=item)


def warned(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """The warnings among the lines of the log."""
    return [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize(
    ("attributes", "name", "email", "lacks"),
    [
        ({}, None, None, ["name", "email"]),
        ({"name": {"S": "Ada"}}, "Ada", None, ["email"]),
        ({"name": {"S": "Ada"}, "email": {"N": "7"}}, "Ada", None, ["email"]),
        ({"name": {"NULL": True}, "email": {"S": "a@b.example"}}, None, "a@b.example", ["name"]),
        ({"name": {"S": ""}, "email": {"M": {}}}, None, None, ["name", "email"]),
    ],
)
def test_a_profile_that_is_not_whole_is_shown_with_nulls(
    send: Any,
    put: Any,
    caplog: pytest.LogCaptureFixture,
    *,
    attributes: Any,
    name: Any,
    email: Any,
    lacks: list[str],
) -> None:
    """A whole answer with what is known, and the log names the item and what it lacks."""
    put({"PK": {"S": "MEMBER#m-1001"}, "SK": {"S": "PROFILE"}, **attributes})
    member = {"memberId": "m-1001", "name": name, "email": email}
    assert send("members/get") == (200, member)
    (line,) = warned(caplog)
    assert (line.key, line.lacks) == ("MEMBER#m-1001/PROFILE", lacks)


@pytest.mark.parametrize("name", ["create-unknown-member", "create-idempotent"])
def test_nobody_can_claim_for_a_member_whom_nobody_knows(send: Any, items: Any, name: str) -> None:
    """404, and nothing is written, so that nobody is to be told of it."""
    before = items()
    status, answer = send(f"claims/{name}", path="/claims/m-9999")
    assert (status, answer["message"]) == (404, "There is no such member")
    assert items() == before


def test_a_bad_claim_is_refused_before_the_member_is_looked_for(send: Any) -> None:
    """400 says more to a client than 404, and costs no request."""
    assert send("claims/create-wrong-types", path="/claims/m-9999")[0] == 400


def test_a_member_whose_profile_says_nothing_can_claim(send: Any, put: Any) -> None:
    """What is missing in the profile is not the client's fault."""
    put({"PK": {"S": "MEMBER#m-2000"}, "SK": {"S": "PROFILE"}})
    assert send("claims/create", path="/claims/m-2000")[0] == 201


@pytest.mark.parametrize(
    "foreign",
    [
        {"urgent": {"BOOL": True}},
        {"history": {"L": [{"S": "paid"}]}},
        {"importedFrom": {"S": "old system"}},
        {"occurredOn": {"NULL": True}},
        {"description": {"N": "7"}},
        {"memberId": {"S": "somebody else"}, "claimId": {"N": "1"}},
        {"updatedAt": {"M": {}}},
    ],
)
def test_a_claim_is_shown_without_what_cannot_be_read(
    send: Any, put: Any, foreign: dict[str, Any]
) -> None:
    """Alone and in the list; nor are attributes shown that are not a claim's."""
    put(CLAIM | foreign)
    assert send("claims/get", path=f"/claims/m-1001/{CLAIM_ID}") == (200, SHOWN)
    assert send("claims/list") == (200, {"claims": [SHOWN]})


@pytest.mark.parametrize(
    "broken",
    [
        {"version": {"S": "1"}},
        {"version": {"N": "1.5"}},
        {"version": {"N": "0"}},
        {"version": {"NULL": True}},
        {"SK": {"S": "CLAIM#2025-0815"}},
    ],
)
def test_an_item_that_is_no_claim_is_named_in_the_log_and_not_shown(
    send: Any, put: Any, caplog: pytest.LogCaptureFixture, broken: dict[str, Any]
) -> None:
    """The list has the others, reading and changing it is 404."""
    item = CLAIM | broken
    put(item)
    made = send("claims/create")[1]
    caplog.clear()
    assert send("claims/list") == (200, {"claims": [made]})
    (line,) = warned(caplog)
    assert line.key == f"MEMBER#m-1001/{item['SK']['S']}"
    assert send("claims/get", path=f"/claims/m-1001/{CLAIM_ID}")[0] == 404
    assert send("claims/update", path=f"/claims/m-1001/{CLAIM_ID}")[0] == 404


def test_a_profile_with_a_time_of_creation_is_no_claim(
    send: Any, put: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the index of claims, and not in their list."""
    put(
        {
            "PK": {"S": "MEMBER#m-1001"},
            "SK": {"S": "PROFILE"},
            "name": {"S": "Ada"},
            "email": {"S": "ada@example.com"},
            "createdAt": {"S": "2020-01-01"},
        }
    )
    assert send("claims/list") == (200, {"claims": []})
    assert warned(caplog) == []


def test_pages_pass_over_what_is_no_claim(send: Any, put: Any) -> None:
    """However they are cut, and whatever the items' times look like."""
    expected = []
    for number in range(6):
        claim_id = f"00000000-0000-4000-8000-{number:012}"
        created_at = ("2025-03-14", "14.3.25 9:26", "2025-03-14T09:26:53.000000Z")[number % 3]
        put(
            CLAIM | {"SK": {"S": f"CLAIM#{claim_id}"}, "createdAt": {"S": f"{created_at} {number}"}}
        )
        expected.append(claim_id)
        put(CLAIM | {"SK": {"S": f"NOTE#{number}"}, "createdAt": {"S": f"{created_at} n{number}"}})
        put(CLAIM | {"SK": {"S": f"CLAIM#{number}"}, "createdAt": {"S": f"{created_at} c{number}"}})
    for limit in ("1", "2", "4", "100"):
        seen, query = [], {"limit": limit}
        while True:
            status, page = send("claims/list", queryStringParameters=query)
            assert status == 200
            assert len(page["claims"]) <= int(limit)
            seen += [claim["claimId"] for claim in page["claims"]]
            if "next" not in page:
                break
            query = {"limit": limit, "cursor": page["next"]}
        assert sorted(seen) == expected


def test_a_key_whose_claim_somebody_else_wrote_is_refused(
    send: Any, table: Table, items: Any
) -> None:
    """422, as for every other use of a key, and the item stays."""
    made = send("claims/create-idempotent")[1]
    (item,) = (one for one in items() if one["SK"]["S"] == f"CLAIM#{made['claimId']}")
    del item["fingerprint"]
    table.client.put_item(TableName=table.name, Item=item)
    assert send("claims/create-idempotent")[0] == 422
    assert item in items()
