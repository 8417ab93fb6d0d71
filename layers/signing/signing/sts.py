"""A role assumed by AWS STS, in this account or another.

Source: AWS STS API Reference, AssumeRole (version 2011-06-15, XML).
"""

from __future__ import annotations

import os
import re
from datetime import datetime

from .api import PrivateApi
from .credentials import Provider, Refreshing, default
from .errors import CredentialsError
from .keys import Credentials
from .urls import domain

_OK = 200


def assume_role(
    role_arn: str,
    *,
    region: str,
    session_name: str = "signing",
    external_id: str | None = None,
    duration: int = 3600,
    source: Credentials | Provider = default,
    endpoint: str | None = None,
) -> Provider:
    """Return a provider of a role's credentials, kept and refreshed ahead of their expiry.

    `source` may assume the role; `duration` is in seconds. The region's STS is asked, unless
    AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL or `endpoint` name another; from a private subnet that
    takes an interface endpoint. The provider raises CredentialsError.
    """
    url = (
        endpoint
        or os.environ.get("AWS_ENDPOINT_URL_STS")
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://sts.{region}.{domain(region)}"
    )
    sts = PrivateApi(url=url, region=region, service="sts").session(credentials=source)
    question = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": role_arn,
        "RoleSessionName": session_name,
        "DurationSeconds": duration,
        "ExternalId": external_id,
    }

    def fetch() -> tuple[Credentials, float]:
        response = sts.get("/", params=question)
        if response.status_code != _OK:
            reason = _field(response.text, "Code") or f"status {response.status_code}"
            raise CredentialsError(f"{role_arn} cannot be assumed: {reason}", response=response)
        credentials = Credentials(
            access_key_id=_field(response.text, "AccessKeyId"),
            secret_access_key=_field(response.text, "SecretAccessKey"),
            session_token=_field(response.text, "SessionToken"),
        )
        return credentials, datetime.fromisoformat(_field(response.text, "Expiration")).timestamp()

    return Refreshing(fetch)


def _field(answer: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", answer)
    return found[1] if found else ""
