"""Policy documents: what a statement matches, and what is kept although not understood."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import Unresolved, parse_policy
from backstairs.access.conditions import Context
from backstairs.access.policy import Caller, Request

thorough = settings(max_examples=300, deadline=None, database=None)

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
ROLE = "arn:aws:iam::123456789012:role/app/Notifier"
SESSION = "arn:aws:sts::123456789012:assumed-role/Notifier/session"
NOTIFIER = Caller(SESSION, ROLE, "123456789012")
ANONYMOUS = Caller()
CONTEXT = Context(
    {
        "aws:sourcevpce": ("vpce-1",),
        "aws:principaltag/team": ("claims",),
        "aws:principaltag/star": ("*",),
        "aws:calledvia": ("a", "b"),
    },
    frozenset({"aws:username", "aws:principaltag/*"}),
)
ALLOW = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "execute-api:Invoke",
    "Resource": "execute-api:/*",
}
GRANT = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{API}/*"}


def request(path: str = "members/m-1", caller: Caller = NOTIFIER, verb: str = "GET") -> Request:
    return Request("execute-api:Invoke", f"{API}/dev/{verb}/{path}", caller, CONTEXT, API)


def outcome(
    body: object,
    asked: Request | None = None,
    *,
    resource_based: bool = True,
    version: object = "2012-10-17",
) -> bool | None:
    """Whether the one statement matches; unknown if it may."""
    document = {"Version": version, "Statement": [body]}
    policy = parse_policy("policy", document, resource_based=resource_based)
    matches = policy.matching(asked or request())
    return False if not matches else matches[0].truth


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("*", True),
        (f"{API}/*", True),
        (f"{API}/dev/GET/members/*", True),
        (f"{API}/dev/GET/*", True),
        (f"{API}/*/GET/members/m-1", True),
        (f"{API}/dev/GET/members/m-?", True),
        (f"{API}/dev/GET/members", False),
        (f"{API}/dev/POST/members/*", False),
        (f"{API}/dev/get/members/*", False),
        (f"{API}/prod/GET/members/*", False),
        ("arn:aws:execute-api:eu-central-1:123456789012:*/dev/GET/members/*", True),
        ("arn:aws:execute-api:*:*:*", True),
        ("arn:aws:execute-api:*", True),
        ("arn:*", True),
        ("arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/members/*", False),
        ("arn:aws:s3:::bucket/*", False),
        ("execute-api:/*", True),
        ("execute-api:/dev/GET/members/*", True),
        ("execute-api:/dev/GET/members/m-1", True),
        ("execute-api:/prod/*", False),
        (["arn:aws:s3:::bucket/*", "execute-api:/dev/*"], True),
        (f"{API}/dev/GET/members/m-${{*}}", False),
        ("execute-api:/dev/GET/${aws:PrincipalTag/Team}/*", False),
    ],
)
def test_resources(resource: object, *, expected: bool) -> None:
    """ARNs with case, `*` over slashes, the short form for the API's own ARN."""
    assert outcome(ALLOW | {"Resource": resource}) is expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("*", True),
        ("*:*", True),
        ("execute-api:*", True),
        ("execute-api:Inv*", True),
        ("Execute-API:invoke", True),
        ("execute-api:InvalidateCache", False),
        ("s3:*", False),
        (["s3:*", "execute-api:?nvoke"], True),
    ],
)
def test_actions(action: object, *, expected: bool) -> None:
    """Service and name in any case, wildcards in the name."""
    assert outcome(ALLOW | {"Action": action}) is expected


def test_not_action_and_not_resource_match_everything_else() -> None:
    """Their lists exclude; everything outside them is covered."""
    nobody: dict[str, Any] = {"Effect": "Deny", "Principal": "*"}
    others = {"NotAction": ["s3:*", "execute-api:ManageConnections"], "Resource": "*"}
    assert outcome(nobody | others) is True
    assert outcome(nobody | {"NotAction": "execute-api:*", "Resource": "*"}) is False
    elsewhere = {"Action": "*", "NotResource": "execute-api:/prod/*"}
    assert outcome(nobody | elsewhere) is True
    assert outcome(nobody | {"Action": "*", "NotResource": "execute-api:/dev/*"}) is False


@pytest.mark.parametrize(
    ("principal", "caller", "expected"),
    [
        ("*", NOTIFIER, True),
        ("*", ANONYMOUS, True),
        ({"AWS": "*"}, ANONYMOUS, True),
        ({"AWS": ROLE}, NOTIFIER, True),
        ({"AWS": [SESSION]}, NOTIFIER, True),
        ({"AWS": ROLE}, ANONYMOUS, False),
        ({"AWS": ROLE.replace("/app", "")}, NOTIFIER, False),
        ({"AWS": "123456789012"}, NOTIFIER, True),
        ({"AWS": 123456789012}, NOTIFIER, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, NOTIFIER, True),
        ({"AWS": "210987654321"}, NOTIFIER, False),
        ({"AWS": "arn:aws:iam::123456789012:root"}, ANONYMOUS, False),
        ({"Service": "apigateway.amazonaws.com"}, NOTIFIER, False),
        ({"Service": "apigateway.amazonaws.com", "AWS": ROLE}, NOTIFIER, True),
    ],
)
def test_principals(principal: object, caller: Caller, *, expected: bool) -> None:
    """Everyone, a role, a session, an account; a service never calls as itself."""
    assert outcome(ALLOW | {"Principal": principal}, request(caller=caller)) is expected


@pytest.mark.parametrize(
    ("principal", "direct"),
    [
        ("*", True),
        ({"AWS": ROLE}, True),
        ({"AWS": ["123456789012", ROLE]}, True),
        ({"AWS": "123456789012"}, False),
        ({"AWS": "arn:aws:iam::123456789012:root"}, False),
        ({"AWS": ["123456789012", Unresolved("a role's ARN")]}, None),
    ],
)
def test_naming_an_account_is_not_naming_the_caller(
    principal: object, *, direct: bool | None
) -> None:
    """An account delegates; a value that is not known might still name the caller."""
    policy = parse_policy("p", {"Statement": ALLOW | {"Principal": principal}}, resource_based=True)
    (match,) = policy.matching(request())
    assert (match.truth, match.direct) == (True, direct)


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": ["*"]},
        {"Principal": ROLE},
        {"Principal": {}},
        {"Principal": {"AWS": []}},
        {"Principal": {"AWS": {"Ref": "Role"}}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/*"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012"}},
        {"Principal": {"AWS": "arn:root"}},
        {"Principal": {"AWS": "AROAEXAMPLE"}},
        {"Principal": {"AWS": "12345678901"}},
        {"Principal": {"Everyone": "*"}},
        {"Principal": {"AWS": "210987654321", "Everyone": "*"}},
        {"Principal": None},
        {"NotPrincipal": {"AWS": ROLE}},
        {"Action": []},
        {"Action": None},
        {"Action": "Invoke"},
        {"Action": "*:Invoke"},
        {"Action": {"Ref": "Action"}},
        {"NotAction": "s3:*"},
        {"Action": "s3:*", "NotAction": "s3:*"},
        {"Resource": []},
        {"Resource": "dev/GET/*"},
        {"Resource": "arn:aws:execute-api"},
        {"Resource": "arn:aws:execute-api:eu-central-1:123456789012"},
        {"Resource": "arn:aws:execute-api:${aws:RequestedRegion}:123456789012:*"},
        {"Resource": {"Fn::Sub": "x"}},
        {"Resource": "arn:aws:s3:::x", "NotResource": "arn:aws:s3:::x"},
        {"Condition": []},
        {"Condition": None},
        {"Condition": {"StringEquals": {}}},
        {"Condition": {"StringEquals": "vpce-1"}},
        {"Condition": {"StringNotEquals": {"aws:SourceVpce": []}}},
        {"Condition": {"StringEquals": {"aws:SourceVpce": {"Ref": "Endpoint"}}}},
        {"Condition": {"StringSame": {"aws:SourceVpce": "vpce-1"}}},
        {"Effect": "allow"},
        {"Effect": None},
        {"Conditions": {}},
        {"Principal": Unresolved("x")},
        {"Action": Unresolved("x")},
        {"Resource": [Unresolved("x")]},
        {"Condition": Unresolved("x")},
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_malformed_statement_may_match_and_is_never_dropped(
    effect: str, change: dict[str, Any]
) -> None:
    """Unknown, for an Allow as for a Deny, and it says what is wrong."""
    document = {"Version": "2012-10-17", "Statement": [ALLOW | {"Effect": effect} | change]}
    policy = parse_policy("policy", document, resource_based=True)
    matches = policy.matching(request())
    assert matches
    assert {match.truth for match in matches} == {None}
    assert all(match.statement.doubt for match in matches)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Statement": []},
        {"Statement": None},
        {"Statement": ["Allow"]},
        {"Statement": [Unresolved("x")]},
        {"statement": [ALLOW]},
        {"Version": "2025-01-01", "Statement": [ALLOW]},
        {"Version": Unresolved("x"), "Statement": [ALLOW]},
        [ALLOW],
        "everything",
        None,
        Unresolved("x"),
    ],
)
def test_a_document_that_cannot_be_read_may_allow_and_may_deny(document: object) -> None:
    """Nothing follows from it."""
    matches = parse_policy("policy", document, resource_based=True).matching(request())
    assert matches
    assert {match.truth for match in matches} == {None}


def test_an_identity_policy_has_full_arns_and_no_principal() -> None:
    """The short form and a Principal belong to an API's own policy."""
    asked = Request("execute-api:Invoke", f"{API}/dev/GET/x", NOTIFIER, CONTEXT)
    assert outcome(GRANT, asked, resource_based=False) is True
    assert outcome(GRANT | {"Principal": "*"}, asked, resource_based=False) is None
    assert outcome(GRANT | {"Resource": "execute-api:/*"}, asked, resource_based=False) is None


def test_a_policy_without_principal_does_not_belong_to_an_api() -> None:
    """An identity policy by mistake: unknown."""
    assert outcome(GRANT) is None


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("members/${aws:PrincipalTag/Team}", True),
        ("members/${aws:PrincipalTag/Star}", False),
        ("members/${aws:username, 'claims'}", True),
        ("members/${aws:username}", False),
        ("members/${aws:PrincipalOrgID}", None),
        ("members/${aws:CalledVia}", None),
        ("members/claims${aws:username}*", False),
    ],
)
def test_variables_in_a_resource(resource: str, *, expected: bool | None) -> None:
    """The request's value, literally; absent: no match; not known: unknown."""
    asked = request("members/claims")
    assert outcome(ALLOW | {"Resource": f"{API}/dev/GET/{resource}"}, asked) is expected


def test_a_variable_without_a_value_leaves_what_matched_unsure() -> None:
    """AWS says that the whole statement may then be invalid; so no match for certain."""
    absent = {"StringNotEquals": {"aws:SourceVpce": "${aws:username}"}}
    assert outcome(ALLOW | {"Condition": absent}) is None
    either = [f"{API}/dev/GET/members/*", f"{API}/dev/GET/${{aws:username}}"]
    assert outcome(ALLOW | {"Resource": either}) is None
    elsewhere = {"Action": "*", "NotResource": f"{API}/dev/GET/${{aws:username}}"}
    assert outcome({"Effect": "Deny", "Principal": "*", **elsewhere}) is None
    unmatched = {"StringEquals": {"aws:SourceVpce": "vpce-2"}} | absent
    assert outcome(ALLOW | {"Condition": unmatched}) is False


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2012-10-17", True), (dt.date(2012, 10, 17), True), ("2008-10-17", False)],
)
def test_variables_need_the_version_that_has_them(version: object, *, expected: bool) -> None:
    """In the older language they are plain text; an unquoted version is a date to YAML."""
    body = ALLOW | {"Resource": f"{API}/dev/GET/${{aws:PrincipalTag/Team}}"}
    assert outcome(body, request("claims"), version=version) is expected
    assert outcome(body, request("${aws:PrincipalTag/Team}"), version=version) is not expected


def test_a_document_without_a_version_is_of_the_older_language() -> None:
    """Its wildcards work, its variables are text."""
    resource = f"{API}/dev/GET/${{aws:username}}/*"
    policy = parse_policy("p", {"Statement": ALLOW | {"Resource": resource}}, resource_based=True)
    assert policy.matching(request("${aws:username}/x"))
    assert not policy.matching(request("ann/x"))


def test_conditions_all_hold_together() -> None:
    """Operators and keys are ANDed; one that is false settles it, whatever is not known."""
    true = {"StringEquals": {"aws:SourceVpce": "vpce-1", "aws:PrincipalTag/Team": "claims"}}
    assert outcome(ALLOW | {"Condition": true}) is True
    unknown = {"StringLike": {"aws:PrincipalOrgID": "o-1"}}
    assert outcome(ALLOW | {"Condition": true | unknown}) is None
    false = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    assert outcome(ALLOW | {"Condition": true | unknown | false}) is False


def test_statements_are_named_by_their_sid_or_their_place() -> None:
    """So that a reason can point at one."""
    document = {"Statement": [ALLOW, ALLOW | {"Sid": "Second"}]}
    matches = parse_policy("the policy", document, resource_based=True).matching(request())
    assert [str(match) for match in matches] == [
        "Allow statement 1 of the policy",
        "Allow Second of the policy",
    ]


def test_one_statement_needs_no_list() -> None:
    """As the grammar has it."""
    policy = parse_policy("policy", {"Statement": ALLOW}, resource_based=True)
    assert len(policy.statements) == 1


json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["*", "Allow", "execute-api:Invoke", API, "arn:", "${", "${aws:username}"])
    | st.text(max_size=8)
    | st.just(Unresolved("x")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["AWS", "StringEquals", "aws:x"]), inner, max_size=2)
    ),
    max_leaves=6,
)
elements = st.dictionaries(
    st.sampled_from([*ALLOW, "NotPrincipal", "NotAction", "NotResource", "Condition", "Sid", "x"]),
    json,
)


@thorough
@given(document=json | st.fixed_dictionaries({"Statement": json | st.lists(elements)}))
def test_any_document_can_be_read_and_asked(document: object) -> None:
    """Nothing in a document raises, in either kind of policy."""
    for resource_based in (True, False):
        policy = parse_policy("policy", document, resource_based=resource_based)
        for match in policy.matching(request()):
            assert match.truth in (True, None)
            assert str(match)


@thorough
@given(change=elements)
def test_what_an_element_hides_is_not_claimed(change: dict[str, Any]) -> None:
    """An unresolved element leaves a statement as it was, or unknown; never the opposite."""
    body = ALLOW | change
    before = outcome(body)
    for element in change.keys() & ALLOW.keys() - {"Effect"}:
        after = outcome(body | {element: Unresolved("later")})
        assert after is None or after is before
