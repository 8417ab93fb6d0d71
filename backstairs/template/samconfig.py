"""What `samconfig.toml` says of a deployment: template, parameters, region.

Source: AWS SAM Developer Guide, "AWS SAM CLI configuration file": a table for each environment and
command, `global` for all commands; nothing is inherited from another environment.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backstairs.template.load import TemplateError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "samconfig.toml"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Deployment:
    """How an environment is deployed. `template` is as it is written there, before it is built."""

    template: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    stack_name: str | None = None


def read_deployment(folder: Path, environment: str) -> Deployment:
    """An environment of the file in a folder; nothing where there is no file.

    Raises TemplateError for a file that cannot be read, and for another environment than `default`
    that it has not.
    """
    path = folder / FILE
    if not path.is_file():
        if environment != DEFAULT:
            raise TemplateError(f"{path}: is not there, so there is no environment {environment}")
        return Deployment()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TemplateError(f"{path}: cannot be read: {error}") from error
    if environment not in said and environment != DEFAULT:
        names = ", ".join(name for name, value in said.items() if isinstance(value, Mapping))
        raise TemplateError(f"{path}: has no environment {environment}: it has {names}")
    shared, deploy = (_command(said.get(environment), name) for name in ("global", "deploy"))
    merged = {**shared, **deploy}
    return Deployment(
        template=_text(shared, "template_file"),
        parameters=_overrides(merged.get("parameter_overrides", []), path),
        region=_text(merged, "region"),
        stack_name=_text(merged, "stack_name"),
    )


def _command(environment: object, name: str) -> Mapping[str, object]:
    command = environment.get(name) if isinstance(environment, Mapping) else None
    parameters = command.get("parameters") if isinstance(command, Mapping) else None
    return parameters if isinstance(parameters, Mapping) else {}


def _text(said: Mapping[str, object], name: str) -> str | None:
    return str(said[name]) if name in said else None


def _overrides(value: object, path: Path) -> dict[str, str]:
    """`["Stage=dev"]`, `"Stage=dev Other='a b'"`, or a table."""
    if isinstance(value, Mapping):
        return {str(name): str(one) for name, one in value.items()}
    words = shlex.split(value) if isinstance(value, str) else value
    if not isinstance(words, list) or not all("=" in str(word) for word in words):
        raise TemplateError(f"{path}: parameter_overrides are not NAME=VALUE: {value}")
    pairs = (str(word).partition("=") for word in words)
    return {name: one.strip("\"'") for name, _, one in pairs}
