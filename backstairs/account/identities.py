"""Whose an access key is, and what its principal may do, as the account knows it now."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from backstairs.access import Policy, Principal, Unresolved, parse_policy
from backstairs.gateway.authentication import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)

_NOT_MODIFIED = 304
_NOT_FOUND = 404
REFRESH_SECONDS = 1.0

# Source: IAM API Reference, "AccessKey": word characters, at most 128 of them.
_KEY_ID = re.compile(r"\w{1,128}", re.ASCII)

_open = build_opener(ProxyHandler({})).open


class AccountIdentities:
    """Reads identities from the emulated account, and its principals again whenever they change."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._version: str | None = None
        self._principals: dict[str, Mapping[str, Any]] = {}
        self._found: dict[str, Identity] = {}
        self._stale = False

    async def identity_of(self, access_key_id: str) -> Identity | None:
        """The identity of an access key; None when the account has no such key.

        Raises OSError while the account does not answer: then nobody can be told apart.
        """
        if self._stale:
            raise ConnectionError("the account does not answer")
        if not _KEY_ID.fullmatch(access_key_id):
            return None
        if access_key_id not in self._found:
            # A key seen for the first time may come with a grant made a moment ago.
            await asyncio.to_thread(self.refresh)
            known = self._found
            identity = await asyncio.to_thread(self._read, access_key_id)
            if identity is None:
                return None
            # Into the table it was read for: one that has been replaced meanwhile is not used.
            known[access_key_id] = identity
            return identity
        return self._found[access_key_id]

    async def keep_fresh(self) -> None:
        """Follow changes of roles, users and policies until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await asyncio.to_thread(self.refresh)
                self._stale = False
            except (OSError, ValueError, KeyError, TypeError) as error:
                if not self._stale:
                    _log.warning("the account does not answer: %s", error)
                self._stale = True

    def refresh(self) -> None:
        """Read the principals again if they have changed, and forget which keys are whose."""
        headers = {"If-None-Match": self._version} if self._version else {}
        request = Request(f"{self._url}/_backstairs/principals", headers=headers)
        try:
            with _open(request, timeout=10) as answer:
                listed = json.load(answer)["principals"]
                self._version = answer.headers["ETag"]
            self._principals = {principal["arn"]: principal for principal in listed}
        except HTTPError as error:
            if error.code != _NOT_MODIFIED:
                raise
        # A key can be deactivated or deleted without a change of its principal.
        self._found = {}

    def _read(self, access_key_id: str) -> Identity | None:
        try:
            path = f"{self._url}/_backstairs/access-keys/{access_key_id}"
            with _open(path, timeout=10) as answer:
                key = json.load(answer)
        except HTTPError as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        return Identity(
            principal=self._principal(key),
            secret_key=key["secretAccessKey"],
            session_token=key["sessionToken"],
            expires=datetime.fromisoformat(key["expiration"]) if key["expiration"] else None,
        )

    def _principal(self, key: Mapping[str, Any]) -> Principal:
        principal_arn = key["roleArn"] or key["principalArn"]
        known = self._principals.get(principal_arn, {})
        boundary = known.get("permissionsBoundary")
        kind = key["principalType"]
        return Principal(
            arn=key["principalArn"],
            principal_arn=principal_arn,
            account=key["account"],
            kind="Account" if kind == "Root" else kind,
            user_id=key["userId"],
            policies=tuple(_policy(policy) for policy in known.get("policies", ())),
            limits=(_policy(boundary),) if boundary else (),
            session=tuple(_policy(policy) for policy in key["sessionPolicies"] or ()),
            tags={**known.get("tags", {}), **key["sessionTags"]},
        )


def _policy(policy: Mapping[str, Any]) -> Policy:
    document = policy["document"]
    if document is None:
        document = Unresolved(f"policy {policy['arn']} cannot be read")
    return parse_policy(policy["arn"] or policy["name"], document)
