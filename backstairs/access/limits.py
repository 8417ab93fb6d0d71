"""The limits that API Gateway sets to calls it has admitted, each with how it is known."""

from __future__ import annotations

from backstairs.access.rules import Known, Rule

_APIGW = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_ORDER = _APIGW + "api-gateway-request-throttling.html"

THROTTLED_BY_PLAN = Rule(
    "throttled-by-plan",
    "A usage plan's rate and burst hold for each of its keys, and come before the stage's. AWS "
    "applies them on a best-effort basis: targets, not guaranteed ceilings.",
    Known.AWS_DOCUMENT,
    _ORDER,
)
THROTTLED_BY_STAGE = Rule(
    "throttled-by-stage",
    "A stage's rate and burst hold for each of its methods by itself. AWS applies them on a "
    "best-effort basis: targets, not guaranteed ceilings.",
    Known.AWS_DOCUMENT,
    _ORDER,
)
THROTTLES_COMBINED = Rule(
    "throttles-combined",
    "A call needs a token of every limit, its plan's and its stage's; refused by one, it takes "
    "none of the others.",
    Known.UNVERIFIED,
    "",
)
THROTTLED_ROUTE = Rule(
    "throttled-route",
    "An HTTP API's stage sets rate and burst for each of its routes. AWS applies them on a "
    "best-effort basis: targets, not guaranteed ceilings.",
    Known.AWS_DOCUMENT,
    _APIGW + "http-api-throttling.html",
)
QUOTA = Rule(
    "quota",
    "A usage plan's quota is how many requests each of its keys may make in a day, week or month. "
    "AWS applies it on a best-effort basis: some clients may exceed it.",
    Known.AWS_DOCUMENT,
    _APIGW + "api-gateway-api-usage-plans.html",
)
QUOTA_COUNTS_ADMITTED = Rule(
    "quota-counts-admitted",
    "A throttled call uses nothing of a quota; the periods are those of the calendar, in UTC.",
    Known.UNVERIFIED,
    "",
)
HEADERS = Rule(
    "headers",
    "Request line and header values together have at most 10240 bytes.",
    Known.AWS_DOCUMENT,
    _APIGW + "api-gateway-execution-service-limits-table.html",
)
PRIVATE_HEADERS = Rule(
    "private-headers",
    "At a private API, request line and header values together have at most 8000 bytes.",
    Known.UNVERIFIED,
    "",
)
HEADERS_ANSWER = Rule(
    "headers-answer",
    "What is beyond the limit for headers is answered 431; the body's words are not known.",
    Known.PUBLIC_REPORT,
    "https://backbencher.dev/solved-431-status-code-with-request-header-fields-too-large",
)
BODY = Rule(
    "body",
    "A request's body has at most 10 MB, which is taken for 10485760 bytes: it is not said.",
    Known.AWS_DOCUMENT,
    _APIGW + "api-gateway-execution-service-limits-table.html",
)
EVENT = Rule(
    "event",
    "A function takes events of at most 6 MB, base64 and headers included, which is taken for "
    "6291456 bytes: it is not said.",
    Known.AWS_DOCUMENT,
    "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
)
