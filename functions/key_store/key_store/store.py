"""A parameter that holds the value of an API key, and says by its tags whose it is.

A parameter that is there already, without our tags, is somebody else's: it is neither overwritten
nor deleted. Everything may be done twice: a request that comes again ends as it did before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from key_store.errors import FailedCallError, OutOfTimeError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from key_store.request import Wanted

CALL_SECONDS = 12
"""The longest that one call lasts: two attempts of two seconds to connect and three to read each,
and a wait between them."""

# Seconds. What the stack granted a moment ago is not known everywhere at once (IAM User Guide,
# "Changes that I make are not always immediately visible").
_WAITS = (1, 2, 4, 8, 16)

_STACK_TAG = "key-store:stack"
_RESOURCE_TAG = "key-store:resource"


class Store:
    """The parameters of one resource of a stack.

    `time_left` gives seconds; no call begins with less than CALL_SECONDS.
    """

    def __init__(
        self,
        client: Callable[[str], Any],
        *,
        stack_id: str,
        logical_id: str,
        time_left: Callable[[], float],
    ) -> None:
        self._client, self._time_left = client, time_left
        self._tags = {_STACK_TAG: stack_id, _RESOURCE_TAG: logical_id}

    def keep(self, wanted: Wanted) -> None:
        """Make the parameter hold the key's value, whether or not it does. Raises KeyStoreError."""
        key = self._patiently(
            "apigateway", "get_api_key", "GetApiKey", apiKey=wanted.api_key_id, includeValue=True
        )
        if not key.get("value"):
            raise RefusedError(f"API key {wanted.api_key_id} has no value")
        parameter = {
            "Name": wanted.parameter,
            "Description": f"The value of API key {wanted.api_key_id}",
            "Value": key["value"],
            "Type": "SecureString",
        }
        if wanted.kms_key_id:
            parameter["KeyId"] = wanted.kms_key_id
        tags = [{"Key": name, "Value": value} for name, value in self._tags.items()]
        try:
            self._put(**parameter, Tags=tags)
        except FailedCallError as error:
            if error.code != "ParameterAlreadyExists":
                raise
            if not self._is_ours(wanted.parameter):
                raise RefusedError(
                    f"parameter {wanted.parameter} exists and is not of this resource: delete it,"
                    " or give another ParameterName"
                ) from None
            self._put(**parameter, Overwrite=True)

    def remove(self, parameter: str) -> bool:
        """Delete a parameter if it is ours; whether it was. Raises KeyStoreError."""
        if not self._is_ours(parameter):
            return False
        try:
            self._call("ssm", "delete_parameter", "DeleteParameter", Name=parameter)
        except FailedCallError as error:
            if error.code != "ParameterNotFound":
                raise
        return True

    def _is_ours(self, parameter: str) -> bool:
        try:
            found = self._call(
                "ssm",
                "list_tags_for_resource",
                "ListTagsForResource",
                ResourceType="Parameter",
                ResourceId=parameter,
            )
        except FailedCallError as error:
            if error.code in ("InvalidResourceId", "ParameterNotFound"):
                return False
            raise
        tags = {tag["Key"]: tag["Value"] for tag in found.get("TagList", ())}
        return tags.items() >= self._tags.items()

    def _put(self, **parameter: Any) -> None:
        self._patiently("ssm", "put_parameter", "PutParameter", **parameter)

    def _patiently(self, service: str, method: str, action: str, **parameters: Any) -> Any:
        for wait in _WAITS:
            try:
                return self._call(service, method, action, **parameters)
            except FailedCallError as error:
                denied = error.code.startswith("AccessDenied")
                if not denied or self._time_left() - wait < CALL_SECONDS:
                    raise
            time.sleep(wait)
        return self._call(service, method, action, **parameters)

    def _call(self, service: str, method: str, action: str, **parameters: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see handler

        call = f"{service}:{action}"
        if self._time_left() < CALL_SECONDS:
            raise OutOfTimeError(f"no time was left for {call}")
        try:
            return getattr(self._client(service), method)(**parameters)
        except ClientError as error:
            # The code alone: a message may repeat what was sent.
            raise FailedCallError(call, error.response["Error"]["Code"]) from None
        except BotoCoreError as error:
            raise FailedCallError(call, type(error).__name__) from None
