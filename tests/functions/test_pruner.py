"""The pruner, on versions of a function in the emulated account."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from pruner.handler import prune
from pruner.versions import versions_to_delete

from tests.functions.conftest import client_at

if TYPE_CHECKING:
    from collections.abc import Iterator


def code(number: int) -> bytes:
    """A deployment package; another one for each number."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", f"NUMBER = {number}\n")
    return package.getvalue()


@pytest.fixture
def aws_lambda(account_port: int) -> Any:
    """The emulated account's Lambda."""
    return client_at(account_port, "lambda")


@pytest.fixture
def function(aws_lambda: Any, account_port: int) -> Iterator[str]:
    """A function with six versions; two aliases lead to the first and, in part, the second."""
    iam = client_at(account_port, "iam")
    name = f"function-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    aws_lambda.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": code(0)},
    )
    for number in range(1, 7):
        aws_lambda.update_function_code(FunctionName=name, ZipFile=code(number))
        version = aws_lambda.publish_version(FunctionName=name)["Version"]
        assert version == str(number)
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    aws_lambda.create_alias(
        FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights
    )
    yield name
    aws_lambda.delete_function(FunctionName=name)


def test_the_last_three_versions_stay_and_what_an_alias_leads_to(
    aws_lambda: Any, function: str
) -> None:
    """The function itself does too; a second run finds nothing to do."""
    assert prune(aws_lambda, [function]) == {function: ["3"]}
    listed = aws_lambda.list_versions_by_function(FunctionName=function)["Versions"]
    assert [one["Version"] for one in listed] == ["$LATEST", "1", "2", "4", "5", "6"]
    assert prune(aws_lambda, [function]) == {function: []}


@pytest.mark.parametrize(
    ("published", "gone"),
    [
        (["$LATEST"], []),
        (["$LATEST", "1", "2", "3"], []),
        (["$LATEST", "1", "2", "3", "4"], ["1"]),
        (["10", "9", "8", "7", "$LATEST"], ["7"]),
        (["8", "9", "10", "11", "12"], ["8", "9"]),
    ],
)
def test_the_last_are_the_highest_numbers(published: list[str], gone: list[str]) -> None:
    """Not the last of the alphabet, nor of the list."""
    assert versions_to_delete(published, []) == gone
