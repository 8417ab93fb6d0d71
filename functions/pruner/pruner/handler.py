"""Deletes the versions that are not needed, of each function in turn."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from pruner.versions import versions_to_delete

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)


def prune(client: Any, functions: Iterable[str]) -> dict[str, list[str]]:
    """Delete what is not needed; the deleted versions by function.

    `client` is boto3's for Lambda.
    """
    deleted = {}
    for function in functions:
        versions = _all(client, "list_versions_by_function", "Versions", function)
        aliases = _all(client, "list_aliases", "Aliases", function)
        published = [version["Version"] for version in versions]
        deleted[function] = versions_to_delete(published, aliases)
        for version in deleted[function]:
            # A qualifier, and a grant for qualified names alone: never the function itself.
            client.delete_function(FunctionName=function, Qualifier=version)
            logger.info("deleted version %s of %s", version, function)
    return deleted


def lambda_handler(_event: object, _context: object) -> dict[str, list[str]]:
    """Prune the functions that FUNCTION_NAMES lists, separated by commas."""
    import boto3  # noqa: PLC0415 - so that tests, which bring a client, do not wait

    return prune(boto3.client("lambda"), os.environ["FUNCTION_NAMES"].split(","))


def _all(client: Any, operation: str, key: str, function: str) -> list[dict[str, Any]]:
    pages = client.get_paginator(operation).paginate(FunctionName=function)
    return [found for page in pages for found in page[key]]
