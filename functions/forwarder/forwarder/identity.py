"""Calls to a private API, signed with the function's own role, and what it says of that role.

A caller gets no more than the role's grants, and hears nothing of the role.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from signing.sigv4 import Credentials, sign

from forwarder.settings import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing import PrivateApi

    from forwarder.exchange import Outgoing
    from forwarder.response import Head

_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Identity:
    """The function's role, as the private API sees it: Lambda's variables, read for each call."""

    def __init__(self, api: PrivateApi, environment: Mapping[str, str]) -> None:
        self._api, self._environment = api, environment

    def signature(self, request: Outgoing) -> list[tuple[str, str]]:
        """The headers to add for one attempt, Host among them. Raises ConfigurationError."""
        api = self._api
        chosen = [("x-apigw-api-id", api.api_id)] if api.api_id else []
        signed = sign(
            method=request.method,
            url=f"{api.origin}{request.target}",
            headers=[*chosen, *request.headers],
            body=request.body,
            credentials=self._credentials(),
            region=api.region,
            service=api.service,
            host=api.host,
        )
        return [*signed.items(), *chosen]

    def refusal(self, head: Head, body: bytes) -> str | None:
        """The kind of a refusal that is API Gateway's own and so speaks of the role; else None."""
        if head.status not in _REFUSALS:
            return None
        kinds = [value for name, value in head.headers if name.lower() == "x-amzn-errortype"]
        own = self._credentials()
        shown = (own.access_key_id, own.session_token)
        if not kinds and not any(one.encode() in body for one in shown if one):
            return None
        kind = kinds[0].partition(":")[0] if kinds else ""
        return kind if kind.isalpha() else "unknown"

    def _credentials(self) -> Credentials:
        try:
            return Credentials(
                access_key_id=self._environment[_KEY],
                secret_access_key=self._environment[_SECRET],
                session_token=self._environment.get(_TOKEN),
            )
        except (KeyError, ValueError):
            raise ConfigurationError(f"{_KEY}, {_SECRET} or {_TOKEN} cannot be used") from None
