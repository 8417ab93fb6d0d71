"""`backstairs up` where the forwarder cannot be deployed: the application still runs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.local.application import BACKSTAIRS, SECONDS_TO_START, copy_application

if TYPE_CHECKING:
    from pathlib import Path


def test_a_project_without_the_forwarders_settings(tmp_path: Path) -> None:
    """No other template is built in its place; a warning says what failed, and --once ends with 1.

    The tour of the application is taken to its end.
    """
    folder = copy_application(tmp_path)
    settings = folder / "samconfig.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text[: text.index("[forwarder.")], "utf-8")

    done = subprocess.run(
        [*BACKSTAIRS, "up", "--once"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_START,
    )

    said = done.stdout
    assert done.returncode == 1, said + done.stderr
    assert "warning: there is no forwarder: sam " in said
    assert "Real calls through the doors" in said
    assert "which wrote:" in said
    assert "From outside" not in said
    assert "Traceback" not in said + done.stderr
