"""The sample events, and the tables of the template in an emulated DynamoDB."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import uuid
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from insurance.table import Table

from backstairs.template.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
FOR_LAMBDA = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


@pytest.fixture
def event() -> Callable[[str], Any]:
    """Read a sample event by its name below events/, without the extension."""

    def read(name: str) -> Any:
        return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture
def context() -> Any:
    """What Lambda says of an invocation."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
        aws_request_id="8d1c7d9e-5f0a-4b8e-9c55-0f2a1d3e4b5c",
        get_remaining_time_in_millis=lambda: 10_000,
    )


def client_at(port: int, service: str = "dynamodb") -> Any:
    """A client of the emulated account that asks once and no longer than a second."""
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            connect_timeout=1,
            read_timeout=5,
            retries={"total_max_attempts": 1},
            max_pool_connections=100,
        ),
    )


@contextmanager
def role(port: int, statements: list[Any]) -> Iterator[Callable[[str], Any]]:
    """Clients by service, with the rights of a new role of the emulated account and no others."""
    iam, name = client_at(port, "iam"), f"role-{uuid.uuid4().hex[:12]}"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(FOR_LAMBDA))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="Own", PolicyDocument=policy(*statements))
    found = client_at(port, "sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]

    @cache
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=100),
        )

    yield client
    iam.delete_role_policy(RoleName=name, PolicyName="Own")
    iam.delete_role(RoleName=name)


def policy(*statements: Any) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="session")
def account_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an emulated account, running while the tests do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    state = tmp_path_factory.mktemp("account")
    process = subprocess.Popen(
        [sys.executable, "-m", "backstairs.emulator", f"--port={port}", f"--state={state}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    yield port
    process.kill()
    process.communicate()


@pytest.fixture(scope="session")
def dynamodb(account_port: int) -> Any:
    """The emulated account's DynamoDB."""
    return client_at(account_port)


@pytest.fixture
def new_table(dynamodb: Any) -> Iterator[Callable[[str], Table]]:
    """Make an empty table as the template declares it, by its logical id."""
    made = []

    def make(logical_id: str) -> Table:
        declared = load(ROOT / "template.yaml")["Resources"][logical_id]["Properties"]
        wanted = {
            name: declared[name]
            for name in ("AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes")
            if name in declared
        }
        if "StreamSpecification" in declared:
            stream = {"StreamEnabled": True, **declared["StreamSpecification"]}
            wanted["StreamSpecification"] = stream
        name = f"{logical_id}-{uuid.uuid4().hex[:12]}"
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **wanted)
        made.append(name)
        return Table(dynamodb, name)

    yield make
    for name in made:
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def table(new_table: Callable[[str], Table], event: Callable[[str], Any]) -> Table:
    """The claims table with the sample members in it."""
    table = new_table("ClaimsTable")
    for item in event("sample-members"):
        table.client.put_item(TableName=table.name, Item=item)
    return table


@pytest.fixture
def items(table: Table) -> Callable[[], list[Any]]:
    """Read everything that is in the claims table."""

    def read() -> list[Any]:
        found: list[Any] = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
        return sorted(found, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))

    return read
