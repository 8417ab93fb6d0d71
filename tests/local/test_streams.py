"""A real stream of the emulated account, delivered as an event source mapping says."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.account.client import Account
from backstairs.local.deploy import start_account
from backstairs.runtime.discarded import GoneError, discarded_records
from backstairs.runtime.event_filter import EventFilter
from backstairs.runtime.pool import Result
from backstairs.runtime.process import Children
from backstairs.runtime.streams import EventSource, StreamPoller, WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from backstairs.runtime.streams import Clock

TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
READS = ["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An emulated account of its own."""
    state: Path = tmp_path_factory.mktemp("account")
    (state / "logs").mkdir()
    children = Children()
    yield Account(start_account(sys.executable, children, state, "us-east-1"), "us-east-1")
    children.close()


class Function:
    """What the poller needs of a pool: a function, and its invocations one after another."""

    records: list[dict[str, Any]]

    def __init__(self, role_arn: str, answer: Callable[[list[str]], Result]) -> None:
        self.role_arn, self.label = role_arn, "test"
        self.function = self
        self.batches: list[list[str]] = []
        self._answer = answer

    async def invoke(self, payload: bytes) -> Result:
        records = json.loads(payload)["Records"]
        names = [record["dynamodb"]["Keys"]["PK"]["S"] for record in records]
        self.batches.append(names)
        self.records = records
        return self._answer(names)


class Later(WallClock):
    """A clock that can be set ahead, and never waits long."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await super().sleep(min(seconds, 0.005))


class Source:
    """A table with a stream, a queue, and a role that may read the one and write the other."""

    def __init__(self, account: Account, name: str) -> None:
        self.account, self.name = account, name
        table = account.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        self.stream_arn = table["TableDescription"]["LatestStreamArn"]
        self.queue = account.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        queue_arn = f"arn:aws:sqs:us-east-1:{account.account_id}:{name}"
        statements = [
            {"Effect": "Allow", "Action": READS, "Resource": self.stream_arn},
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn},
        ]
        iam = account.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(TRUST))["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_document(*statements))
        self.role_arn = role["Arn"]
        self.settings: dict[str, Any] = {
            "EventSourceArn": self.stream_arn,
            "FunctionArn": f"arn:aws:lambda:us-east-1:{account.account_id}:function:f",
            "StartingPosition": "TRIM_HORIZON",
            "MaximumRetryAttempts": 1,
            "DestinationConfig": {"OnFailure": {"Destination": queue_arn}},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }

    def put(self, *names: str) -> None:
        """Write items, and so stream records."""
        for name in names:
            self.account.client("dynamodb").put_item(
                TableName=self.name, Item={"PK": {"S": name}, "blob": {"B": b"\x00\xff"}}
            )

    def deliver(
        self,
        answer: Callable[[list[str]], Result],
        done: Callable[[Function], bool],
        clock: Clock | None = None,
        **more: object,
    ) -> Function:
        """Poll until `done`, or for ten seconds."""
        function = Function(self.role_arn, answer)
        source = EventSource.read(self.settings | more)

        async def poll() -> None:
            poller = StreamPoller(self.account, source, function, clock)  # type: ignore[arg-type]
            polling = asyncio.create_task(poller.run())
            for _ in range(200):
                if done(function):
                    break
                await asyncio.sleep(0.05)
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

        asyncio.run(poll())
        return function

    def given_up(self) -> list[dict[str, Any]]:
        """What the on-failure queue holds."""
        found = self.account.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10
        )
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def fine(_names: list[str]) -> Result:
    """Answer that all went well."""
    return Result(b'{"batchItemFailures": []}')


def fails_on(*bad: str) -> Callable[[list[str]], Result]:
    """Raise when one of these is in the batch."""

    def answer(names: list[str]) -> Result:
        return Result(b"{}", "ValueError") if set(bad) & set(names) else fine(names)

    return answer


def test_records_arrive_in_order(account: Account) -> None:
    """Every record arrives once, in order, as Lambda writes them."""
    source = Source(account, "in-order")
    source.put("a", "b", "c")

    function = source.deliver(fine, lambda function: bool(function.batches))

    assert [name for batch in function.batches for name in batch] == ["a", "b", "c"]
    record = function.records[0]
    assert record["eventSource"] == "aws:dynamodb"
    assert record["eventSourceARN"] == source.stream_arn
    assert record["eventName"] == "INSERT"
    assert record["dynamodb"]["NewImage"]["blob"] == {"B": "AP8="}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)


def test_only_what_the_filter_lets_pass(account: Account) -> None:
    """Records that no filter fits never reach the function."""
    source = Source(account, "filtered")
    source.put("claim-1", "member-1", "claim-2")
    pattern = json.dumps({"dynamodb": {"Keys": {"PK": {"S": [{"prefix": "claim-"}]}}}})

    function = source.deliver(
        fine,
        lambda function: bool(function.batches),
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )

    assert function.batches == [["claim-1", "claim-2"]]


def test_a_poison_record_ends_in_the_queue(account: Account) -> None:
    """With bisection only the bad record is given up, after its retries; all others are done."""
    source = Source(account, "bisected")
    source.put("a", "b", "bad", "d")

    function = source.deliver(
        fails_on("bad"),
        lambda function: ["d"] in function.batches,
        BisectBatchOnFunctionError=True,
    )

    done = [batch for batch in function.batches if "bad" not in batch]
    assert done == [["a", "b"], ["d"]]
    (given_up,) = source.given_up()
    assert given_up["DDBStreamBatchInfo"]["batchSize"] == 1
    assert given_up["DDBStreamBatchInfo"]["streamArn"] == source.stream_arn
    assert given_up["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_unlimited_retries_end_with_the_outage(account: Account) -> None:
    """However many attempts it takes; nothing is given up, and the order stays."""
    source = Source(account, "unlimited")
    source.put("a", "b")
    attempts = 0

    def down_for_long(names: list[str]) -> Result:
        nonlocal attempts
        attempts += 1
        return fine(names) if attempts > 300 else Result(b"{}", "ConnectionError")

    function = source.deliver(
        down_for_long,
        lambda function: ["b"] in function.batches,
        Later(),
        MaximumRetryAttempts=-1,
        BisectBatchOnFunctionError=True,
    )

    assert len(function.batches) == 302
    assert function.batches[-2:] == [["a"], ["b"]]
    assert source.given_up() == []


@pytest.mark.parametrize("retries", [-1, 0])
def test_a_record_past_its_age_is_given_up_once(account: Account, retries: int) -> None:
    """With its address and AWS's reason, be its retries used up or not; the next one is told."""
    source = Source(account, f"aged{retries}")
    source.put("old")
    clock, messages = Later(), list[Any]()

    def next_one_delivered(function: Function) -> bool:
        if not messages:
            messages.extend(source.given_up())
            if messages:
                clock.ahead = timedelta()
                source.put("new")
        return ["new"] in function.batches

    def fails_until_later(names: list[str]) -> Result:
        if names == ["old"] and not clock.ahead:
            clock.ahead = timedelta(seconds=3600)
        return Result(b"{}", "ConnectionError") if "old" in names else fine(names)

    function = source.deliver(
        fails_until_later,
        next_one_delivered,
        clock,
        MaximumRetryAttempts=retries,
        MaximumRecordAgeInSeconds=1800,
    )

    assert function.batches == [["old"], ["new"]]
    (message,) = messages
    assert message["requestContext"]["condition"] == "RecordAgeExceeded"
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1


def test_what_was_given_up_can_be_read_again(account: Account) -> None:
    """From the queue's message, as the function was to be given it; nothing else of the shard."""
    source = Source(account, "read-again")
    source.put("before", "bad-1", "bad-2", "after")
    source.deliver(
        fails_on("bad-1", "bad-2"),
        lambda function: ["after"] in function.batches,
        Later(),
        BatchSize=1,
    )
    messages = source.given_up()
    streams = account.client("dynamodbstreams")
    for name, message in zip(("bad-1", "bad-2"), messages, strict=True):
        (record,) = discarded_records(streams, json.dumps(message), EventFilter([]))
        assert record["dynamodb"]["Keys"] == {"PK": {"S": name}}
        assert record["dynamodb"]["NewImage"]["blob"] == {"B": "AP8="}
        assert record["eventSourceARN"] == source.stream_arn
    gone = json.loads(json.dumps(messages[0]))
    gone["DDBStreamBatchInfo"]["endSequenceNumber"] = "1"
    with pytest.raises(GoneError):
        discarded_records(streams, json.dumps(gone), EventFilter([]))
    for nonsense in ("{}", "[]", "no JSON"):
        with pytest.raises(ValueError, match=r"message|JSON|Expecting"):
            discarded_records(streams, nonsense, EventFilter([]))


def test_partial_failures(account: Account) -> None:
    """What was done before the reported record is not repeated; from it on, everything is."""
    source = Source(account, "partial")
    source.put("a", "b", "c")
    reported: list[str] = []

    def answer(names: list[str]) -> Result:
        if "b" in names and not reported:
            number = function_records()[names.index("b")]["dynamodb"]["SequenceNumber"]
            reported.append(number)
            return Result(json.dumps({"batchItemFailures": [{"itemIdentifier": number}]}).encode())
        return fine(names)

    seen: list[Function] = []

    def function_records() -> list[dict[str, Any]]:
        return seen[0].records

    def done(function: Function) -> bool:
        seen[:] = [function]
        return len(function.batches) > 1

    function = source.deliver(answer, done)

    assert function.batches == [["a", "b", "c"], ["b", "c"]]


@pytest.mark.parametrize(
    "answer", [b'{"batchItemFailures": [{"itemIdentifier": "no such"}]}', b"[]", b'"done"']
)
def test_an_answer_about_nothing(account: Account, answer: bytes) -> None:
    """An answer that names no record of the batch fails all of it, as Lambda has it."""
    source = Source(account, f"odd-{len(answer)}")
    source.put("a")

    function = source.deliver(lambda _: Result(answer), lambda f: len(f.batches) > 1)

    assert function.batches[:2] == [["a"], ["a"]]


def test_a_role_without_the_permission(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """A function whose role may not read the stream gets nothing, and the log says why."""
    source = Source(account, "forbidden")
    account.client("iam").delete_role_policy(RoleName="forbidden", PolicyName="p")
    source.put("a")

    function = source.deliver(fine, lambda _: "AccessDenied" in caplog.text)

    assert function.batches == []
    assert "describe_stream" in caplog.text
