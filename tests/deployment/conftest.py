"""One emulated account for each file of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backstairs.runtime.process import Children
from tests.deployment.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A copy of the application, nothing deployed yet."""
    children = Children()
    try:
        yield Deployment(tmp_path_factory.mktemp("deployment"), children)
    finally:
        children.close()
