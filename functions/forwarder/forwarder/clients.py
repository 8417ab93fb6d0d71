"""Clients of AWS that are no slower than who sends webhooks is patient: ten seconds at most."""

from __future__ import annotations

import logging
from typing import Any


def client(service: str) -> Any:
    """A client of boto3's for `ssm` or `dynamodb`."""
    # Imported here, so that whoever brings clients of their own, as tests do, does not wait.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # At DEBUG, which a function can be set to, it logs the answers: the secrets too.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # A write that is sent again would meet its own mark.
    attempts = 1 if service == "dynamodb" else 2
    patience = Config(
        connect_timeout=1,
        read_timeout=2 if service == "dynamodb" else 1,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return boto3.client(service, config=patience)
