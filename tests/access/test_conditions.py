"""Condition operators, absent keys, several values, and what is not known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstairs.access import Unresolved
from backstairs.access.conditions import Condition, Context, holds

thorough = settings(max_examples=300, deadline=None, database=None)

CONTEXT = Context(
    values={
        "aws:sourcevpce": ("vpce-1",),
        "aws:principalarn": ("arn:aws:iam::123456789012:role/app/Notifier",),
        "aws:principaltag/team": ("claims",),
        "aws:username": ("ann",),
        "aws:vpcsourceip": ("10.0.1.7",),
        "aws:sourceip": ("2001:db8::7",),
        "aws:securetransport": ("true",),
        "aws:currenttime": ("2026-11-21T12:00:00Z",),
        "aws:epochtime": ("1795262400",),
        "aws:multifactorauthage": ("300",),
        "aws:calledvia": ("athena.amazonaws.com", "dynamodb.amazonaws.com"),
        "aws:starred": ("a*c",),
    },
    absent=frozenset({"aws:sourcevpc", "aws:principaltag/*", "aws:userid"}),
)


def truth(operator: str, key: str, *values: str | Unresolved) -> bool | None:
    return holds(Condition(operator, key, values), CONTEXT)


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        ("StringEquals", "aws:SourceVpce", "vpce-1", True),
        ("StringEquals", "aws:SourceVpce", "VPCE-1", False),
        ("StringEquals", "aws:SourceVpce", "vpce-*", False),
        ("StringEquals", "aws:Starred", "a*c", True),
        ("StringEquals", "aws:Starred", "a${*}c", True),
        ("StringNotEquals", "aws:SourceVpce", "vpce-1", False),
        ("StringNotEquals", "aws:SourceVpce", "vpce-2", True),
        ("StringEqualsIgnoreCase", "aws:SourceVpce", "VPCE-1", True),
        ("StringNotEqualsIgnoreCase", "aws:SourceVpce", "VPCE-1", False),
        ("StringLike", "aws:SourceVpce", "vpce-?", True),
        ("StringLike", "aws:SourceVpce", "vpce-??", False),
        ("StringLike", "aws:SourceVpce", "Vpce-*", False),
        ("StringLike", "aws:Starred", "a${*}c", True),
        ("StringLike", "aws:SourceVpce", "vpce${*}", False),
        ("StringNotLike", "aws:SourceVpce", "vpce-*", False),
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/*", True),
        ("ArnLike", "aws:PrincipalArn", "arn:*:iam::*:role/app/Notifier", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::210987654321:role/*", False),
        ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app/*", False),
        ("ArnNotEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/*", True),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/16", True),
        ("IpAddress", "aws:VpcSourceIp", "10.0.1.7", True),
        ("IpAddress", "aws:VpcSourceIp", "10.1.0.0/16", False),
        ("IpAddress", "aws:VpcSourceIp", "2001:db8::/32", False),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32", True),
        ("NotIpAddress", "aws:VpcSourceIp", "10.0.0.0/16", False),
        ("Bool", "aws:SecureTransport", "true", True),
        ("Bool", "aws:SecureTransport", "False", False),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "301", True),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "300", False),
        ("NumericLessThanEquals", "aws:MultiFactorAuthAge", "300.0", True),
        ("NumericGreaterThan", "aws:MultiFactorAuthAge", "299", True),
        ("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", "301", False),
        ("NumericEquals", "aws:MultiFactorAuthAge", "3e2", True),
        ("NumericNotEquals", "aws:MultiFactorAuthAge", "300", False),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-21T11:59:59Z", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-21T12:00:00Z", False),
        ("DateGreaterThanEquals", "aws:CurrentTime", "2026-11-21T13:00:00+01:00", True),
        ("DateLessThan", "aws:CurrentTime", "2027-01-01", True),
        ("DateLessThanEquals", "aws:CurrentTime", "1795262400", True),
        ("DateEquals", "aws:EpochTime", "2026-11-21T12:00:00Z", True),
        ("DateNotEquals", "aws:EpochTime", "2026-11-21T12:00:00Z", False),
        ("stringequals", "AWS:sourceVPCE", "vpce-1", True),
    ],
)
def test_each_operator_compares_its_type(
    operator: str, key: str, value: str, *, expected: bool
) -> None:
    """One value against one value, names of operators and keys in any case."""
    assert truth(operator, key, value) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("ArnLike", False),
        ("IpAddress", False),
        ("Bool", False),
        ("NumericEquals", False),
        ("DateLessThan", False),
        ("StringNotEquals", True),
        ("StringNotEqualsIgnoreCase", True),
        ("StringNotLike", True),
        ("ArnNotLike", True),
        ("ArnNotEquals", True),
        ("NotIpAddress", True),
        ("NumericNotEquals", True),
        ("DateNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("BoolIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", None),
        ("ForAnyValue:StringNotEqualsIfExists", None),
    ],
)
@pytest.mark.parametrize("key", ["aws:SourceVpc", "aws:PrincipalTag/Other"])
def test_an_absent_key_satisfies_only_negated_if_exists_and_all_of_none(
    key: str, operator: str, *, expected: bool | None
) -> None:
    """StringEquals of nothing is false, StringNotEquals of nothing true; of both, nobody knows."""
    assert truth(operator, key, "vpc-1") is expected


@pytest.mark.parametrize(
    "operator",
    ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringLike", "Null"],
)
def test_a_key_that_is_not_known_leaves_every_operator_unknown(operator: str) -> None:
    """Neither present nor absent: no operator may guess."""
    assert truth(operator, "aws:PrincipalOrgID", "true") is None


def test_if_exists_compares_what_exists() -> None:
    """Only absence makes it true."""
    assert truth("StringEqualsIfExists", "aws:SourceVpce", "vpce-2") is False
    assert truth("StringNotEqualsIfExists", "aws:SourceVpce", "vpce-1") is False


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("aws:SourceVpc", "true", True),
        ("aws:SourceVpc", "false", False),
        ("aws:SourceVpce", "True", False),
        ("aws:SourceVpce", "false", True),
        ("aws:SourceVpce", "no", None),
        ("aws:SourceVpce", Unresolved("x"), None),
    ],
)
def test_null_asks_for_absence(key: str, value: str | Unresolved, *, expected: bool | None) -> None:
    """`true` is absent, `false` is present, anything else is not understood."""
    assert truth("Null", key, value) is expected


def test_values_are_alternatives_and_their_negation_excludes_all() -> None:
    """Positive: OR; negated: NOR."""
    assert truth("StringEquals", "aws:SourceVpce", "vpce-0", "vpce-1") is True
    assert truth("StringNotEquals", "aws:SourceVpce", "vpce-0", "vpce-1") is False
    assert truth("StringNotEquals", "aws:SourceVpce", "vpce-0", "vpce-2") is True
    assert truth("NotIpAddress", "aws:VpcSourceIp", "10.0.0.0/8", "192.0.2.0/24") is False


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAnyValue:StringEquals", ("dynamodb.amazonaws.com",), True),
        ("ForAnyValue:StringEquals", ("s3.amazonaws.com",), False),
        ("ForAllValues:StringEquals", ("dynamodb.amazonaws.com",), False),
        ("ForAllValues:StringLike", ("dynamodb.*", "athena.*"), True),
        ("ForAllValues:StringNotEquals", ("dynamodb.amazonaws.com",), False),
        ("ForAnyValue:StringNotEquals", ("dynamodb.amazonaws.com",), True),
        ("StringEquals", ("dynamodb.amazonaws.com",), None),
    ],
)
def test_keys_with_several_values_need_a_quantifier(
    operator: str, values: tuple[str, ...], *, expected: bool | None
) -> None:
    """Any or all of the request's values; without a quantifier nothing is documented."""
    assert truth(operator, "aws:CalledVia", *values) is expected


@pytest.mark.parametrize("values", [("o-1/r-1/ou-1/",), ("o-1/r-1/ou-1/", "o-1/r-1/"), ()])
@pytest.mark.parametrize("operator", ["StringEquals", "StringNotLike", "StringEqualsIfExists"])
def test_a_multivalued_key_needs_a_quantifier_however_many_values_it_has(
    operator: str, values: tuple[str, ...]
) -> None:
    """Without one, what happens is not documented: not even for one value, or none."""
    context = Context({"aws:principalorgpaths": values})
    assert holds(Condition(operator, "aws:PrincipalOrgPaths", ("o-1/r-1/ou-1/",)), context) is None
    quantified = Condition(f"ForAllValues:{operator}", "aws:PrincipalOrgPaths", ("o-1/*",))
    assert holds(quantified, context) is not None


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("BinaryEquals", "aws:SourceVpce", "dnBjZS0x"),
        ("StringMatches", "aws:SourceVpce", "vpce-1"),
        ("ForSomeValues:StringEquals", "aws:SourceVpce", "vpce-1"),
        ("NullIfExists", "aws:SourceVpce", "true"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/33"),
        ("IpAddress", "aws:VpcSourceIp", "${aws:username}"),
        ("NotIpAddress", "aws:VpcSourceIp", "ten"),
        ("Bool", "aws:SecureTransport", "yes"),
        ("NumericEquals", "aws:MultiFactorAuthAge", "many"),
        ("NumericNotEquals", "aws:MultiFactorAuthAge", "nan"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "inf"),
        ("NumericEquals", "aws:SourceVpce", "1"),
        ("DateLessThan", "aws:CurrentTime", "tomorrow"),
        ("DateLessThan", "aws:CurrentTime", "9" * 30),
        ("DateGreaterThan", "aws:CurrentTime", "2026"),
        ("ArnLike", "aws:PrincipalArn", "*"),
        ("ArnNotLike", "aws:SourceVpce", "arn:aws:iam::123456789012:role/x"),
    ],
)
def test_what_is_not_understood_is_unknown(operator: str, key: str, value: str) -> None:
    """An operator or value outside the documents is neither true nor false."""
    assert truth(operator, key, value) is None


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        ("StringEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/Team}", True),
        ("StringLike", "aws:SourceVpce", "${aws:SourceVpce}", True),
        ("StringLike", "aws:SourceVpce", "${aws:Starred}", False),
        ("StringLike", "aws:Starred", "${aws:Starred}", True),
        ("StringEquals", "aws:SourceVpce", "${aws:userid, 'vpce-1'}", True),
        ("StringEquals", "aws:SourceVpce", "${aws:userid}", False),
        ("StringEquals", "aws:SourceVpce", "${aws:PrincipalOrgID}", None),
        ("StringNotEquals", "aws:SourceVpce", "${aws:PrincipalOrgID}", None),
        ("StringEquals", "aws:SourceVpce", "${aws:CalledVia}", None),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:*/${aws:userid, 'Notifier'}", True),
    ],
)
def test_variables_are_replaced_by_the_requests_values(
    operator: str, key: str, value: str, *, expected: bool | None
) -> None:
    """Literally, wildcards in them included; unknown keys leave the condition unknown."""
    assert truth(operator, key, value) is expected


names = st.sampled_from(["vpce-1", "vpce-2", "claims", "x", "*"])
operators = st.sampled_from(
    [
        f"{quantifier}{operator}{if_exists}"
        for quantifier in ("", "ForAllValues:", "ForAnyValue:")
        for operator in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
        for if_exists in ("", "IfExists")
    ]
)
keys = st.sampled_from(["aws:SourceVpce", "aws:SourceVpc", "aws:CalledVia", "aws:PrincipalOrgID"])
unresolved = st.just(Unresolved("later"))


@thorough
@given(operator=operators, key=keys, values=st.lists(names | unresolved, min_size=1), later=names)
def test_an_unresolved_value_never_claims_what_a_resolution_would_contradict(
    operator: str, key: str, values: list[str | Unresolved], later: str
) -> None:
    """True or false with unresolved values is true or false however they resolve."""
    claimed = truth(operator, key, *values)
    resolved = [later if isinstance(value, Unresolved) else value for value in values]
    if claimed is not None:
        assert truth(operator, key, *resolved) is claimed


@thorough
@given(
    operator=st.sampled_from(["StringEquals", "StringLike", "ArnLike", "StringEqualsIgnoreCase"]),
    key=keys,
    values=st.lists(names, min_size=1),
)
def test_a_negated_operator_is_the_opposite(operator: str, key: str, values: list[str]) -> None:
    """Of a key with one value, and of an absent one; what is unknown is so both ways."""
    opposite = {
        "StringEquals": "StringNotEquals",
        "StringLike": "StringNotLike",
        "ArnLike": "ArnNotLike",
        "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    }[operator]
    plain, negated = truth(operator, key, *values), truth(opposite, key, *values)
    assert (plain is None and negated is None) or plain is (not negated)


@thorough
@given(
    operator=st.text(max_size=40) | operators,
    key=st.text(max_size=20) | keys,
    values=st.lists(st.text(max_size=30) | unresolved, max_size=4),
)
def test_no_condition_raises(operator: str, key: str, values: list[str | Unresolved]) -> None:
    """Whatever stands in a policy, the answer is true, false or unknown."""
    assert truth(operator, key, *values) in (True, False, None)
