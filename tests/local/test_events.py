"""The sample events through the deployed functions, each with its own role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.cli.project import ask
from backstairs.template.load import load
from tests.local.application import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.application import Application

DEPLOYED = {
    resource["Properties"]["CodeUri"].removeprefix("functions/")
    for resource in load(ROOT / "template.yaml")["Resources"].values()
    if resource["Type"] == "AWS::Serverless::Function"
}
EVENTS = sorted(path for path in (ROOT / "events").glob("*/*.json") if path.parent.name in DEPLOYED)


def name_of(event: Path) -> str:
    """An event by its function and file, as in `notifier/member`."""
    return f"{event.parent.name}/{event.stem}"


def invoke(application: Application, event: Path) -> tuple[Any, bool]:
    """Invoke the event's function; returns its answer and whether it failed."""
    function = event.parent.name.replace("_", "-")
    path = f"/functions/{function}/invocations"
    answer, headers = ask(application.running, "POST", path, event.read_bytes())
    return answer, "x-amz-function-error" in headers


@pytest.mark.parametrize(
    "event", [event for event in EVENTS if event.parent.name != "notifier"], ids=name_of
)
def test_an_api_event_is_answered(application: Application, event: Path) -> None:
    """Every sample request gets an HTTP answer in JSON, and never a 5xx."""
    answer, failed = invoke(application, event)

    assert not failed
    assert 200 <= answer["statusCode"] < 500
    assert isinstance(json.loads(answer["body"]), dict)


@pytest.mark.parametrize(
    "event",
    [
        event
        for folder in ("forwarder", "webhooks")
        for event in sorted((ROOT / "events" / folder).glob("*.json"))
    ],
    ids=name_of,
)
def test_an_event_of_the_public_api_is_answered(application: Application, event: Path) -> None:
    """Every sample of what comes from outside gets an answer, and never a 5xx."""
    answer, failed = invoke(application, event)

    assert not failed
    assert 200 <= answer["statusCode"] < 500


def test_the_notifiers_event(application: Application) -> None:
    """The notifier deals with its sample: the member it asks for is there."""
    answer, failed = invoke(application, ROOT / "events" / "notifier" / "claim-created.json")

    assert not failed
    assert answer == {"batchItemFailures": []}


def test_the_notifiers_poisonous_event(application: Application) -> None:
    """A record about nobody is set aside, as its role lets it, and holds up nothing."""
    answer, failed = invoke(application, ROOT / "events" / "notifier" / "unknown-member.json")

    assert not failed
    assert answer == {"batchItemFailures": []}
    again, failed = invoke(application, ROOT / "events" / "notifier" / "redrive.json")
    assert not failed
    assert again["kept"]["UnknownMemberError"] >= 1


def test_the_notifiers_bad_event(application: Application) -> None:
    """An event that is no batch is an error that says so."""
    answer, failed = invoke(application, ROOT / "events" / "notifier" / "no-records.json")

    assert failed
    assert answer["errorType"] == "InvalidEventError"
