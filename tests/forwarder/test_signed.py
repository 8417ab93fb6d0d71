"""A private API as the backend: calls signed with the function's role, and nothing said of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from forwarder.backend import Backend, ConfigurationError

from tests.forwarder.scripted import answers, closes_after, response
from tests.forwarder.subject import request, said
from tests.signing.verifier import Secret, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forwarder.subject import Pair
    from tests.signing.verifier import Wire

    Serve = Callable[..., Pair]

REGION = "eu-west-1"
TOKEN = "made/up+token=="
ROLE = {
    "BACKEND_AUTHORIZATION": "AWS_IAM",
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made/up+secret",
    "AWS_SESSION_TOKEN": TOKEN,
}


def signer_of(wire: Wire) -> str:
    return verify(wire, {"ASIAEXAMPLE": Secret("made/up+secret", TOKEN)}, region=REGION)


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/members/m-1001", "", b""),
        ("GET", "/a%2Fb%20c/%C3%A9;v=1//x/", "b=2&a=1&a=%20&c=a+b&d", b""),
        ("POST", "/claims/m-1001", "q=%C3%A9", b'{"amount": 1}'),
        ("PUT", "", "", bytes(range(256)) * 100),
        ("DELETE", "/@x/http://y", "a=%2F&A=b~c", b""),
    ],
)
def test_what_goes_on_the_wire_is_what_is_signed(
    serve: Serve, method: str, path: str, query: str, body: bytes
) -> None:
    """A verifier of its own accepts each request from its bytes alone."""
    pair = serve(**ROLE)
    headers = (("Content-Type", "application/json"), ("X-Tag", "a"), ("X-Tag", "b"))
    answer = pair.backend.forward(request(method, path, query, headers, body), 5)
    assert answer.status == 200
    wire = pair.server.last
    assert signer_of(wire) == "ASIAEXAMPLE"
    target = f"/base{path}?{query}" if query else f"/base{path}"
    assert (wire.target, wire.body) == (target.encode(), body)


@pytest.mark.parametrize(
    ("variables", "header", "value"),
    [
        ({"BACKEND_ID": "a1b2c3d4e5"}, "x-apigw-api-id", "a1b2c3d4e5"),
        ({"BACKEND_HOST": "a1.execute-api.eu-west-1.amazonaws.com"}, "host", None),
    ],
)
def test_the_api_is_chosen_by_configuration(
    serve: Serve, variables: dict[str, str], header: str, value: str | None
) -> None:
    """By its id or by a Host, never by the caller's."""
    pair = serve(**ROLE, **variables)
    theirs = (("x-apigw-api-id", "z9y8x7w6v5"), ("Host", "z9.execute-api.eu-west-1.amazonaws.com"))
    pair.ask(headers=theirs)
    assert signer_of(pair.server.last) == "ASIAEXAMPLE"
    assert pair.server.last.one(header) == (value or variables["BACKEND_HOST"])
    everything = str(pair.server.last.headers)
    assert "z9" not in everything


def test_nothing_of_the_caller_s_own_signature_is_sent(serve: Serve) -> None:
    """Neither credentials nor x-amz-* headers; the trace goes on."""
    pair = serve(**ROLE)
    headers = (
        ("Authorization", "Bearer theirs"),
        ("X-Amz-Date", "20150830T123600Z"),
        ("X-Amz-Security-Token", "theirs"),
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ("x_amz_target", "theirs"),
        ("X-Amzn-Trace-Id", "Root=1-2-3"),
    )
    pair.ask(headers=headers)
    assert signer_of(pair.server.last) == "ASIAEXAMPLE"
    assert "theirs" not in str(pair.server.last.headers)
    assert pair.server.last.one("x-amzn-trace-id") == "Root=1-2-3"


def test_a_caller_s_authorization_under_another_name(serve: Serve) -> None:
    """A parameter names the header; the caller cannot fill it otherwise, nor with a signature."""
    name = "X-Caller-Authorization"
    pair = serve(**ROLE, BACKEND_CALLER_AUTHORIZATION=name)
    pair.ask(headers=(("Authorization", "Bearer theirs"), ("X_Caller_Authorization", "forged")))
    assert signer_of(pair.server.last) == "ASIAEXAMPLE"
    told = [value for key, value in pair.server.last.headers if b"caller" in key.lower()]
    assert told == [b"Bearer theirs"]
    pair.ask(headers=(("Authorization", "AWS4-HMAC-SHA256 Credential=x"), (name, "forged")))
    assert not [key for key, _ in pair.server.last.headers if b"caller" in key.lower()]


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Signature=x",
        "a=1&x-amz-security-token=x",
        "X%2DAmz-Date=x",
        "%58-amz-a",
        "a;X-Amz-b=1",
    ],
)
def test_a_query_of_a_signature_s_parts(serve: Serve, query: str) -> None:
    """Refused where the forwarder signs, in any spelling: API Gateway would read them as its."""
    pair = serve(**ROLE)
    answer = pair.ask(query=query)
    assert answer.status == 400
    assert "X-Amz-" in said(answer)
    assert pair.server.connections == 0
    assert serve().ask(query=query).status == 200
    assert pair.ask(query="amz=1&a=X-Amz-Date&xx-amz-a=1").status == 200


def test_credentials_are_read_for_each_call(
    serve: Serve, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Lambda renews is used from the next call on."""
    del authority
    pair = serve(**ROLE)
    for name, value in pair.environment.items():
        monkeypatch.setenv(name, value)
    backend = Backend.from_environment()
    backend.forward(request(), 5)
    assert signer_of(pair.server.last) == "ASIAEXAMPLE"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIARENEWED")
    backend.forward(request(), 5)
    backend.close()
    assert "Credential=ASIARENEWED/" in pair.server.last.one("authorization")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
        backend.forward(request(), 5)


def test_each_attempt_is_signed_anew(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is sent again carries a signature of its own time."""
    times = iter([1_800_000_000.0, 1_800_000_000.0, 1_800_000_007.0])
    pair = serve(answers(response()), **ROLE)
    monkeypatch.setattr("signing.sigv4.time.time", lambda: next(times))
    ending, seen = closes_after(b""), []

    def once_per_connection(wire: Wire, connection: Any) -> bool:
        if connection in seen:
            return ending(wire, connection)
        seen.append(connection)
        connection.sendall(response())
        return True

    pair.server.script = once_per_connection
    monkeypatch.setattr("forwarder.pool.time", type("", (), {"time": staticmethod(lambda: 0.0)}))
    pair.ask()
    assert pair.ask().status == 200
    first, second, third = (wire.one("x-amz-date") for wire in pair.server.received)
    assert first == second != third


REFUSAL = {
    "Message": "User: arn:aws:sts::123456789012:assumed-role/backstairs-ForwarderFunctionRole-X/f "
    "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:..."
}


@pytest.mark.parametrize(
    ("body", "kind", "logged"),
    [
        (json.dumps(REFUSAL).encode(), "AccessDeniedException", "AccessDeniedException"),
        (b'{"message":"Forbidden"}', "ForbiddenException:http://x/", "ForbiddenException"),
        (f'{{"message":"... x-amz-security-token:{TOKEN} ..."}}'.encode(), None, "unknown"),
        (b'{"message":"Credential=ASIAEXAMPLE/..."}', "Odd Type; x", "unknown"),
        (json.dumps(REFUSAL).replace("/", "\\/").encode(), None, "unknown"),
    ],
)
def test_a_refusal_of_the_api_s_own_says_nothing(
    serve: Serve, caplog: pytest.LogCaptureFixture, body: bytes, kind: str | None, logged: str
) -> None:
    """The caller hears that the call is forbidden; the log, of what kind that was."""
    headers = [("x-amzn-ErrorType", kind)] if kind else []
    pair = serve(answers(response(403, body, headers)), **ROLE)
    answer = pair.ask()
    assert (answer.status, said(answer)) == (403, "Forbidden")
    assert answer.headers == (("Content-Type", "application/json"),)
    record: Any = caplog.records[-1]
    assert record.error == logged
    for secret in (TOKEN, "ASIAEXAMPLE", "assumed-role"):
        assert secret not in str(answer)
        assert secret not in caplog.text


@pytest.mark.parametrize("status", [400, 404, 429, 500, 504])
@pytest.mark.parametrize(
    "body",
    [
        json.dumps(REFUSAL).encode(),
        json.dumps(REFUSAL).replace("/", "\\/").encode(),
        f'{{"message":"x-amz-security-token:{TOKEN}"}}'.encode(),
        TOKEN.replace("/", "\\/").encode(),
        TOKEN.replace("/", "\\u002F").replace("+", "\\u002b").encode(),
        b"Credential=ASIAEXAMPLE/...",
    ],
)
def test_no_answer_tells_of_the_role(
    serve: Serve, caplog: pytest.LogCaptureFixture, status: int, body: bytes
) -> None:
    """Whatever its status and however it spells them: a 502 without role, key, token."""
    headers = [("x-amzn-ErrorType", "IncompleteSignatureException"), ("X-Role", "x")]
    answer = serve(answers(response(status, body, headers)), **ROLE).ask()
    assert (answer.status, said(answer)) == (502, "The backend's answer cannot be passed on")
    assert answer.headers == (("Content-Type", "application/json"),)
    record: Any = caplog.records[-1]
    assert record.error == "IncompleteSignatureException"
    for secret in ("made", "ASIAEXAMPLE", "assumed-role"):
        assert secret not in str(answer)
        assert secret not in caplog.text


def test_a_success_is_the_caller_s_to_read(serve: Serve) -> None:
    """A service may answer with the name of a role; that is no refusal."""
    body = b"arn:aws:sts::123456789012:assumed-role/x/y"
    assert serve(answers(response(200, body)), **ROLE).ask().body == body


def test_a_service_s_own_refusal_is_passed_on(serve: Serve) -> None:
    """A 403 of what is behind the API is the caller's to read."""
    pair = serve(answers(response(403, b'{"message":"not your claim"}')), **ROLE)
    answer = pair.ask()
    assert (answer.status, answer.body) == (403, b'{"message":"not your claim"}')


def test_other_answers_of_the_api_lose_its_traces(serve: Serve) -> None:
    """Status and body are passed on; what API Gateway sets itself is not there twice."""
    headers = [("x-amzn-ErrorType", "TooManyRequestsException"), ("x-amzn-RequestId", "inner")]
    headers += [("x-amz-apigw-id", "inner"), ("Retry-After", "1")]
    pair = serve(answers(response(429, b'{"message":"Too Many Requests"}', headers)), **ROLE)
    answer = pair.ask()
    assert (answer.status, answer.body) == (429, b'{"message":"Too Many Requests"}')
    assert answer.headers == (("Retry-After", "1"),)
