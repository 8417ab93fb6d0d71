"""What CloudFormation is told, and how it gets there.

Source: AWS CloudFormation User Guide, "Custom resource response objects": a JSON object of at most
4096 bytes, PUT to the address in the request, which is presigned without a content type.
"""

from __future__ import annotations

import json
import logging
import time
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from key_store.errors import AnswerLostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from key_store.request import Request

LARGEST = 4096
SECONDS = 14
"""What is kept of the function's time for the answer."""

_ATTEMPT_SECONDS = 4
_WAITS = (0.0, 0.5, 1.0, 2.0)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)

logger = logging.getLogger(__name__)


def compose(
    request: Request,
    status: Literal["SUCCESS", "FAILED"],
    physical_id: str,
    *,
    reason: str = "",
    data: dict[str, str] | None = None,
) -> bytes:
    """An answer of at most LARGEST bytes; the reason is what is shortened."""
    answer: dict[str, Any] = {
        "Status": status,
        "Reason": "",
        "PhysicalResourceId": physical_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
        "NoEcho": True,
        "Data": data or {},
    }
    room = LARGEST - len(json.dumps(answer))
    # As it is written in JSON, of which a cut escape would be no part.
    while reason and len(json.dumps(reason)) - 2 > room:
        reason = reason[:-16]
    return json.dumps(answer | {"Reason": reason}).encode()


def send(url: str, answer: bytes, time_left: Callable[[], float]) -> None:
    """Tell CloudFormation, in at most four attempts.

    Raises AnswerLostError; the address, which is a secret, is in no message.
    """
    trouble, address = "", urlsplit(url)
    if address.scheme not in ("https", "http") or not address.netloc:
        raise AnswerLostError("CloudFormation could not be told: ResponseURL is no web address")
    for wait in _WAITS:
        time.sleep(max(min(wait, time_left() - 1), 0))
        seconds = min(time_left(), _ATTEMPT_SECONDS)
        if seconds <= 0:
            break
        try:
            _put(url, answer, seconds)
        except HTTPError as error:
            error.close()
            trouble = f"HTTP status {error.code}"
            if error.code < HTTPStatus.INTERNAL_SERVER_ERROR and error.code not in _PASSING:
                break
        except (OSError, HTTPException, ValueError) as error:
            trouble = type(error).__name__
        else:
            return
        logger.warning("CloudFormation was not reached: %s", trouble)
    raise AnswerLostError(f"CloudFormation could not be told: {trouble or 'no time left'}")


def _put(url: str, answer: bytes, seconds: float) -> None:
    # A type of any kind, urllib's own too, would not match the address's signature.
    request = HttpRequest(url, answer, {"Content-Type": ""}, method="PUT")
    urlopen(request, timeout=seconds).close()
