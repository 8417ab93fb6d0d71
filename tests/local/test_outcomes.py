"""What the door keeps of a call: whoever ended it, the last reason says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from backstairs.access import Authorization, Kind, Route
from backstairs.access.refusals import undecided
from backstairs.gateway.integrations.integration import Integration
from backstairs.gateway.stage import Method
from backstairs.gateway.usage import Throttle
from backstairs.gateway.validation import RequestValidator
from backstairs.local.control import describe
from backstairs.runtime.pool import Result
from tests.local.public_door import FUNCTION, OneIdentity, PublicDoor, api, signed

if TYPE_CHECKING:
    from backstairs.gateway.authentication import Identity

OPEN = Route("ANY", "/open", Authorization.NONE, FUNCTION)
ELSEWHERE = Route("ANY", "/elsewhere", Authorization.NONE, "arn:aws:lambda:x:y:function:other")
DECLARED = Route("ANY", "/declared", Authorization.NONE, None)
STRICT = Route("POST", "/strict", Authorization.NONE, FUNCTION)
SLOW = Route("ANY", "/slow", Authorization.NONE, FUNCTION)
HEADERS = Route("ANY", "/headers", Authorization.NONE, FUNCTION)
IAM = Route("ANY", "/iam", Authorization.AWS_IAM, FUNCTION)
LIMITED = Route("ANY", "/limited", Authorization.NONE, FUNCTION)
ROUTES = (OPEN, ELSEWHERE, DECLARED, STRICT, SLOW, HEADERS, IAM, LIMITED)
MODELS = {"application/json": jsonschema.Draft4Validator({"type": "object"})}
UNDECIDED = undecided("its own answer is not modelled")
METHODS = (
    Method(STRICT, RequestValidator((), MODELS)),
    Method(HEADERS, RequestValidator((("header", "x-tenant"),), {})),
    Method(IAM, RequestValidator((), MODELS, UNDECIDED)),
    Method(LIMITED, throttle=Throttle(0.0, 0)),
    Method(DECLARED, integration=Integration("an integration of type MOCK is not modelled")),
    Method(SLOW, integration=Integration(timeout=0.05)),
)


class NoAccount(OneIdentity):
    """An account that does not answer, or one whose answer nobody foresaw."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def identity_of(self, access_key_id: str) -> Identity | None:  # noqa: ARG002
        """Raise."""
        raise self.error


def ended(
    path: str,
    status: int,
    said: object = None,
    *,
    kind: Kind = Kind.REST,
    body: bytes = b"",
    headers: list[tuple[str, str]] | None = None,
    identities: OneIdentity | None = None,
) -> dict[str, Any]:
    """The decision that is kept of a call that is answered so."""
    with PublicDoor(api(*ROUTES, kind=kind), METHODS, identities=identities) as door:
        if said is not None:
            door.function.answer = said
        if path == "/slow":
            door.function.seconds = 0.5
        answer = door.call("POST", f"/dev{path}", headers, body)
        assert answer.status == status
        return describe(door.door.decisions.last())


MALFORMED = {"statusCode": "none"}
FAILED = Result(b"{}", "ValueError")


@pytest.mark.parametrize(
    ("path", "status", "said", "by", "verdict", "rule", "text"),
    [
        ("/strict", 400, None, "validation", "refused", "request-validation", "model"),
        ("/headers", 400, None, "validation", "refused", "request-validation", "x-tenant"),
        ("/declared", 501, None, "integration", "unknown", "not-modelled", "MOCK"),
        ("/elsewhere", 501, None, "integration", "unknown", "not-modelled", "not a function"),
        ("/open", 502, MALFORMED, "integration", "allowed", "malformed-answer", "statusCode"),
        ("/open", 502, FAILED, "integration", "allowed", "function-failed", "ValueError"),
        ("/slow", 504, None, "integration", "allowed", "integration-timeout", "0.05 s"),
        ("/limited", 429, None, "limits", "refused", "throttled-by-stage", "used up"),
        ("/nowhere", 403, None, "access", "refused", "unknown-route", "no method"),
        ("/iam", 403, None, "access", "refused", "unsigned-on-iam", "signature"),
        ("/open", 200, None, "function", "allowed", "no-authorization", "public"),
        ("/open", 403, {"statusCode": 403}, "function", "allowed", "no-authorization", "public"),
    ],
)
def test_the_last_reason_is_the_one_that_ended_a_call(  # noqa: PLR0917
    path: str, status: int, said: object, by: str, verdict: str, rule: str, text: str
) -> None:
    """Who answered, and by which rule; what is not the function's answer is never left open."""
    kept = ended(path, status, said, body=b"[]" if path == "/strict" else b"")

    assert kept["by"] == by
    assert kept["verdict"] == verdict
    assert kept["reasons"][-1]["rule"] == rule
    assert text in kept["reasons"][-1]["text"]
    assert kept["status"] == status


@pytest.mark.parametrize(
    ("path", "status", "said", "rule"),
    [
        ("/open", 500, MALFORMED, "http-malformed-answer"),
        ("/open", 500, FAILED, "http-function-failed"),
        ("/slow", 503, None, "http-integration-timeout"),
    ],
)
def test_an_http_api_ends_calls_by_rules_of_its_own(
    path: str, status: int, said: object, rule: str
) -> None:
    """Other answers, so other rules."""
    assert ended(path, status, said, kind=Kind.HTTP)["reasons"][-1]["rule"] == rule


def test_a_body_that_is_too_long() -> None:
    """What is not read is not decided on either, and the limit is named."""
    kept = ended("/open", 413, body=b"x" * (10 * 1024 * 1024 + 1))

    assert (kept["by"], kept["reasons"][-1]["rule"]) == ("limits", "body")


def test_an_event_that_is_too_long() -> None:
    """The call is admitted, and its function cannot take it."""
    kept = ended("/open", 413, body=b"x" * (7 * 1024 * 1024))

    assert (kept["by"], kept["reasons"][-1]["rule"]) == ("limits", "event")


@pytest.mark.parametrize(
    ("error", "text"),
    [(ConnectionError("gone"), "the account does not answer"), (KeyError("x"), "an error in")],
)
def test_what_is_the_doors_own_fault(error: Exception, text: str) -> None:
    """It claims nothing of AWS, and says so in what is kept."""
    kept = ended("/iam", 501, headers=signed("POST", "/dev/iam"), identities=NoAccount(error))

    assert (kept["by"], kept["verdict"]) == ("access", "unknown")
    assert kept["reasons"][-1]["rule"] == "not-modelled"
    assert text in kept["reasons"][-1]["text"]


def test_a_function_that_cannot_be_started() -> None:
    """It is not the account that fails then."""

    class Broken:
        async def invoke(self, _payload: bytes, _trace_id: str = "") -> Result:
            raise PermissionError("no such program")

    with PublicDoor(api(OPEN), functions={FUNCTION: Broken()}) as door:
        answer = door.call("GET", "/dev/open")
        kept = describe(door.door.decisions.last())

    assert answer.status == 501
    assert "function" in json.loads(answer.body)["message"]
    assert kept["by"] == "integration"
