"""The DynamoDB table of a service: which one, how patiently it is asked, when it is down."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

# "Error handling with DynamoDB": what the same request, sent later, may not meet again.
_PASSING = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)
_SERVER_ERROR = 500


class UnavailableError(Exception):
    """DynamoDB did not answer, or answered that it cannot now."""


class Table(NamedTuple):
    """A table, and the client to ask it with."""

    client: Any
    name: str

    @classmethod
    def deployed(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The table that TABLE_NAME names. Raises KeyError where it is missing."""
        # Imported here, so that whoever brings a client of their own, as tests do, does not wait.
        # botocore's client is the one that boto3 hands out; boto3 itself would only add its import.
        from botocore.config import Config  # noqa: PLC0415
        from botocore.session import Session  # noqa: PLC0415

        # Three attempts, and the waits between them, end within twelve seconds.
        patience = Config(
            connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3}
        )
        return cls(Session().create_client("dynamodb", config=patience), environment["TABLE_NAME"])


@contextmanager
def available() -> Iterator[None]:
    """Turn what DynamoDB may not meet a second time into UnavailableError."""
    try:
        yield
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise UnavailableError(type(error).__name__) from error
    except exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in _PASSING or status >= _SERVER_ERROR:
            raise UnavailableError(code) from error
        raise
