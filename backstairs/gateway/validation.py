"""Request validation at the API, before any function sees a request.

Source: API Gateway Developer Guide, "Request validation for REST APIs": required parameters must be
there and not blank, a body must fit the model of its content type. A content type without a model
is not validated. Models are JSON schema, draft 4.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import jsonschema

from backstairs.access.refusals import BAD_BODY, Refusal, missing_parameters, undecided
from backstairs.template.openapi import ANY_METHOD, METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import WireRequest

DEFAULT_CONTENT_TYPE = "application/json"
_QUERY, _HEADER = "query", "header"


@dataclass(frozen=True, slots=True)
class RequestValidator:
    """What one method asks of its requests.

    `required` holds (`query` or `header`, name); `models` a schema for each content type, empty
    where bodies are not validated; `bad_body` is what the API answers to a body that does not fit.
    """

    required: tuple[tuple[str, str], ...]
    models: Mapping[str, jsonschema.Draft4Validator]
    bad_body: Refusal = BAD_BODY

    def refuse(self, request: WireRequest) -> Refusal | None:
        """The refusal of a request that does not fit, or None."""
        missing = [name for where, name in self.required if not _given(request, where, name)]
        if missing:
            return missing_parameters(missing)
        if not self.models:
            return None
        types = request.values("content-type")
        content_type = (types[0] if types else DEFAULT_CONTENT_TYPE).partition(";")[0].strip()
        model = self.models.get(content_type.lower())
        if model is None:
            return None
        try:
            body = json.loads(request.body.decode(), parse_constant=_no_such_constant)
        except (ValueError, RecursionError):
            return self.bad_body
        return None if model.is_valid(body) else self.bad_body


def _no_such_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _given(request: WireRequest, where: str, name: str) -> bool:
    if where == _HEADER:
        return any(request.values(name.lower()))
    pairs = (part.partition("=") for part in request.query.decode("latin-1").split("&"))
    return any(unquote_plus(key) == name and value for key, _, value in pairs)


def read_validators(definition: Mapping[str, Any]) -> dict[tuple[str, str], RequestValidator]:
    """The validators of an OpenAPI 3 definition, by method (`POST`, `ANY`) and path."""
    declared = definition.get("x-amazon-apigateway-request-validators", {})
    default = definition.get("x-amazon-apigateway-request-validator")
    bad_body = _bad_body(definition)
    validators = {}
    for path, item in definition.get("paths", {}).items():
        for verb, method in item.items():
            if verb.lower() not in METHODS and verb != ANY_METHOD:
                continue
            name = method.get("x-amazon-apigateway-request-validator", default)
            rules = declared.get(name, {})
            required = [
                (one["in"], one["name"])
                for one in method.get("parameters", [])
                if one.get("required") and one["in"] in (_QUERY, _HEADER)
            ]
            content = method.get("requestBody", {}).get("content", {})
            validator = RequestValidator(
                required=tuple(required) if rules.get("validateRequestParameters") else (),
                models={
                    content_type.lower(): _model(one.get("schema", {}), definition)
                    for content_type, one in content.items()
                }
                if rules.get("validateRequestBody")
                else {},
                bad_body=bad_body,
            )
            if validator.required or validator.models:
                verb_name = "ANY" if verb == ANY_METHOD else verb.upper()
                validators[verb_name, path] = validator
    return validators


def _bad_body(definition: Mapping[str, Any]) -> Refusal:
    """The API's own BAD_REQUEST_BODY answer, if it declares one.

    Source: API Gateway Developer Guide, "Gateway responses". Of the variables that its template may
    hold only the error's message is known here.
    """
    declared = definition.get("x-amazon-apigateway-gateway-responses", {}).get("BAD_REQUEST_BODY")
    if declared is None:
        return BAD_BODY
    message = json.loads(BAD_BODY.body)["message"]
    template: str = declared.get("responseTemplates", {}).get("application/json", "")
    body = template.replace("$context.error.messageString", json.dumps(message))
    body = body.replace("$context.error.message", message)
    if not template or "$" in body or declared.get("responseParameters"):
        return undecided("the API's BAD_REQUEST_BODY response is not modelled")
    status = int(declared.get("statusCode", BAD_BODY.status))
    return Refusal(status, body.encode(), BAD_BODY.error_type)


def _model(schema: Mapping[str, Any], definition: Mapping[str, Any]) -> jsonschema.Draft4Validator:
    # The models that a model refers to are those of the definition.
    whole = {"allOf": [schema], "components": definition.get("components", {})}
    return jsonschema.Draft4Validator(whole)
