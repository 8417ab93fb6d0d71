"""What is DynamoDB's trouble of the moment, and what is a mistake."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from insurance.table import UnavailableError, available


def refusal(code: str, status: int) -> ClientError:
    """An error as DynamoDB answers it."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutItem")


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException", 400),
        refusal("ThrottlingException", 400),
        refusal("RequestLimitExceeded", 400),
        refusal("InternalServerError", 500),
        refusal("ServiceUnavailable", 503),
        refusal("Something else", 500),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_what_may_pass_is_unavailable(error: Exception) -> None:
    """Throttling, errors of DynamoDB's own, and no answer at all."""
    with pytest.raises(UnavailableError), available():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        refusal("AccessDeniedException", 400),
        refusal("ValidationException", 400),
        refusal("ResourceNotFoundException", 400),
        refusal("ConditionalCheckFailedException", 400),
        NoCredentialsError(),
        KeyError("PK"),
    ],
)
def test_a_mistake_stays_what_it_is(error: Exception) -> None:
    """Trying again would not mend it, and hiding it would not either."""
    with pytest.raises(type(error)), available():
        raise error
