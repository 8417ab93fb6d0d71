"""The application, deployed once for all tests that call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.application import Application, copy_application, members

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A running `backstairs up`; ended by Ctrl-C, after which nothing of it lives."""
    running = Application(copy_application(tmp_path_factory.mktemp("application")))
    try:
        running.wait_until_up()
        group = running.group()
        assert len(members(group)) > 1
        yield running
    finally:
        status = running.end()
    assert status == 130
    assert members(group) == []
    assert "Traceback" not in running.output
