"""Forwards with requests, after having loaded the SDK."""

from __future__ import annotations

import os
from typing import Any

import boto3  # noqa: F401 - as it is usually written
import requests

BACKEND_URL = os.environ["BACKEND_URL"]


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    headers = {name: value for name, value in event["headers"].items() if name != "Host"}
    response = requests.request(
        event["httpMethod"],
        f"{BACKEND_URL}/{event['pathParameters']['path']}",
        params=event["multiValueQueryStringParameters"],
        headers=headers,
        data=event["body"],
        timeout=10,
        allow_redirects=False,
    )
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": response.text,
    }
