"""The secrets: changed without a deployment, kept through outages, never empty."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from forwarder.webhook_secrets import InvalidSecretsError, parse

from tests.webhooks.conftest import SECRET

if TYPE_CHECKING:
    from tests.webhooks.conftest import Sender

OLD, NEW = SECRET, "sample-webhook-secret-0002"


def test_a_secret_is_changed_without_losing_a_delivery(github: Sender) -> None:
    """Old; then both, at once; then the new one alone, once the cache is over."""
    assert github.deliver(secret=OLD)[0] == 202
    github.clock.now += 31
    github.write(NEW, OLD)
    assert github.deliver(secret=NEW)[0] == 202
    assert github.deliver(secret=OLD)[0] == 202
    github.write(NEW)
    github.clock.now += 301
    assert github.deliver(secret=NEW)[0] == 202
    assert github.deliver(secret=OLD)[0] == 401


def test_the_secrets_are_read_once_in_five_minutes(github: Sender) -> None:
    """However many deliveries come."""
    for _ in range(5):
        assert github.deliver()[0] == 202
    assert github.ssm.calls == 1
    github.clock.now += 299
    assert github.deliver()[0] == 202
    assert github.ssm.calls == 1
    github.clock.now += 2
    assert github.deliver()[0] == 202
    assert github.ssm.calls == 2


def test_forgeries_do_not_wear_ssm_out(github: Sender) -> None:
    """Bad signatures bring about one read in thirty seconds, malformed ones none."""
    for _ in range(20):
        assert github.deliver(secret="a-forgers-own-secret")[0] == 401
        github.clock.now += 1
    assert github.ssm.calls == 1
    github.clock.now += 11
    for _ in range(20):
        assert github.deliver(secret="a-forgers-own-secret")[0] == 401
        assert github.deliver(X_Hub_Signature_256=None)[0] == 401
    assert github.ssm.calls == 2


def test_an_outage_of_ssm_leaves_what_is_known(
    github: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """Deliveries go on, forgeries stay out, the log says so, and SSM is not asked each time."""
    assert github.deliver()[0] == 202
    github.ssm.is_down = True
    github.clock.now += 301
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert github.deliver()[0] == 202
            assert github.deliver(secret=NEW)[0] == 401
    assert github.ssm.calls == 2
    assert "EndpointConnectionError; the known ones stay valid" in caplog.text
    github.ssm.is_down = False
    github.write(NEW)
    github.clock.now += 31
    assert github.deliver(secret=NEW)[0] == 202


def test_without_any_secret_nothing_is_accepted(
    github: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """503 and a line that says why; as soon as SSM answers, deliveries get through."""
    github.ssm.is_down = True
    with caplog.at_level(logging.ERROR):
        status, body = github.deliver()
    assert (status, body["message"]) == (503, "Signatures cannot be verified now")
    assert "EndpointConnectionError; there are none" in caplog.text
    assert github.has_seen_nothing()
    github.ssm.is_down = False
    github.clock.now += 2
    assert github.deliver()[0] == 202


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("short", "fewer than 16"),
        ("\n", "fewer than 16"),
        (f"{NEW}\n\n", "fewer than 16"),
        (f"\n{NEW}", "fewer than 16"),
        (f"{NEW}\nshort", "fewer than 16"),
        (f"{NEW} ", "space"),
        (f"{NEW}\r\n{OLD}", "space"),
        (" " * 20, "space"),
        (f"{NEW}\n{OLD}\n{NEW}3", "3 lines"),
    ],
)
def test_what_is_no_secret_verifies_nothing(
    github: Sender, caplog: pytest.LogCaptureFixture, value: str, says: str
) -> None:
    """503, not a valid signature with an empty secret; the log names the mistake alone."""
    github.write(value)
    with caplog.at_level(logging.ERROR):
        for secret in ("", value, OLD, NEW):
            assert github.deliver(secret=secret)[0] == 503
    assert says in caplog.text
    assert NEW not in caplog.text
    assert github.backend.sent == []


def test_a_secret_that_was_taken_away_is_not_good_any_more(github: Sender) -> None:
    """Deleted, or overwritten with nothing of use: what is cached goes with it."""
    for take_away in (github.remove, lambda: github.write("none")):
        github.write(SECRET)
        github.webhooks = github.fresh()
        assert github.deliver()[0] == 202
        take_away()
        github.clock.now += 301
        assert github.deliver()[0] == 503


def test_one_secret_or_two_with_or_without_a_last_newline() -> None:
    """As `aws ssm put-parameter` stores a file."""
    assert parse(OLD) == parse(f"{OLD}\n") == (OLD.encode(),)
    assert parse(f"{NEW}\n{OLD}\n") == (NEW.encode(), OLD.encode())
    assert parse("größer als sechzehn") == ("größer als sechzehn".encode(),)
    with pytest.raises(InvalidSecretsError):
        parse("")
