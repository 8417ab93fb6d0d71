"""The notifier through an outage: the real function on the real runtime, driven by the stream.

The mapping is the template's own; the poller's clock runs sixty times as fast as the machine's.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from claims.claim import new_claim
from claims.storage import Claims

from backstairs.account.client import Account
from backstairs.http.servers import Servers
from backstairs.runtime.pool import Function, Pool, Worker
from backstairs.runtime.process import Children, WorkerProcess
from backstairs.runtime.streams import EventSource, StreamPoller
from backstairs.template.load import load
from tests.functions.conftest import FOR_LAMBDA, ROOT, client_at, policy
from tests.functions.members_service import members_service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from insurance.table import Table

    from tests.functions.members_service import MembersService

PYTHON = Path(sys.prefix).parent / "runtime" / "bin" / "python"
PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
FIELDS: dict[str, Any] = {"policyId": "POL-2025-001", "amount": 12050, "currency": "EUR"}
SPEED = 60


class FastClock:
    """Runs sixty times as fast as the machine's."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return self._began + self.elapsed

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed, as the poller sees it."""
        return timedelta(seconds=(time.monotonic() - self._start) * SPEED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


class Notifier:
    """The deployed notifier: its tables, its queue, its role, its mapping."""

    def __init__(self, port: int, new_table: Callable[[str], Table], folder: Path) -> None:
        self.account = Account(f"http://127.0.0.1:{port}", "us-east-1")
        self.claims = new_table("ClaimsTable")
        self.notifications = new_table("NotificationsTable")
        self.undelivered = new_table("UndeliveredTable")
        self.folder = folder
        name = self.claims.name
        self.queue = client_at(port, "sqs").create_queue(QueueName=name)["QueueUrl"]
        self._iam, self._sqs = client_at(port, "iam"), client_at(port, "sqs")
        self._streams = client_at(port, "dynamodbstreams")
        role = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(FOR_LAMBDA))
        allow_all = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
        self._iam.put_role_policy(RoleName=name, PolicyName="All", PolicyDocument=allow_all)
        self.role_arn = role["Role"]["Arn"]
        stream = self._streams.list_streams(TableName=name)["Streams"][0]["StreamArn"]
        mapping = load(ROOT / "template.yaml")["Resources"]["ClaimChanges"]["Properties"]
        self.source = EventSource.read(
            mapping
            | {
                "EventSourceArn": stream,
                "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:notifier",
                "DestinationConfig": {
                    "OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{name}"}
                },
            }
        )

    @asynccontextmanager
    async def pool(self, members_url: str) -> AsyncIterator[Pool]:
        """The function on Lambda's own runtime client."""
        children, servers = Children(), Servers()
        following: list[asyncio.Task[None]] = []
        log = (self.folder / "notifier.log").open("ab")
        layers = [ROOT / "layers" / "service", ROOT / "layers" / "signing"]
        code = ROOT / "functions" / "notifier"

        async def start(function: Function, worker: Worker) -> WorkerProcess:
            environment = {
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join([str(code), *map(str, layers), PACKAGES]),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{worker.port}",
                "AWS_LAMBDA_FUNCTION_NAME": "notifier",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                "AWS_ENDPOINT_URL": self.account.url,
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                **function.environment,
            }
            command = [str(PYTHON), "-m", "awslambdaric", function.handler]
            process = children.start(
                command, environment=environment, output=subprocess.PIPE, folder=code
            )
            started = WorkerProcess(process, datetime.now(UTC) + timedelta(hours=1))
            following.append(asyncio.create_task(started.follow(log)))
            return started

        function = Function(
            name="notifier",
            label="notifier",
            arn=self.source.function_arn,
            runtime="python3.13",
            handler="notifier.handler.lambda_handler",
            role_arn=self.role_arn,
            timeout=60,
            memory=256,
            vpc_id=None,
            environment={
                "TABLE_NAME": self.notifications.name,
                "UNDELIVERED_TABLE_NAME": self.undelivered.name,
                "SET_ASIDE_AFTER_SECONDS": "36000",
                "CLAIMS_API_URL": members_url,
            },
            code=code,
        )
        pool = Pool(function, [Worker(servers.add) for _ in range(2)], start)
        serving = asyncio.create_task(servers.run())
        await servers.started()
        try:
            yield pool
        finally:
            pool.stop()
            servers.stop()
            await serving
            children.close()
            await asyncio.gather(*following)
            log.close()

    def write(self, member_id: str, number: int) -> str:
        """Write a claim as the claims service does; returns its id."""
        claim_id = f"00000000-0000-4000-8000-{number:012}"
        at = f"2025-03-14T09:26:53.{number:06}Z"
        claim = new_claim(FIELDS, member_id=member_id, claim_id=claim_id, created_at=at)
        Claims(self.claims).add(claim, "fingerprint")
        return claim_id

    def told(self) -> Counter[str]:
        """How often each claim's change was told, out of the stream of notifications."""
        (stream,) = self._streams.list_streams(TableName=self.notifications.name)["Streams"]
        described = self._streams.describe_stream(StreamArn=stream["StreamArn"])
        found: Counter[str] = Counter()
        for shard in described["StreamDescription"]["Shards"]:
            iterator = self._streams.get_shard_iterator(
                StreamArn=stream["StreamArn"],
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            for record in self._streams.get_records(ShardIterator=iterator)["Records"]:
                found[record["dynamodb"]["NewImage"]["claimId"]["S"]] += 1
        return found

    def aside(self) -> dict[str, str]:
        """What is set aside: the reason by the claim's key."""
        items = self.undelivered.client.scan(TableName=self.undelivered.name)["Items"]
        return {
            json.loads(item["record"]["S"])["dynamodb"]["Keys"]["SK"]["S"]: item["reason"]["S"]
            for item in items
        }

    def given_up(self) -> list[Any]:
        """What the on-failure queue holds."""
        found = self._sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        messages: list[Any] = found.get("Messages", [])
        return messages


@pytest.fixture
def service() -> Iterator[MembersService]:
    """A members service while the test runs; it is down."""
    with members_service() as service:
        service.down = True
        yield service


@pytest.fixture
def notifier(account_port: int, new_table: Callable[[str], Table], tmp_path: Path) -> Notifier:
    """The notifier, its tables empty."""
    return Notifier(account_port, new_table, tmp_path)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so; the machine may be busy."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


def test_an_outage_of_minutes_loses_nothing_and_repeats_nothing(
    service: MembersService, notifier: Notifier
) -> None:
    """Twelve minutes of 502; then every change is told once, and the poison alone is set aside."""
    good = [notifier.write("m-1001", number) for number in range(7)]
    poison = notifier.write("m-9999", 100)
    good += [notifier.write("m-1001", number) for number in range(7, 14)]

    async def scenario() -> None:
        clock = FastClock()
        async with notifier.pool(service.url) as pool:
            poller = StreamPoller(notifier.account, notifier.source, pool, clock)
            polling = asyncio.create_task(poller.run())
            try:
                await until(lambda: clock.elapsed > timedelta(minutes=6))
                good.append(await asyncio.to_thread(notifier.write, "m-1001", 14))
                await until(lambda: clock.elapsed > timedelta(minutes=12))
                assert len(service.asked) > 11
                assert notifier.told() == Counter()
                service.down = False
                await until(lambda: set(notifier.told()) == set(good))
                await until(lambda: bool(notifier.aside()))
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)
            assert notifier.aside() == {f"CLAIM#{poison}": "UnknownMemberError"}

            service.members["m-9999"] = {"name": "Grace", "email": "grace@example.com"}
            answers = [
                await pool.invoke(b'{"redrive": {}}'),
                await pool.invoke(b'{"redrive": {}}'),
            ]
            assert [json.loads(answer.payload) for answer in answers] == [
                {"told": 1, "kept": {}, "next": None},
                {"told": 0, "kept": {}, "next": None},
            ]

    asyncio.run(scenario())
    assert notifier.told() == Counter([*good, poison])
    assert notifier.aside() == {}
    assert notifier.given_up() == []
