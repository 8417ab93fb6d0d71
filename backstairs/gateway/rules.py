"""The rules for admitted calls that no function's answer ends, each with how it is known."""

from __future__ import annotations

from backstairs.access import Known, Rule

_APIGW = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_HTTP = _APIGW + "http-api-troubleshooting-lambda.html"
_REST_502 = "https://repost.aws/knowledge-center/malformed-502-api-gateway"

VALIDATION = Rule(
    "request-validation",
    "A REST API's validator answers 400 to a request that lacks a required parameter or whose "
    "body does not fit its model; the integration does not see it.",
    Known.AWS_DOCUMENT,
    _APIGW + "api-gateway-method-request-validation.html",
)
MALFORMED_ANSWER = Rule(
    "malformed-answer",
    "What a function answers in another form than that of a proxy integration is a 502.",
    Known.AWS_DOCUMENT,
    _REST_502,
)
FUNCTION_FAILED = Rule(
    "function-failed",
    "A function that ends with an error, or not in its own time, is a 502.",
    Known.AWS_DOCUMENT,
    _REST_502,
)
TIMED_OUT = Rule(
    "integration-timeout",
    "An integration is waited for until its timeout, then the caller gets a 504; a function goes "
    "on.",
    Known.AWS_DOCUMENT,
    "https://repost.aws/knowledge-center/api-gateway-504-errors",
)
HTTP_MALFORMED_ANSWER = Rule(
    "http-malformed-answer",
    "What a function of an HTTP API answers in a form that cannot be sent is a 500.",
    Known.AWS_DOCUMENT,
    _HTTP,
)
HTTP_FUNCTION_FAILED = Rule(
    "http-function-failed",
    "A function of an HTTP API that ends with an error, or not in its own time, is a 500.",
    Known.AWS_DOCUMENT,
    _HTTP,
)
HTTP_TIMED_OUT = Rule(
    "http-integration-timeout",
    "An HTTP API's integration is waited for until its timeout, then the caller gets a 503.",
    Known.UNVERIFIED,
    "",
)
