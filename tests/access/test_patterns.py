"""Wildcards as policies write them."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access.patterns import escaped, literal, matches, without_variables

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
