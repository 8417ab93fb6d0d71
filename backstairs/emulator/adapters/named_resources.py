"""Grants for one stream, one parameter or the versions of a function."""

from __future__ import annotations

import json
from typing import Any, Self

from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb_streams

Json = dict[str, Any]


def authorize_named_resources() -> None:
    """Authorize stream reads and multi-parameter reads on the resources they name.

    MiniStack: checks `dynamodb:DescribeStream`, `GetShardIterator`, `GetRecords` and
    `ssm:GetParameters`, `GetParametersByPath` on `*`, and Lambda's actions on the function where
    they name a version, so that a grant for the one stream, parameter or version is refused.
    AWS: on the stream, on each parameter, on the path ("Actions, resources, and condition keys",
    Amazon DynamoDB and AWS Systems Manager, Service Authorization Reference), on the qualified ARN
    ("Fine-tuning the Resources and Conditions sections of policies", Lambda Developer Guide).
    """
    extract, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extracted(
        service: str, method: str, path: str, headers: Json, body: bytes, *rest: Any
    ) -> str:
        if service == "dynamodbstreams":
            named = _stream(_read(body))
        elif service == "ssm":
            _, region, account = rest
            named = _parameters(_read(body), f"arn:aws:ssm:{region}:{account}:parameter")
        elif service == "lambda":
            query, *_ = rest
            function = extract(service, method, path, headers, body, *rest)
            named = [f"{function}:{qualifier}" for qualifier in query.get("Qualifier", [])]
        else:
            named = []
        return _Resources(named) if named else extract(service, method, path, headers, body, *rest)

    def enforced(*arguments: Any, resource_arn: str = "*", **rest: Any) -> Any:
        for arn in getattr(resource_arn, "all", (resource_arn,)):
            denied = enforce(*arguments, resource_arn=arn, **rest)
            if denied is not None:
                return denied
        return None

    iam_actions.extract_resource_arn, iam_evaluator.enforce = extracted, enforced


class _Resources(str):
    """The first resource of a request, which knows the others."""

    __slots__ = ("all",)

    def __new__(cls, arns: list[str]) -> Self:
        first = super().__new__(cls, arns[0])
        first.all = tuple(arns)
        return first

    all: tuple[str, ...]


def _read(body: bytes) -> Json:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _stream(request: Json) -> list[str]:
    named = request.get("StreamArn")
    if isinstance(request.get("ShardIterator"), str):
        named = (dynamodb_streams._decode_iterator(request["ShardIterator"]) or {}).get("arn")
    return [named] if isinstance(named, str) else []


def _parameters(request: Json, prefix: str) -> list[str]:
    names = request.get("Names") if "Names" in request else [request.get("Path")]
    if not isinstance(names, list):
        return []
    return [f"{prefix}/{name.lstrip('/')}" for name in names if isinstance(name, str)]
