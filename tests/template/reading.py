"""Small templates, read whole."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from backstairs.template.application import read_application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstairs.access import Source
    from backstairs.template.model import Application


def read(
    text: str,
    parameters: Mapping[str, str] | None = None,
    policies: Mapping[str, object] | None = None,
) -> Application:
    """The application of a template's text, the file's name being template.yaml."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "template.yaml")
        path.write_text(text, "utf-8")
        return read_application(path, parameters=parameters, policies=policies)


def line(text: str, source: Source | None) -> str:
    """The text at a source of a template."""
    assert source is not None
    return text.splitlines()[source.line - 1].strip()
