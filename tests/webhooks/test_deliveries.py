"""A delivery is forwarded once, unless that failed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from forwarder.answer import Answer

from tests.webhooks.conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.webhooks.conftest import Sender

ONE, TWO = "72d3162e-cc78-11e3-81ab-4c9367dc0958", "0b989ba4-242f-11e5-81e1-c7b6966d2516"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_what_was_accepted_is_answered_again_and_not_forwarded(github: Sender, status: int) -> None:
    """With the same status, also by a sandbox that knows nothing of the first."""
    github.backend.status = status
    assert github.deliver(delivery=ONE)[0] == status
    github.webhooks = github.fresh()
    for _ in range(3):
        again, body = github.deliver(delivery=ONE)
        assert again == status
        if status != 204:
            assert body["message"] == "This delivery was forwarded before"
    assert len(github.backend.sent) == 1


def test_the_sample_redelivery_is_recognised_in_either_format(github: Sender) -> None:
    """It has the id and the body of the sample push."""
    assert github.send(sample("rest-push"))[0] == 202
    assert github.send(sample("rest-redelivery"))[0] == 202
    assert github.send(sample("http-redelivery"))[0] == 202
    assert len(github.backend.sent) == 1


@pytest.mark.parametrize("status", [301, 304, 400, 404, 409, 429, 500, 503])
def test_what_failed_may_be_delivered_again(github: Sender, status: int) -> None:
    """The backend's answer is GitHub's, and nothing is left of the attempt."""
    github.backend.status = status
    if status == 304:
        github.backend.body = b""
    assert github.deliver(delivery=ONE)[0] == status
    assert github.items() == []
    github.backend.status = 200
    assert github.deliver(delivery=ONE)[0] == 200
    assert len(github.backend.sent) == 2


def test_a_backend_that_is_down_or_silent_leaves_nothing_done(github: Sender) -> None:
    """502 and 504 are failures like any other; the delivery may come again."""
    github.seconds = 3.5
    github.backend.open.clear()
    assert github.deliver(delivery=ONE)[0] == 504
    github.backend.open.set()
    assert github.deliver(delivery=ONE)[0] == 202


def test_what_cannot_be_forwarded_in_time_is_not_begun(github: Sender) -> None:
    """As when the account was slow to answer: 504 before the backend has heard of it."""
    github.seconds = 2.6
    assert github.deliver(delivery=ONE)[0] == 504
    assert github.has_seen_nothing()
    github.seconds = 10
    assert github.deliver(delivery=ONE)[0] == 202


def test_the_same_id_with_another_body_is_another_delivery(github: Sender) -> None:
    """The id is not signed: it cannot make a delivery pass for done."""
    assert github.deliver(b"{}", delivery=ONE)[0] == 202
    assert github.deliver(b"[]", delivery=ONE)[0] == 202
    assert github.deliver(b"{}", delivery=TWO)[0] == 202
    assert [sent.body for sent in github.backend.sent] == [b"{}", b"[]", b"{}"]


def test_what_is_stored_says_nothing_of_the_delivery(github: Sender) -> None:
    """A digest, the status, and when it is forgotten: after GitHub's three days."""
    body = b'{"word":"B0DYSECRET"}'
    github.deliver(body, delivery=ONE)
    (item,) = github.items()
    assert item["data"] == {"S": '{"status": 202}'}
    assert 3 < (int(item["expiration"]["N"]) - time.time()) / 86_400 < 5
    stored = json.dumps(item)
    assert "B0DYSECRET" not in stored
    assert "accepted" not in stored
    assert ONE not in stored


def test_what_an_earlier_version_marked_stays_marked(github: Sender) -> None:
    """It used Powertools, with the id and the body's digest for a key: no delivery comes twice."""
    event = sample("rest-push")
    digest = hashlib.sha256(event["body"].encode()).hexdigest()

    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 9_000)

    def accepted(*, delivery: str) -> dict[str, int]:
        assert delivery.endswith(digest)
        return {"status": 204}

    idempotent_function(
        accepted,
        data_keyword_argument="delivery",
        persistence_store=DynamoDBPersistenceLayer(
            table_name=github.table, boto3_client=github.operator
        ),
        config=IdempotencyConfig(
            expires_after_seconds=345_600,
            hash_function="sha256",
            lambda_context=context,
        ),
        key_prefix="github",
    )(delivery=f"{ONE} {digest}")
    assert github.send(event) == (204, None)
    assert github.backend.sent == []


@pytest.mark.parametrize("status", [202, 500])
def test_twenty_at_once_are_forwarded_once(github: Sender, status: int) -> None:
    """The others are told that it is on its way, while it is."""
    github.backend.status = status
    github.backend.open.clear()
    github.deliver(delivery=TWO, secret="wrong-but-warms-the-cache")
    with ThreadPoolExecutor(20) as threads:
        running = [threads.submit(github.deliver, delivery=ONE) for _ in range(20)]
        assert github.backend.arrived.wait(10)
        while sum(one.done() for one in running) < 19:
            time.sleep(0.01)
        assert len(github.backend.sent) == 1
        github.backend.open.set()
        answers = sorted(one.result()[0] for one in running)
    assert answers == sorted([status] + [409] * 19)
    assert len(github.backend.sent) == 1


def test_a_table_that_is_down_lets_nothing_through(github: Sender) -> None:
    """503: forwarding what cannot be remembered would be forwarding it twice."""
    github.dynamodb.is_down = True
    status, body = github.deliver(delivery=ONE)
    assert (status, body["message"]) == (503, "Deliveries cannot be recorded now")
    assert github.backend.sent == []
    github.dynamodb.is_down = False
    assert github.deliver(delivery=ONE)[0] == 202


def test_a_table_that_does_not_exist_lets_nothing_through(github: Sender) -> None:
    """A wrong name is no reason to go without."""
    github.table += "-other"
    github.webhooks = github.fresh()
    assert github.deliver(delivery=ONE)[0] == 503
    assert github.backend.sent == []
    github.table = github.table.removesuffix("-other")


@pytest.mark.parametrize("status", [202, 500])
def test_a_table_that_is_lost_meanwhile_hides_no_answer(
    github: Sender, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The backend has it: GitHub is told what it said, and the log that it was not stored."""
    github.backend.status = status
    github.backend.open.clear()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(github.deliver, delivery=ONE)
        assert github.backend.arrived.wait(10)
        github.dynamodb.is_down = True
        github.backend.open.set()
        assert running.result()[0] == status
    assert any("not stored" in record.getMessage() for record in caplog.records)


def test_an_attempt_that_took_too_long_takes_nothing_back(github: Sender) -> None:
    """Its mark was over, another attempt began and was accepted: that one's end is the truth."""
    deliveries = github.webhooks.deliveries

    def answering(status: int) -> Callable[[], Answer]:
        return lambda: Answer(status, (), b"")

    def slowly() -> Answer:
        time.sleep(0.1)
        assert deliveries.once(ONE, 9, answering(202)).status == 202
        return Answer(500, (), b"")

    assert deliveries.once(ONE, 0.05, slowly).status == 500
    assert deliveries.once(ONE, 9, answering(500)) == (202, None, None)


CRASH = """
import json, logging, sys
from types import SimpleNamespace
from forwarder.webhooks import lambda_handler
class Json(logging.Formatter):  # with what a logger was given besides, as Lambda's own
    def format(self, record):
        return json.dumps({**vars(record), "message": record.getMessage()}, default=str)
logging.basicConfig(level=logging.DEBUG)
logging.getLogger().handlers[0].setFormatter(Json())
context = SimpleNamespace(
    function_name="webhooks", memory_limit_in_mb=256, invoked_function_arn="arn",
    aws_request_id="8d1c7d9e", get_remaining_time_in_millis=lambda: 4000,
)
print(json.dumps(lambda_handler(json.load(sys.stdin), context)))
"""


def test_an_attempt_that_was_cut_off_frees_itself(github: Sender, account_port: int) -> None:
    """Killed while the backend thinks: in progress until the function's time is over, then free."""
    github.backend.open.clear()
    began = time.time()
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{CRASH}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(github, account_port),
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(sample("rest-push")).encode())
        process.stdin.close()
        assert github.backend.arrived.wait(20)
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
    github.backend.open.set()
    assert github.send(sample("rest-redelivery"))[0] == 409
    assert time.time() - began < 20
    while (status := github.send(sample("rest-redelivery"))[0]) == 409:
        time.sleep(0.1)
    assert status == 202
    assert len(github.backend.sent) == 2


def environment(github: Sender, port: int) -> dict[str, str]:
    """The function's environment, in the emulated account."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PROVIDER": "github",
        "WEBHOOK_SECRET_PARAMETER": github.parameter,
        "DELIVERIES_TABLE": github.table,
        "BACKEND_URL": github.backend.url,
    }


def run(github: Sender, port: int, event: Any, **changed: str) -> tuple[dict[str, Any], str]:
    """The handler in a process of its own; its answer and what it wrote."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{CRASH}"],
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment(github, port) | changed,
    )
    lines = ran.stdout.splitlines()
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer, "\n".join([*lines[:-1], ran.stderr])


def test_another_providers_path_is_none(github: Sender, account_port: int) -> None:
    """404, however well it is signed: an HTTP API has no policy that keeps it out."""
    event = sample("http-push")
    event |= {"rawPath": "/webhooks/stripe", "pathParameters": {"provider": "stripe"}}
    answer, _ = run(github, account_port, event)
    assert answer["statusCode"] == 404
    assert github.has_seen_nothing()


@pytest.mark.parametrize("name", ["rest-push", "http-push"])
def test_the_deployed_handler_does_all_of_it(github: Sender, account_port: int, name: str) -> None:
    """From its environment alone; at any level, it logs the id and the event, no secret."""
    answer, said = run(github, account_port, sample(name))
    assert answer["statusCode"] == 202
    logged = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (line,) = [line for line in logged if line["message"] == "forwarded"]
    assert (line["delivery"], line["event"], line["status"]) == (ONE, "push", 202)
    assert "sample-webhook-secret" not in said
    assert sample(name)["headers"].get("X-Hub-Signature-256", "-none-") not in said
    assert "6113728f27ae" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROVIDER", ""),
        ("PROVIDER", "twilio"),
        ("WEBHOOK_SECRET_PARAMETER", ""),
        ("DELIVERIES_TABLE", ""),
        ("BACKEND_URL", ""),
        ("WEBHOOK_SECRET_SECONDS", "soon"),
    ],
)
def test_a_missing_setting_is_named_in_the_log_alone(
    github: Sender, account_port: int, name: str, value: str
) -> None:
    """500 without a detail; the line says which variable."""
    answer, said = run(github, account_port, sample("rest-push"), **{name: value})
    assert answer["statusCode"] == 500
    assert name in said
    assert name not in answer["body"]
    assert github.backend.sent == []
