"""Requests made up from the API's own definition: whatever comes, no error is ours.

GENERATED_REQUESTS in the environment says how many (1,000 unless told); each is one request.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claims.handler import handle as handle_claims
from claims.storage import Claims
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from members.handler import handle as handle_members
from members.storage import Members

from backstairs.template.load import load

if TYPE_CHECKING:
    from insurance.table import Table

REQUESTS = int(os.environ.get("GENERATED_REQUESTS", "1000"))
RESOURCES = load(Path(__file__).parents[2] / "template.yaml")["Resources"]
ROUTES = [
    (event["Properties"]["Method"], event["Properties"]["Path"], name)
    for name in ("ClaimsFunction", "MembersFunction")
    for event in RESOURCES[name]["Properties"]["Events"].values()
]
FIELDS = RESOURCES["ClaimsApi"]["Properties"]["Models"]["Claim"]["properties"]

# Two of each that are there, so that requests meet what others left.
MEMBER_IDS = st.sampled_from(["m-1001", "m-1002"]) | st.text(max_size=8)
CLAIM_IDS = (
    st.sampled_from(
        ["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "00000000-0000-4000-8000-000000000000", "PROFILE"]
    )
    | st.uuids().map(str)
    | st.text(max_size=8)
)
CURSORS = st.builds(
    lambda time, claim: base64.urlsafe_b64encode(f"{time}/{claim}".encode()).decode(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    CLAIM_IDS.filter(lambda text: text.isprintable()),
)
VALID = st.fixed_dictionaries(
    {
        "policyId": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", fullmatch=True),
        "memberName": st.text(min_size=1, max_size=20),
        "claimType": st.sampled_from(["dental", "travel"]),
        "amount": st.integers(1, 10**12),
        "currency": st.sampled_from(["EUR", "USD"]),
        "occurredOn": st.dates().map(str),
    },
    optional={"description": st.text(min_size=1, max_size=20)},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
BODIES = st.none() | VALID.map(json.dumps) | JSON.map(json.dumps) | st.text(max_size=40)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Idempotency-Key": st.sampled_from(["a", "b"]) | st.text(max_size=300),
        "If-Match": st.sampled_from(['"1"', '"2"', "*"]) | st.text(max_size=20),
        "X-Correlation-Id": st.text(max_size=200),
        "Content-Type": st.sampled_from(["application/json", "text/plain"]) | st.text(max_size=9),
    },
)
QUERIES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(-1, 101).map(str) | st.text(max_size=9),
        "cursor": CURSORS
        | st.text(max_size=100)
        | st.from_regex("[A-Za-z0-9_-]{88}", fullmatch=True),
    },
)


@given(
    route=st.sampled_from(ROUTES),
    member_id=MEMBER_IDS,
    claim_id=CLAIM_IDS,
    headers=HEADERS,
    query=QUERIES,
    body=BODIES,
    encoded=st.booleans(),
)
@settings(
    max_examples=REQUESTS,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_request_is_an_error_of_ours(
    table: Table,
    context: Any,
    *,
    route: tuple[str, str, str],
    member_id: str,
    claim_id: str,
    headers: dict[str, str],
    query: dict[str, str] | None,
    body: str | None,
    encoded: bool,
) -> None:
    """An answer in JSON, and never a 5xx or an exception."""
    method, path, function = route
    path = path.replace("{memberId}", member_id).replace("{claimId}", claim_id)
    event = {
        "resource": route[1],
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()},
        "pathParameters": {"memberId": member_id, "claimId": claim_id},
        "requestContext": {"requestId": "request", "path": f"/dev{path}"},
        "body": body,
        "isBase64Encoded": encoded,
    }
    if function == "ClaimsFunction":
        answer = handle_claims(event, context, Claims(table))
    else:
        answer = handle_members(event, context, Members(table))
    assert 200 <= answer["statusCode"] < 500
    if answer["statusCode"] != 204:
        assert isinstance(json.loads(answer["body"]), dict)
