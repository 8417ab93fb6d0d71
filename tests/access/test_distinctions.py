"""What a statement can tell apart of the requests for one API."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import Unresolved, parse_policy
from backstairs.access.distinctions import Distinctions, residues
from backstairs.access.patterns import matches

thorough = settings(max_examples=300, deadline=None, database=None)

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"


def distinctions(resource: object, element: str = "Resource", **more: object) -> Distinctions:
    body = {"Effect": "Allow", "Action": "execute-api:Invoke", element: resource, **more}
    (statement,) = parse_policy("p", {"Version": "2012-10-17", "Statement": body}).statements
    return statement.distinctions(API)


@pytest.mark.parametrize(
    ("resource", "globs"),
    [
        ("*", ("*",)),
        (f"{API}/*", ("*",)),
        (f"{API}/dev/GET/members/*", ("dev/GET/members/*",)),
        ("execute-api:/dev/GET/*", ("dev/GET/*",)),
        (
            "arn:aws:execute-api:*:123456789012:*/dev/GET/members/*",
            ("*:123456789012:*/dev/GET/members/*", "*/dev/GET/members/*", "dev/GET/members/*"),
        ),
        (
            "arn:aws:execute-api:eu-central-?:123456789012:??????????/dev/*",
            ("dev/*",),
        ),
        (f"{API}/dev/GET/${{aws:username}}", ("dev/GET/${aws:username}",)),
        (f"{API}x/*", ()),
        ("arn:aws:s3:::bucket/*", ()),
        ([f"{API}/dev/GET/a", f"{API}/dev/POST/a"], ("dev/GET/a", "dev/POST/a")),
    ],
)
def test_paths_are_what_is_left_behind_the_apis_arn(
    resource: object, globs: tuple[str, ...]
) -> None:
    """One for each way in which the pattern may cover the ARN: a star in it may go on behind it."""
    assert distinctions(resource).globs == globs


def test_the_rest_is_as_the_statement_has_it() -> None:
    """Principals, conditions with keys, operators and values, and whether that is all."""
    found = distinctions(f"{API}/*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    assert found.is_whole
    assert found.principals is None
    assert [str(one) for one in found.conditions] == ["StringEquals aws:SourceVpce [vpce-1]"]
    assert not distinctions([f"{API}/*", Unresolved("x")]).is_whole
    assert not distinctions(f"{API}/*", Condtion={}).is_whole


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (distinctions("arn:aws:s3:::b/*"), False),
        (distinctions("arn:aws:s3:::b/*", "NotResource"), True),
        (distinctions(Unresolved("x")), True),
        (distinctions(f"{API}/*"), True),
    ],
)
def test_a_statement_that_cannot_concern_the_api_says_so(
    found: Distinctions, *, expected: bool
) -> None:
    """What is not known may concern it."""
    assert found.concerns_the_api is expected


@thorough
@given(
    pattern=st.text(alphabet="ab/*?", max_size=8),
    prefix=st.text(alphabet="ab/", max_size=5),
    rest=st.text(alphabet="ab/", max_size=5),
)
def test_what_is_left_covers_what_the_pattern_covers(pattern: str, prefix: str, rest: str) -> None:
    """A pattern covers a text that begins so if one of what is left covers the rest."""
    left = residues(pattern, prefix)
    assert matches(pattern, prefix + rest) is any(matches(one, rest) for one in left)
