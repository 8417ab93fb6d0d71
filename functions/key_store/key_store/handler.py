"""Custom::ApiKeyValue: the value of an API key as a SecureString, as long as the stack is there.

    ApiKeyId       the id of an AWS::ApiGateway::ApiKey
    ParameterName  where its value goes; also the resource's id, so that a new name is a replacement
    KmsKeyId       the key that encrypts it; left out, the account's own for SSM

Whatever happens, CloudFormation is answered: without an answer a stack waits for an hour. The value
is in no answer, no log line and no error.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from key_store import answer
from key_store.errors import KeyStoreError, RefusedError
from key_store.request import Request, Wanted, is_parameter_name
from key_store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)


class InvalidEventError(ValueError):
    """The function was not called by CloudFormation."""


def lambda_handler(event: object, context: Any) -> None:
    """Do what CloudFormation asks, and say how it went.

    Raises InvalidEventError, and AnswerLostError, after which Lambda brings the request again.
    """
    if not isinstance(event, dict) or not event.get("ResponseURL"):
        raise InvalidEventError("not a request of CloudFormation: there is nobody to answer")
    handle(event, _client, lambda: context.get_remaining_time_in_millis() / 1000)


def handle(
    event: Mapping[str, object], client: Callable[[str], Any], time_left: Callable[[], float]
) -> None:
    """Deal with a request. `client` gives boto3's clients by service, `time_left` seconds."""
    request = Request.read(event)
    try:
        parameter = _act(request, client, lambda: time_left() - answer.SECONDS)
    except KeyStoreError as error:
        parameter, reason = None, str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation waits for an answer
        parameter, reason = None, f"an unexpected {type(error).__name__}"
    # No traceback: a value could be in it.
    if parameter is None:
        logger.error("%s of %s failed: %s", request.kind, request.logical_id, reason)
        response = answer.compose(request, "FAILED", _physical_id(request), reason=reason)
    else:
        logger.info("%s of %s done: %s", request.kind, request.logical_id, parameter)
        data = {} if request.kind == "Delete" else {"ParameterName": parameter}
        response = answer.compose(request, "SUCCESS", parameter, data=data)
    answer.send(request.response_url, response, lambda: time_left() - 1)


def _act(request: Request, client: Callable[[str], Any], time_left: Callable[[], float]) -> str:
    """Do what is asked; the resource's id afterwards. Raises KeyStoreError."""
    store = Store(
        client, stack_id=request.stack_id, logical_id=request.logical_id, time_left=time_left
    )
    match request.kind:
        case "Create" | "Update":
            wanted = Wanted.read(request.properties)
            store.keep(wanted)
            left = _left_by_failed_update(request, wanted)
            if left:
                _tidy(store, left)
            return wanted.parameter
        case "Delete":
            # Where nothing was made, as after a refused creation, the id is no parameter's.
            if is_parameter_name(request.physical_id) and not store.remove(request.physical_id):
                logger.info("%s is gone or not ours", request.physical_id)
            return request.physical_id
        case _:
            raise RefusedError("RequestType is none of Create, Update and Delete")


def _left_by_failed_update(request: Request, wanted: Wanted) -> str | None:
    """What a failed change of the name may have written.

    When such an update is rolled back, the resource has the name it shall have, and the old
    properties are those of the failed update.
    """
    tried = request.old_properties.get("ParameterName")
    if request.physical_id != wanted.parameter or tried == wanted.parameter:
        return None
    return tried if isinstance(tried, str) and is_parameter_name(tried) else None


def _tidy(store: Store, parameter: str) -> None:
    """Delete what is left; not being able to is no reason to fail a rollback."""
    try:
        store.remove(parameter)
    except KeyStoreError as error:
        logger.warning("%s may be left: %s", parameter, error)


def _physical_id(request: Request) -> str:
    """The id of a resource whose request failed: that which it has, or would have.

    CloudFormation deletes by it what a failed creation may have left. Without a name there is
    nothing to delete; the colon says so, which is in no parameter's name.
    """
    name = request.properties.get("ParameterName")
    if isinstance(name, str) and is_parameter_name(name):
        return request.physical_id or name
    return request.physical_id or f"not-created:{request.logical_id}"


@cache
def _client(service: str) -> Any:
    # Imported here, so that trouble with it reaches CloudFormation.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # At DEBUG, which a function can be set to, it logs the answers: the value too.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    patience = Config(
        connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
    )
    return boto3.client(service, config=patience)
