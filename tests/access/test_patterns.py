"""Wildcards as policies write them."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backstairs.access import parse_policy
from backstairs.access.conditions import Context
from backstairs.access.patterns import arn_match, escaped, literal, matches, without_variables
from backstairs.access.policy import Caller, Request

thorough = settings(max_examples=500, deadline=None, database=None)
short = st.text(alphabet="ab/:*?${}[.\n", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("*", "", True),
        ("a*", "a/b/c", True),
        ("a/*/c", "a/b/x/c", True),
        ("a*c*e", "abcde", True),
        ("a*c*e", "abcd", False),
        ("a*b", "aab\nb", True),
        ("a?c", "a/c", True),
        ("a?c", "ac", False),
        ("a?", "a\n", True),
        ("ab", "abc", False),
        ("ab", "ab\n", False),
        ("a.c", "abc", False),
        ("a[bc]", "ab", False),
        ("a[bc]", "a[bc]", True),
        ("a${*}", "a*", True),
        ("a${*}", "ab", False),
        ("a${?}${$}", "a?$", True),
        ("*a*", "bbabb", True),
        ("**", "x", True),
        ("*ab", "aab", True),
        ("*ab*ab", "ab", False),
    ],
)
def test_wildcards(pattern: str, value: str, *, expected: bool) -> None:
    """`*` is any run, `/` and line ends included, `?` one character, all else itself."""
    assert matches(pattern, value) is expected


def test_case_matters_unless_told_otherwise() -> None:
    """And then for ASCII letters alone."""
    assert not matches("Execute-Api:invoke", "execute-api:Invoke")
    assert matches("Execute-Api:INV*", "execute-api:Invoke", ignore_case=True)
    # The Kelvin sign is no K.
    assert not matches("\N{KELVIN SIGN}*", "kms", ignore_case=True)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        (
            "arn:aws:execute-api:*:123456789012:a1/*",
            "arn:aws:execute-api:x:123456789012:a1/s",
            True,
        ),
        ("arn:aws:execute-api:*3456789012:a1/*", "arn:aws:execute-api:x:123456789012:a1/s", None),
        ("arn:aws:execute-api:*", "arn:aws:execute-api:x:123456789012:a1/s/GET/a:b", True),
        ("arn:*:a1/dev/GET/*", "arn:aws:execute-api:x:123456789012:a1/dev/GET/a:b", True),
        ("arn:*:a1/dev/*/members", "arn:aws:execute-api:x:1:a1/dev/GET/a/members", True),
        ("arn:*:a1/dev/*/members", "arn:aws:execute-api:x:1:a1/dev/GET/a:b/members", None),
        ("arn:aws:execute-api:x:1:a1/dev/GET/a?b", "arn:aws:execute-api:x:1:a1/dev/GET/a-b", True),
        ("arn:aws:execute-api:x:1:a1/dev/GET/a?b", "arn:aws:execute-api:x:1:a1/dev/GET/a:b", None),
        ("arn:aws:execute-api:x:1:a1/dev/GET/a?b", "arn:aws:execute-api:x:1:a1/dev/GET/ab", False),
        ("arn:aws:execute-api:x:1:a1/${*}", "arn:aws:execute-api:x:1:a1/*", True),
        ("*", "arn:aws:execute-api:x:1:a1/dev/GET/a:b", True),
    ],
)
def test_a_star_passes_a_colon_only_where_it_ends_a_segment(
    pattern: str, value: str, *, expected: bool | None
) -> None:
    """Where a plain wildcard would match and IAM's guide says no, the answer is unknown."""
    assert arn_match(pattern)(value) is expected


def reference(pattern: str, value: str) -> bool:
    """The guide's reading, letter by letter: which of the pattern's places a value may be at."""
    places = {0}
    for letter in [*value, None]:
        # A star stands for nothing, too.
        for start in sorted(places):
            stars = len(pattern[start:]) - len(pattern[start:].lstrip("*"))
            places.update(range(start, start + stars + 1))
        if letter is None:
            return len(pattern) in places
        following = set()
        for place in places:
            if place == len(pattern):
                continue
            sign = pattern[place]
            ends = pattern[place:].lstrip("*")[:1] in ("", ":")
            if sign == "*" and (letter != ":" or ends):
                following.add(place)
            elif sign == letter or (sign == "?" and letter != ":"):
                following.add(place + 1)
        places = following
    raise AssertionError


@thorough
@given(pattern=st.text(alphabet="a/:*?", max_size=9), value=st.text(alphabet="a/:", max_size=9))
def test_what_is_claimed_of_an_arn_holds_in_both_readings(pattern: str, value: str) -> None:
    """True only where both cover it, false only where neither does."""
    claimed = arn_match(pattern)(value)
    if claimed is True:
        assert reference(pattern, value)
        assert matches(pattern, value)
    if claimed is False:
        assert not matches(pattern, value)
        assert not reference(pattern, value)


@thorough
@given(pattern=st.text(alphabet="a/:*?", max_size=9), value=st.text(alphabet="a/:", max_size=9))
@example(pattern="*:a*b", value=":a:ab")
def test_what_both_readings_cover_is_claimed(pattern: str, value: str) -> None:
    """Unknown is for values that one reading alone covers."""
    both = reference(pattern, value) and matches(pattern, value)
    assert (arn_match(pattern)(value) is True) is both


def test_a_statement_keeps_its_patterns_as_it_read_them() -> None:
    """Compiled once, when the policy is read, however many there are."""
    names = [f"arn:aws:execute-api:x:1:a1/dev/GET/m-{number}/*" for number in range(5000)]
    grant = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": names}
    (statement,) = parse_policy("grant", {"Version": "2012-10-17", "Statement": grant}).statements
    for number, match in enumerate(statement.resource_matches):
        for asked, expected in ((number, True), (number + 1, False)):
            resource = f"arn:aws:execute-api:x:1:a1/dev/GET/m-{asked}/x"
            request = Request("execute-api:Invoke", resource, Caller(), Context({}))
            assert match(request) is expected


@thorough
@given(pattern=st.text(alphabet="ab/*?", max_size=12), value=st.text(alphabet="ab/", max_size=16))
def test_wildcards_agree_with_another_implementation(pattern: str, value: str) -> None:
    """The standard library's knows the same two, and no others in this alphabet."""
    assert matches(pattern, value) is fnmatch.fnmatchcase(value, pattern)


@thorough
@given(text=short)
def test_escaped_text_covers_itself_alone(text: str) -> None:
    """What a request says is never a wildcard."""
    assert matches(escaped(text), text)
    assert literal(escaped(text)) == text
    assert not matches(escaped(text), f"{text}x")


@thorough
@given(text=st.text(alphabet="ab${}:", max_size=12))
def test_the_older_language_has_no_variables(text: str) -> None:
    """Before 2012-10-17 `${...}` is plain text."""
    assert matches(without_variables(text), text)
    assert literal(without_variables(text)) == text


def test_matching_takes_no_time_a_caller_could_choose() -> None:
    """Many wildcards against a path made for them: the work grows with the length alone."""
    pattern = "arn:aws:execute-api:*:*:*/*/*/*/*/*/x"
    value = "arn:aws:execute-api:" + "::::////" * 2000
    started = time.perf_counter()
    assert not matches(pattern, value)
    assert time.perf_counter() - started < 1
