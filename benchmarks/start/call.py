"""Calls to a running application, by what it writes into run.json: the same in either tree."""

from __future__ import annotations

import http.client
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from pathlib import Path

_CALLER, _PATH = "notifier", "/members/m-1001"


def running(folder: Path) -> dict[str, Any] | None:
    """Where everything is; None while nothing is."""
    try:
        found: dict[str, Any] = json.loads((folder / ".backstairs" / "run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def admitted(where: dict[str, Any]) -> bool:
    """Whether a signed call to a private API is answered by its function."""
    if "credentials" not in where:
        sts = boto3.client(
            "sts",
            endpoint_url=where["account_url"],
            region_name=where["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulated account's
        )
        given = sts.assume_role(RoleArn=where["roles"][_CALLER], RoleSessionName="benchmark")
        found = given["Credentials"]
        where["credentials"] = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )
    return b"m-1001" in answered(where, _PATH, where["credentials"])


def answered(where: dict[str, Any], path: str, credentials: Credentials | None = None) -> bytes:
    """The body of a 200 from inside the VPC; empty for any other answer."""
    # As a run says today, or as it did.
    routes = {one["api_id"]: str(one.get("routes") or one["paths"]) for one in where["apis"]}
    api = next(one for one in where["apis"] if path.split("/")[1] in routes[one["api_id"]])
    host = f"{api['api_id']}.execute-api.{where['region']}.amazonaws.com"
    target = f"/{api['stage']}{path}"
    request = AWSRequest("GET", f"https://{host}{target}")
    if credentials is not None:
        SigV4Auth(credentials, "execute-api", where["region"]).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", where["origins"][0]["port"], timeout=30)
    try:
        connection.request("GET", target, headers={**request.headers, "Host": host})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
    return body if answer.status == HTTPStatus.OK else b""
