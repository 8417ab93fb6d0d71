"""What `backstairs up` prints of a call: whole, at any width, in names that commands use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backstairs.cli.show import examples_of, labelled, lines_of
from backstairs.local.running import OpenApi, OpenRoute, Running

ROLES = {
    "claims": "arn:aws:iam::123456789012:role/backstairs-ClaimsFunctionRole-1D09BB8D32766",
    "notifier": "arn:aws:iam::123456789012:role/backstairs-NotifierFunctionRole-14CBEE7438211",
}
RUNNING = Running("http://127.0.0.1:1", "us-east-1", 1, [], [], ROLES)
WHY = (
    "Allow statement 1 of PublicRestApi's resource policy matches (IpAddress aws:SourceIp "
    "[192.30.252.0/22, 185.199.108.0/22, 140.82.112.0/20, 3 more])"
)


def test_a_call_takes_two_lines_at_eighty_columns() -> None:
    """Status, who and what on one, why on the other."""
    assert lines_of("200", "notifier, by endpoint", "GET /members/m-1001", "short", 80) == [
        "200  notifier, by endpoint                  GET /members/m-1001",
        "     short",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 130])
def test_nothing_is_cut_off_and_no_line_is_too_long(width: int) -> None:
    """Whatever the width, each word is there, in order."""
    who = "a partner, making a claim and going where it is, by internet"
    what = "POST /partner/claims"
    lines = lines_of("403 (not 200!)", who, what, WHY, width)
    assert " ".join(lines).split() == ["403", "(not", "200!)", *f"{who} {what} {WHY}".split()]
    assert all(len(line) <= width for line in lines)


def test_generated_names_are_shown_as_the_commands_know_them() -> None:
    """A role by its function, and the policy that SAM made by the function it is of."""
    refused = "backstairs-ClaimsFunctionRole-1D09BB8D32766 holds no grant for GET /members/m-1001"
    assert labelled(RUNNING, refused) == "claims holds no grant for GET /members/m-1001"
    admitted = "Allow statement 1 of NotifierFunctionRolePolicy0 matches"
    assert labelled(RUNNING, admitted) == "Allow statement 1 of NotifierFunction's policy matches"


def test_what_to_try_comes_from_the_apis_that_are_there() -> None:
    """A GET of each API where it has one, signed by a function where the route asks for that."""
    orders = [
        OpenRoute("POST", "/orders", signed=True),
        OpenRoute("GET", "/orders/{id}", signed=True),
    ]
    files = [OpenRoute("ANY", "/files/{path+}")]
    apis = [
        OpenApi("Orders", "a1", "prod", orders),
        OpenApi("Files", "a2", "prod", files),
        OpenApi("Hooks", "a3", "$default", [OpenRoute("ANY", "$default")], http=True),
        OpenApi("Empty", "a4", "prod", []),
    ]
    assert examples_of(replace(RUNNING, apis=apis)) == [
        "call GET /orders/id --api Orders --as claims",
        "call GET /files/path --api Files",
        "call GET / --api Hooks",
    ]
