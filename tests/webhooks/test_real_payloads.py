"""Every payload of Octokit's collection, signed, through the function to a real socket."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.webhooks.conftest import Sender

EXAMPLES = Path(__file__).parents[2] / ".venv" / "octokit_examples"  # put there by `make test`
COLLECTIONS = ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")


def payloads(collection: str) -> list[tuple[str, bytes]]:
    """Event names with payloads, as GitHub writes JSON: one line, UTF-8."""
    listed = json.loads((EXAMPLES / collection / "index.json").read_text(encoding="utf-8"))
    return [
        (event["name"], json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode())
        for event in listed
        for one in event["examples"]
    ]


@pytest.mark.parametrize("payload", ["1.0", "2.0"])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_payload_arrives_unchanged(github: Sender, collection: str, payload: str) -> None:
    """The backend sees each of them octet by octet; a ping is answered instead."""
    expected = []
    for number, (event, body) in enumerate(payloads(collection)):
        status, _ = github.deliver(body, event=event, delivery=f"d-{number}", payload=payload)
        assert status == (200 if event == "ping" else 202), event
        if event != "ping":
            expected.append((event, hashlib.sha256(body).hexdigest()))
    assert len(expected) >= 48
    seen = [(sent.header("X-GitHub-Event"), sent.digest) for sent in github.backend.sent]
    assert seen == expected
