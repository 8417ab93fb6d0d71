"""`backstairs redrive --stack-name` by AWS's own APIs, on a stack of the emulated account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.account.client import Account
from backstairs.local.deploy import start_account
from backstairs.runtime.process import Children

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Answers as the notifier does: two pages of what was set aside.
NOTIFIER = """
def handler(event, context):
    if event["redrive"]["after"] is None:
        return {"told": 10, "kept": {"ConnectTimeout": 1}, "next": "page 2"}
    assert event["redrive"]["after"] == "page 2"
    return {"told": 3, "kept": {"ConnectTimeout": 1, "UnknownMemberError": 2}, "next": None}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def template(code: str) -> dict[str, Any]:
    """A notifier behind an alias, driven by a stream, with a queue for what is given up."""
    return {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "NotifierFunction": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": code},
                },
            },
            "Version": {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "NotifierFunction"}},
            },
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "NotifierFunction"},
                    "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                    "Name": "live",
                },
            },
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                    "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Changes": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Alias"},
                    "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                    "StartingPosition": "TRIM_HORIZON",
                    "DestinationConfig": {
                        "OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}
                    },
                },
            },
        }
    }


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An emulated account of its own."""
    state: Path = tmp_path_factory.mktemp("account")
    (state / "logs").mkdir()
    children = Children()
    yield Account(start_account(sys.executable, children, state, "us-east-1"), "us-east-1")
    children.close()


def deploy(account: Account, name: str, code: str = NOTIFIER) -> None:
    """Create a stack."""
    client = account.client("cloudformation")
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template(code)),
        Capabilities=["CAPABILITY_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def redrive(account: Account, stack_name: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody with credentials of the account."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "backstairs", "redrive", "--stack-name", stack_name],
        env=clean
        | {
            "AWS_ENDPOINT_URL": account.url,
            "AWS_REGION": account.region,
            "AWS_DEFAULT_REGION": account.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_pages_are_gone_through_and_counted_together(account: Account) -> None:
    """The function behind its alias is invoked until there is no next page."""
    deploy(account, "pages")
    done = redrive(account, "pages")
    assert "told 13 that were set aside, 0 that Lambda had given up" in done.stdout, done.stderr
    assert done.stderr.splitlines() == [
        "still set aside: 2, ConnectTimeout",
        "still set aside: 2, UnknownMemberError",
    ]
    assert done.returncode == 1


def test_a_notifier_that_fails_is_told_in_one_line(account: Account) -> None:
    """No traceback: its log says why."""
    deploy(account, "failing", "def handler(event, context):\n    raise ValueError\n")
    done = redrive(account, "failing")
    assert done.returncode == 1
    assert done.stderr.startswith("backstairs: the notifier failed: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_stack_that_is_not_there_is_told_in_one_line(account: Account) -> None:
    """In AWS's own words."""
    done = redrive(account, "no-such-stack")
    assert done.returncode == 1
    assert "no-such-stack" in done.stderr
    assert len(done.stderr.splitlines()) == 1
