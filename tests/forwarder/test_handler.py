"""The function as Lambda runs it: configured by its environment, quiet about what it handles."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from forwarder import handler
from forwarder.event import MalformedEventError

from tests.forwarder.scripted import answers, response, stalls_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.forwarder.subject import Pair

    Serve = Callable[..., Pair]

CODE = Path(__file__).parents[2] / "functions" / "forwarder"


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """Each test begins with a function that was never called."""
    handler.deployed.cache_clear()
    yield
    if handler.deployed.cache_info().currsize:
        handler.deployed().close()
    handler.deployed.cache_clear()


def test_the_environment_configures_it(
    serve: Serve, event: Callable[[str], Any], context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend is read once and its connections serve the invocations to come."""
    pair = serve(answers(response(200, b"here", [("Content-Type", "text/plain")])))
    for name, value in pair.environment.items():
        monkeypatch.setenv(name, value)
    rendered = [handler.lambda_handler(event("rest-get"), context) for _ in range(3)]
    assert rendered[0] == {
        "statusCode": 200,
        "multiValueHeaders": {"Content-Type": ["text/plain"]},
        "body": "here",
        "isBase64Encoded": False,
    }
    assert pair.server.connections == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_URL", ""),
        ("BACKEND_URL", "https://user:secret@a.example"),
        ("BACKEND_SECONDS", "secret"),
        ("BACKEND_CA", "secret"),
        ("AWS_ACCESS_KEY_ID", ""),
    ],
)
@pytest.mark.parametrize("sample", ["rest-get", "http-get"])
def test_a_function_that_is_not_configured(
    serve: Serve,
    event: Callable[[str], Any],
    context: Any,
    *,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sample: str,
    name: str,
    value: str,
) -> None:
    """The caller gets a 500 without details; the log names the variable and not its value."""
    pair = serve(BACKEND_AUTHORIZATION="AWS_IAM", AWS_REGION="eu-west-1")
    for variable, usable in (pair.environment | {name: value}).items():
        monkeypatch.setenv(variable, usable)
    rendered = handler.lambda_handler(event(sample), context)
    assert rendered["statusCode"] == 500
    assert json.loads(rendered["body"])["message"] == "Internal server error"
    assert name in caplog.text
    assert "secret" not in caplog.text
    assert pair.server.received == []


def test_what_is_no_event(monkeypatch: pytest.MonkeyPatch, context: Any) -> None:
    """Whoever invokes the function with anything else is told so by an error."""
    monkeypatch.setenv("BACKEND_URL", "https://a.example")
    with pytest.raises(MalformedEventError):
        handler.lambda_handler({"Records": []}, context)


def test_there_is_time_to_say_that_it_was_too_long(
    serve: Serve, event: Callable[[str], Any]
) -> None:
    """The answer comes before Lambda ends the invocation."""
    pair = serve(stalls_after(b""))
    short = SimpleNamespace(get_remaining_time_in_millis=lambda: 800)
    rendered = handler.handle(event("rest-get"), short, pair.backend)
    assert rendered["statusCode"] == 504


SECRETS = ("needle", "sample-api-key", "127.0.0.1")


@pytest.mark.parametrize("path", ["/needle/a", "/needle/../a"])
def test_logs_tell_the_phase_and_no_secret(
    serve: Serve, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """One line for a failed call: phase, error, verb, status, time, id; not what was sent."""
    caplog.set_level(logging.DEBUG)
    pair = serve(answers(b"needle\r\n\r\n"))
    headers = (("Authorization", "Bearer needle"), ("X-Needle", "needle"))
    pair.ask("POST", path, query="q=needle", headers=headers, body=b"needle")
    assert len(caplog.records) == 1
    record: Any = caplog.records[0]
    assert (record.method, record.api_request_id) == ("POST", "request-1")
    assert 0 <= record.milliseconds < 5000
    if record.status == 502:
        assert (record.phase, record.error, record.reason) == (
            "headers",
            "malformed",
            "status line",
        )
    shown = str(vars(record))
    assert not [secret for secret in SECRETS if secret in shown]


def measured(line: dict[str, Any]) -> set[tuple[str, float, tuple[tuple[str, str], ...]]]:
    """The metrics that CloudWatch reads out of a line: name, value, dimensions."""
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    found = set()
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "Backstairs/Forwarder"
        for names in directive["Dimensions"]:
            place = tuple((name, line[name]) for name in names)
            assert all(isinstance(value, str) and value for _, value in place)
            for metric in directive["Metrics"]:
                found.add((metric["Name"], line[metric["Name"]], place))
    return found


def test_what_goes_well_leaves_its_latency(
    serve: Serve, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of JSON, with a metric in it, and nothing of what was sent or answered."""
    caplog.set_level(logging.DEBUG)
    pair = serve(
        answers(response(404, b"needle", [("X-Needle", "needle")])),
        AWS_LAMBDA_FUNCTION_NAME="forwarder",
    )
    pair.ask(path="/needle", query="q=needle", headers=(("X-Api-Key", "needle"),))
    assert caplog.records == []
    text = capsys.readouterr().out
    assert text.count("\n") == 1
    assert not [secret for secret in SECRETS if secret in text]
    line = json.loads(text)
    told = (line["phase"], line["status"], line["method"], line["api_request_id"], line["level"])
    assert told == ("answered", 404, "GET", "request-1", "INFO")
    assert 0 < line["Latency"] < 5000
    place = (("function", "forwarder"), ("phase", "answered"))
    assert measured(line) == {("Latency", line["Latency"], place)}


@pytest.mark.parametrize(
    ("text", "phase", "names"),
    [
        (response(502, b"needle"), "backend", {"Failures", "Latency"}),
        (b"needle\r\n\r\n", "headers", {"Failures"}),
    ],
)
def test_failures_are_counted_by_phase(
    serve: Serve, caplog: pytest.LogCaptureFixture, text: bytes, phase: str, names: set[str]
) -> None:
    """The backend's own 5xx as well as what is wrong on the way to it and back."""
    answer = serve(answers(text), AWS_LAMBDA_FUNCTION_NAME="forwarder").ask(path="/needle")
    assert answer.status == 502
    assert len(caplog.records) == 1
    line = vars(caplog.records[0])
    assert (line["phase"], line["status"], line["levelname"]) == (phase, 502, "WARNING")
    metrics = measured(line)
    assert {name for name, _, _ in metrics} == names
    whole, by_phase = (("function", "forwarder"),), (("function", "forwarder"), ("phase", phase))
    assert {("Failures", 1, whole), ("Failures", 1, by_phase)} <= metrics
    assert "needle" not in str(line)


def test_a_refused_request_is_no_failure_of_the_backend(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """It has a line, and no metric that somebody is woken by."""
    serve().ask(path="/../x")
    record: Any = caplog.records[0]
    assert (record.phase, record.status) == ("refused", 400)
    assert not hasattr(record, "_aws")


def test_lambda_s_own_log_shows_the_details() -> None:
    """Lambda's formatter for JSON keeps what a line says besides its text."""
    runtime = Path(sys.prefix).parent / "runtime" / "bin" / "python"
    code = (
        "import logging\n"
        "from awslambdaric.lambda_runtime_log_utils import JsonFormatter\n"
        "handler = logging.StreamHandler()\n"
        "handler.setFormatter(JsonFormatter())\n"
        "logging.getLogger().addHandler(handler)\n"
        "from forwarder.backend import Backend\n"
        "from forwarder.event import Request\n"
        "Backend.from_environment({'BACKEND_URL': 'http://127.0.0.1:1'}).forward(\n"
        "    Request('GET', '/a', '', (), b'', None, '', 'request-1', '1.0'), 1)\n"
    )
    environment = {"PYTHONPATH": str(CODE), "PATH": os.defpath}
    run = subprocess.run(
        [str(runtime), "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    line = json.loads(run.stderr)
    told = (line["phase"], line["error"], line["status"], line["api_request_id"])
    assert told == ("connect", "refused", 502, "request-1")
    assert line["reason"] == "ECONNREFUSED"
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Backstairs/Forwarder"
