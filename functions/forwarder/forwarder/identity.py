"""Calls to a private API, signed with the function's own role, and what it says of that role.

A caller gets no more than the role's grants, and hears nothing of the role. Two signs tell an
answer of API Gateway's own, which names the role or shows what was signed, from a service's:

    x-amzn-errortype, of a 401 or 403. A service that sets this header on a 403 of its own is taken
    for API Gateway: its caller hears no more than "Forbidden".

    The role's session, the access key or the session token in the body, of any status from 400 on,
    since what makes the text is not always what makes the status: a gateway response may change it.
    Such a service's error is not passed on either. Letters may be escaped as in JSON; a body with
    a Content-Encoding is not looked into.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from signing.sigv4 import Credentials, sign

from forwarder.settings import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing import PrivateApi

    from forwarder.exchange import Outgoing
    from forwarder.response import Head

_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_SESSION = b":assumed-role/"  # of arn:aws:sts::<account>:assumed-role/<role>/<session>
_ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Refusal(NamedTuple):
    """An answer that is API Gateway's own: `kind` is for the log, the rest for the caller."""

    kind: str
    status: int
    text: str


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

    def refusal(self, head: Head, body: bytes) -> Refusal | None:
        """What to make of an answer that is API Gateway's own and so speaks of the role."""
        if head.status < HTTPStatus.BAD_REQUEST:
            return None
        is_refused = head.status in _REFUSALS
        kinds = [value for name, value in head.headers if name.lower() == "x-amzn-errortype"]
        if not (kinds and is_refused) and not self._is_shown(body):
            return None
        kind = kinds[0].partition(":")[0] if kinds else ""
        kind = kind if kind.isalpha() else "unknown"
        if is_refused:
            return Refusal(kind, 403, "Forbidden")
        return Refusal(kind, 502, "The backend's answer cannot be passed on")

    def _is_shown(self, body: bytes) -> bool:
        own = self._credentials()
        secrets = [one.encode() for one in (own.access_key_id, own.session_token) if one]
        plain = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), body)
        plain = plain.replace(b"\\", b"")
        return any(one in plain for one in (_SESSION, *secrets))

    def _credentials(self) -> Credentials:
        try:
            return Credentials(
                access_key_id=self._environment[_KEY],
                secret_access_key=self._environment[_SECRET],
                session_token=self._environment.get(_TOKEN),
            )
        except (KeyError, ValueError):
            raise ConfigurationError(f"{_KEY}, {_SECRET} or {_TOKEN} cannot be used") from None
