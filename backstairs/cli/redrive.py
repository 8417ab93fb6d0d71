"""Tell what the notifier set aside, and what Lambda gave up, once the cause is mended.

Of the running `backstairs up`; with --stack-name of a stack in AWS, with the credentials and the
region of the environment. Nothing is told twice, however often it runs.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.cli.project import ProblemError, Project, ask, reaching

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from backstairs.local.running import Running

_LOGICAL_ID, _LABEL = "NotifierFunction", "notifier"
# While a message is dealt with nobody else gets it.
_HELD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class _Notifier:
    """The function to invoke, the mapping that drives it, and clients of its account."""

    invoke: Callable[[object], Any]
    mapping: Mapping[str, Any]
    client: Callable[[str], Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--stack-name", help="a stack in AWS (default: what runs here)")


def run(options: argparse.Namespace) -> int:
    """Print what was told and what was not; the exit status is 1 where something is left."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if options.stack_name:
            return _redrive(_in_aws(options.stack_name))
        running = Project.here().running()
        with reaching(running):
            return _redrive(_running_here(running))
    except (BotoCoreError, ClientError) as error:
        raise ProblemError(str(error)) from error


def _redrive(notifier: _Notifier) -> int:
    given_up, left_in_queue = _tell_given_up(notifier)
    told, kept = _tell_set_aside(notifier)
    print(f"told {told} that were set aside, {given_up} that Lambda had given up")
    for reason, number in sorted(kept.items()):
        print(f"still set aside: {number}, {reason}", file=sys.stderr)
    for reason, number in sorted(left_in_queue.items()):
        print(f"still in the queue: {number}, {reason}", file=sys.stderr)
    return 1 if kept or left_in_queue else 0


def _tell_set_aside(notifier: _Notifier) -> tuple[int, Counter[str]]:
    """Page after page; how many were told, and of the others how many for which reason."""
    told, kept, after = 0, Counter[str](), None
    while True:
        answer = notifier.invoke({"redrive": {"after": after}})
        told += answer["told"]
        kept.update(answer["kept"])
        after = answer["next"]
        if after is None:
            return told, kept


def _tell_given_up(notifier: _Notifier) -> tuple[int, Counter[str]]:
    """Message after message; how many records were dealt with, and why messages stay."""
    from backstairs.runtime.discarded import GoneError, discarded_records
    from backstairs.runtime.event_filter import EventFilter

    destination = notifier.mapping.get("DestinationConfig", {}).get("OnFailure", {})
    if ":sqs:" not in destination.get("Destination", ""):
        return 0, Counter()
    patterns = notifier.mapping.get("FilterCriteria", {}).get("Filters", [])
    filters = EventFilter([one["Pattern"] for one in patterns])
    sqs, streams = notifier.client("sqs"), notifier.client("dynamodbstreams")
    url = sqs.get_queue_url(QueueName=destination["Destination"].rpartition(":")[2])["QueueUrl"]
    dealt_with, left = 0, Counter[str]()
    kept = []
    for message in _messages(sqs, url):
        try:
            records = discarded_records(streams, message["Body"], filters)
            failures = records and notifier.invoke({"Records": records})["batchItemFailures"]
            problem = "the notifier could not deal with it now" if failures else None
        except GoneError:
            problem = "the stream no longer has the records"
        except ValueError as error:
            problem = str(error)
        if problem is None:
            dealt_with += len(records)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        else:
            left[problem] += 1
            kept.append(message["ReceiptHandle"])
    for receipt in kept:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
    return dealt_with, left


def _messages(sqs: Any, url: str) -> Iterator[Mapping[str, Any]]:
    while True:
        found = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=_HELD_SECONDS, WaitTimeSeconds=1
        )
        if not found.get("Messages"):
            return
        yield from found["Messages"]


def _running_here(running: Running) -> _Notifier:
    from backstairs.account.client import Account
    from backstairs.local.deploy import STACK_NAME

    account = Account(running.account_url, running.region)

    def invoke(event: object) -> Any:
        path = f"/functions/{_LABEL}/invocations"
        answer, headers = ask(running, "POST", path, json.dumps(event).encode())
        return _answer(answer, headers.get("x-amz-function-error"))

    return _Notifier(invoke, _mapping(account.client, STACK_NAME), account.client)


def _in_aws(stack_name: str) -> _Notifier:
    import boto3
    from botocore.config import Config

    session = boto3.Session()
    # A page of redrives may take the function's sixty seconds, and is not to be sent twice at once.
    patient = Config(read_timeout=70, retries={"total_max_attempts": 1})
    aws_lambda = session.client("lambda", config=patient)
    mapping = _mapping(session.client, stack_name)

    def invoke(event: object) -> Any:
        answer = aws_lambda.invoke(
            FunctionName=mapping["FunctionArn"], Payload=json.dumps(event).encode()
        )
        return _answer(json.load(answer["Payload"]), answer.get("FunctionError"))

    return _Notifier(invoke, mapping, session.client)


def _mapping(client: Callable[[str], Any], stack_name: str) -> Mapping[str, Any]:
    """The event source mapping of the stack's notifier."""
    found = client("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId=_LOGICAL_ID
    )
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    pages = client("lambda").get_paginator("list_event_source_mappings").paginate()
    for page in pages:
        for mapping in page["EventSourceMappings"]:
            if mapping["FunctionArn"].split(":")[6] == name:
                described: Mapping[str, Any] = mapping
                return described
    raise ProblemError(f"no event source mapping drives {_LOGICAL_ID} of {stack_name}")


def _answer(answer: Any, error: str | None) -> Any:
    if error is not None:
        raise ProblemError(f"the notifier failed: {error}; its log says why")
    return answer
