"""Requests against the models and parameters that an API declares."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backstairs.access import WireRequest
from backstairs.gateway.validation import read_validators

DEFINITION: dict[str, Any] = {
    "x-amazon-apigateway-request-validators": {
        "both": {"validateRequestBody": True, "validateRequestParameters": True},
        "body": {"validateRequestBody": True, "validateRequestParameters": False},
    },
    "components": {
        "schemas": {
            "amount": {"type": "integer", "minimum": 1},
            "claim": {
                "type": "object",
                "required": ["amount"],
                "properties": {"amount": {"$ref": "#/components/schemas/amount"}},
                "additionalProperties": False,
            },
        }
    },
    "paths": {
        "/claims": {
            "post": {
                "x-amazon-apigateway-request-validator": "both",
                "parameters": [
                    {"in": "query", "name": "dry run", "required": True},
                    {"in": "header", "name": "Idempotency-Key", "required": True},
                    {"in": "query", "name": "optional"},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/claim"}}
                    }
                },
            },
            "get": {"parameters": [{"in": "query", "name": "page", "required": True}]},
        }
    },
}


def refused(body: bytes, query: bytes = b"dry+run=1", **headers: str) -> str | None:
    """What a POST is refused with, None if it is let through."""
    sent = {"idempotency-key": "k", **{name.replace("_", "-"): v for name, v in headers.items()}}
    request = WireRequest(
        "POST",
        b"/dev/claims",
        query,
        [(name.encode(), value.encode()) for name, value in sent.items()],
        body,
    )
    refusal = read_validators(DEFINITION)["POST", "/claims"].refuse(request)
    if refusal is None:
        return None
    assert refusal.status == 400
    message: str = json.loads(refusal.body)["message"]
    return message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"amount": 0}', b'{"amount": 1, "x": 1}', b"[" * 99999],
)
def test_a_body_that_does_not_fit(body: bytes) -> None:
    """A body that is no JSON, or not of the model, is refused in API Gateway's words."""
    assert refused(body) == "Invalid request body"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_a_body_that_fits(content_type: str) -> None:
    """A body of the model is let through."""
    assert refused(b'{"amount": 1}', content_type=content_type) is None


def test_another_content_type_is_not_validated() -> None:
    """Only bodies of a content type with a model are validated."""
    assert refused(b"amount", content_type="text/plain") is None


def test_missing_parameters() -> None:
    """Required parameters that are missing or blank are named; optional ones are not asked for."""
    assert refused(b"", b"") == "Missing required request parameters: [dry run]"
    assert refused(b"", b"dry%20run=") == "Missing required request parameters: [dry run]"
    assert (
        refused(b"", b"", idempotency_key="")
        == "Missing required request parameters: [dry run, Idempotency-Key]"
    )


def test_a_method_without_a_validator() -> None:
    """What a method declares but does not validate is not asked for."""
    assert set(read_validators(DEFINITION)) == {("POST", "/claims")}


@pytest.mark.parametrize(
    ("response", "status", "body"),
    [
        (
            {"responseTemplates": {"application/json": '{"m": $context.error.messageString}'}},
            400,
            {"m": "Invalid request body"},
        ),
        (
            {
                "statusCode": 422,
                "responseTemplates": {"application/json": '{"m": "$context.error.message"}'},
            },
            422,
            {"m": "Invalid request body"},
        ),
    ],
)
def test_an_answer_of_the_apis_own(response: Any, status: int, body: Any) -> None:
    """An API that words the refusal itself is answered in its words."""
    responses = {"x-amazon-apigateway-gateway-responses": {"BAD_REQUEST_BODY": response}}
    request = WireRequest("POST", b"/", b"dry+run=1", [(b"idempotency-key", b"k")], b"{}")

    refusal = read_validators(DEFINITION | responses)["POST", "/claims"].refuse(request)

    assert refusal is not None
    assert (refusal.status, json.loads(refusal.body)) == (status, body)


def test_an_answer_that_is_not_modelled() -> None:
    """A wording with variables that are not known is reported as such, not guessed."""
    template = {"application/json": "$context.error.validationErrorString"}
    response = {"BAD_REQUEST_BODY": {"responseTemplates": template}}
    request = WireRequest("POST", b"/", b"dry+run=1", [(b"idempotency-key", b"k")], b"{}")

    definition = DEFINITION | {"x-amazon-apigateway-gateway-responses": response}
    refusal = read_validators(definition)["POST", "/claims"].refuse(request)

    assert refusal is not None
    assert refusal.status == 501
