"""Roles of containers, SnapStart functions and instances, from the services beside them.

Source: AWS SDKs and Tools Reference Guide, "Container credential provider" and "IMDS credential
provider" (version 2 only). Asked without a proxy, and without following redirects.
"""

from __future__ import annotations

import json
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import CredentialsError
from .keys import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK = 200
_SECONDS = 2.0
_LONGEST = 1 << 20  # bytes of an answer
_CONTAINER = "http://169.254.170.2"
_INSTANCE = "http://169.254.169.254"
_NEAR = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "127.0.0.1", "::1", "localhost"}
_ROLES = "/latest/meta-data/iam/security-credentials/"


def container_role(environment: Mapping[str, str]) -> tuple[Credentials, float]:
    """Ask the container's service, whose address and token the environment has."""
    relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = _CONTAINER + relative if relative else environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _NEAR:
        raise CredentialsError("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor local")
    headers = {}
    if file := environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        with open(file, encoding="utf-8") as lines:
            headers["Authorization"] = lines.read().strip()
    elif token := environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        headers["Authorization"] = token
    return _parsed(_asked("GET", url, headers))


def instance_role(environment: Mapping[str, str]) -> tuple[Credentials, float]:
    """Ask the instance metadata service for the instance's role."""
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise CredentialsError("AWS_ACCESS_KEY_ID is not set, nor is anything else")
    base = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _INSTANCE).rstrip("/")
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
    token = _asked("PUT", f"{base}/latest/api/token", lifetime).decode()
    headers = {"X-aws-ec2-metadata-token": token}
    role = _asked("GET", base + _ROLES, headers).decode().split("\n")[0].strip()
    return _parsed(_asked("GET", base + _ROLES + role, headers))


def _asked(method: str, url: str, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    host = parts.hostname or ""
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(host, parts.port, timeout=_SECONDS)
    try:
        connection.request(
            method, parts._replace(scheme="", netloc="").geturl() or "/", None, headers
        )
        answer = connection.getresponse()
        body = answer.read(_LONGEST)
    except (OSError, HTTPException) as error:
        raise CredentialsError(f"AWS_ACCESS_KEY_ID is not set; {host}: no answer") from error
    finally:
        connection.close()
    if answer.status != _OK:
        raise CredentialsError(f"{host} answered {answer.status}")
    return body


def _parsed(body: bytes) -> tuple[Credentials, float]:
    answer = json.loads(body)
    credentials = Credentials(
        access_key_id=answer["AccessKeyId"],
        secret_access_key=answer["SecretAccessKey"],
        session_token=answer["Token"],
    )
    return credentials, datetime.fromisoformat(answer["Expiration"]).timestamp()
