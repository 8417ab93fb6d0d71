"""Deliveries that were forwarded: each is forwarded once, unless that failed.

GitHub delivers once and, when somebody asks for it within three days, again under the same id. The
id is not signed, so a delivery is known by its id and its body. What is stored is the status that
it was answered with, nothing of what it said. Of an attempt whose end could not be stored, as when
the function was ended, the mark loses its force at the end of the function's time: asked for again,
such a delivery is forwarded again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forwarder.answer import Answer

KEPT_SECONDS = 4 * 24 * 60 * 60
"""A day longer than GitHub offers to deliver again."""


class InProgressError(Exception):
    """Another invocation is forwarding the same delivery."""


class UnavailableError(Exception):
    """The table did not answer as it should; nothing was forwarded."""


class Outcome(NamedTuple):
    """How a delivery was answered; `answer` is None where that was before.

    `trouble` says why its end could not be stored.
    """

    status: int
    answer: Answer | None
    trouble: str | None = None


class Deliveries:
    """The deliveries in a table with hash key `id` and time to live `expiration`."""

    def __init__(self, client: Any, table: str) -> None:
        self._store = DynamoDBPersistenceLayer(table_name=table, boto3_client=client)

    def once(
        self, delivery_id: str, body: bytes, context: Any, forward: Callable[[], Answer]
    ) -> Outcome:
        """Forward a delivery that was not answered 2xx before.

        Raises InProgressError and UnavailableError.
        """
        attempt = _Attempt(forward)
        run = idempotent_function(
            attempt.run,
            data_keyword_argument="delivery",
            persistence_store=self._store,
            config=IdempotencyConfig(
                expires_after_seconds=KEPT_SECONDS, hash_function="sha256", lambda_context=context
            ),
            key_prefix="github",
        )
        try:
            done = run(delivery=f"{delivery_id} {hashlib.sha256(body).hexdigest()}")
        except _FailedError:
            done = {}
        except IdempotencyAlreadyInProgressError:
            raise InProgressError from None
        except IdempotencyInconsistentStateError as error:
            raise UnavailableError(type(error).__name__) from None
        except IdempotencyPersistenceLayerError as error:
            if attempt.answer is None:
                raise UnavailableError(_kind(error.__cause__)) from None
            # It was forwarded: what came of it is the truth, stored or not.
            return Outcome(attempt.answer.status, attempt.answer, _kind(error.__cause__))
        if attempt.answer is None:
            return Outcome(done["status"], None)
        return Outcome(attempt.answer.status, attempt.answer)


class _FailedError(Exception):
    """Tells Powertools that a delivery is not done."""


class _Attempt:
    """One attempt to forward; `answer` is what came of it."""

    def __init__(self, forward: Callable[[], Answer]) -> None:
        self._forward = forward
        self.answer: Answer | None = None

    def run(self, *, delivery: str) -> dict[str, int]:  # noqa: ARG002 - Powertools' key
        """Forward; what is stored. Raises _FailedError."""
        self.answer = self._forward()
        if not 200 <= self.answer.status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
            raise _FailedError
        return {"status": self.answer.status}


def _kind(error: BaseException | None) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
