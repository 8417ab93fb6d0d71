"""A call of the matrix as a command line: what one would type to see it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from backstairs.access import Authorization, Kind
from backstairs.template.openapi import DEFAULT

if TYPE_CHECKING:
    from backstairs.report.matrix import Cell


def curl(cell: Cell) -> str:
    """One line of shell; credentials, a key and the ids that AWS makes are variables or names."""
    question, entrance = cell.question, cell.entrance
    api = question.api.api
    endpoint = entrance.origin.endpoint
    through = f"-{endpoint.endpoint_id}" if endpoint else ""
    suffix = "amazonaws.com.cn" if api.region.startswith("cn-") else "amazonaws.com"
    host = f"{api.api_id}{through}.execute-api.{api.region}.{suffix}"
    stage = "" if api.kind is Kind.HTTP and api.stage == DEFAULT else f"/{api.stage}"
    words = ["curl", "--path-as-is"] if "/." in question.path else ["curl"]
    if question.method != "GET":
        words += ["--request", question.method]
    signs = question.route.authorization is not Authorization.NONE or endpoint is not None
    line = shlex.join(words)
    signing = shlex.quote(f"aws:amz:{api.region}:execute-api")
    if cell.caller.principal is not None and signs:
        line += (
            f' --aws-sigv4 {signing} --user "$KEY_ID:$SECRET"'
            ' --header "x-amz-security-token: $TOKEN"'
        )
    if cell.caller.with_key:
        line += ' --header "x-api-key: $API_KEY"'
    return f"{line} {shlex.quote(f'https://{host}{stage}{question.path}')}"
