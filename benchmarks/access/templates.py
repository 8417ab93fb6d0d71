"""Reads every template of a folder, and counts what was read, named as not read, and lost.

    .venv/local/bin/python -m benchmarks.access.templates FOLDER [--all]

Doors (routes, events, function URLs, permissions, ...) are counted straight from each template's
text as well: one that the reading neither has nor names is a silent loss.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from backstairs.template.application import read_application
from backstairs.template.load import TemplateError
from benchmarks.access.doors import Door, api_of, doors, is_one, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.template.model import Application

ENDINGS = (".yaml", ".yml", ".json", ".template")


@dataclass(slots=True)
class Reading:
    """What became of one template."""

    path: Path
    seconds: float = 0.0
    stopped: str | None = None
    crashed: str | None = None
    not_read: list[str] = field(default_factory=list)
    doors: int = 0
    lost: list[Door] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """One word for the table."""
        if self.crashed:
            return "traceback"
        if self.stopped:
            return "no template"
        return "in part" if self.not_read else "whole"


def main() -> int:
    """Print the table; 1 where something was lost in silence or a traceback was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="every reason, by template")
    options = parser.parse_args()
    readings = [reading(path) for path in templates(options.folder)]
    report(readings, options.folder, everything=options.all)
    return int(any(one.crashed or one.lost for one in readings))


def templates(folder: Path) -> Iterator[Path]:
    """The files of a folder that speak of what is looked for."""
    for path in sorted(folder.rglob("*")):
        readable = path.suffix in ENDINGS and path.is_file()
        if readable and is_one(path.read_text("utf-8", "replace")):
            yield path


def reading(path: Path) -> Reading:
    """Read one template, and look for every door of its text."""
    result = Reading(path)
    started = time.perf_counter()
    try:
        application = read_application(path)
    except TemplateError as error:
        result.stopped = str(error)
        return result
    except Exception:  # noqa: BLE001 - that is what is looked for
        result.crashed = traceback.format_exc()
        return result
    finally:
        result.seconds = time.perf_counter() - started
    result.not_read = [f"{one.name}: {one.why}" for one in application.not_read]
    found = list(doors(read(path.read_text("utf-8")), path.parent))
    result.doors = len(found)
    model = Model(application)
    result.lost = [door for door in found if not model.knows(door)]
    return result


class Model:
    """What a reading says, to be asked for a door."""

    def __init__(self, application: Application) -> None:
        self._exists = application.resources
        self._named = {one.name for one in application.not_read}
        self._reasons = [(one.name, one.why) for one in application.not_read]
        self._ways = application.other_ways
        self._named |= {one.name for one in application.other_ways if "stage" in one.kind}
        self._written = application.templates[""]["Resources"]
        self._routes = {
            (one.name, route.method, route.path)
            for one in application.apis
            for route in one.api.routes
        }
        self._made_by = {
            source.made_by for one in application.apis for source in one.route_sources.values()
        }
        self._lines = {
            source.line for one in application.apis for source in one.route_sources.values()
        }
        self._line_of = {name: source.line for name, source in application.sources.items()}

    def knows(self, door: Door) -> bool:
        """Whether it is read, or named as not read, or not created."""
        if door.condition and door.owner not in self._exists:
            return True
        if door.owner in self._named and (
            door.owner not in self._exists or self._blames(door) or door.event is None
        ):
            return True
        if door.kind in ("event", "definition"):
            return self._has_route(door)
        return self._has(door)

    def _blames(self, door: Door) -> bool:
        return any(name == door.owner and str(door.event) in why for name, why in self._reasons)

    def _has_route(self, door: Door) -> bool:
        if door.method is None or door.path is None:
            return f"Events.{door.event}" in self._made_by
        method = (
            "ANY"
            if door.method.lower() in ("any", "*", "x-amazon-apigateway-any-method")
            else (door.method.upper())
        )
        return any(
            (verb, path) == (method, door.path)
            for name, verb, path in self._routes
            if door.kind == "event" or name == door.owner
        ) or self._api_is_named(door)

    def _api_is_named(self, door: Door) -> bool:
        """Whether the API of an event is one that was not read."""
        if door.event is None:
            return False
        resource = self._written.get(door.owner, {})  # type: ignore[attr-defined]
        event = resource.get("Properties", {}).get("Events", {}).get(door.event, {})
        api = api_of(event.get("Properties") or {}) or "Serverless"
        return any(name == api or name.startswith(api) for name in self._named)

    def _has(self, door: Door) -> bool:
        if self._line_of.get(door.owner) in self._lines:
            return True
        if door.kind == "quick create" and any(name == door.owner for name, _, _ in self._routes):
            return True
        resource = self._written.get(door.owner, {})  # type: ignore[attr-defined]
        if api_of(resource.get("Properties") or {}) in self._named:
            return True
        if any(re.match(rf"{door.owner}(Url|Route|Endpoint)?", way.name) for way in self._ways):
            return True
        # A permission of an API of this template is that API's route.
        return door.kind == "permission" and door.owner in self._exists


def report(readings: list[Reading], folder: Path, *, everything: bool) -> None:
    """The table, and the reasons."""
    none = [one for one in readings if one.stopped]
    readings = [one for one in readings if not one.stopped]
    outcomes = Counter(one.outcome for one in readings)
    behind = Counter(one.outcome for one in readings if one.doors)
    total = len(readings)
    print(
        f"{total} templates of {len({_repository(one.path, folder) for one in readings})} folders"
    )
    print(f"{len(none)} files that are no templates: not YAML, or without Resources")
    print(f"  {'all':>14}  {'with doors':>14}")
    for outcome in ("whole", "in part", "traceback"):
        print(f"  {share(outcome, outcomes)}  {share(outcome, behind)}  {outcome}")
    lost = [(one.path, door) for one in readings for door in one.lost]
    print(f"{sum(one.doors for one in readings)} doors in their texts, {len(lost)} lost in silence")
    print(f"{sum(one.seconds for one in readings):.0f} s")
    reasons = Counter(why for one in readings for why in {*map(_general, one.not_read)})
    print("why not whole, by templates:")
    for why, count in reasons.most_common():
        print(f"  {count:5} {why}")
    for path, door in lost:
        print(f"lost: {path.relative_to(folder)}: {door}")
    for one in (*readings, *(none if everything else ())):
        if one.crashed or one.stopped:
            print(f"{one.outcome}: {one.path.relative_to(folder)}: {one.crashed or one.stopped}")
        for why in one.not_read if everything else ():
            print(f"not read: {one.path.relative_to(folder)}: {why}")


def share(outcome: str, outcomes: Counter[str]) -> str:
    """A count, and what part it is of all."""
    return f"{outcomes[outcome]:6} {outcomes[outcome] / max(outcomes.total(), 1):7.2%}"


def _repository(path: Path, folder: Path) -> str:
    return path.relative_to(folder).parts[0]


def _general(why: str) -> str:
    """A reason without the names in it."""
    text = why.partition(": ")[2] or why
    text = re.sub(r"\[[^\]]*\]|'[^']*'|\"[^\"]*\"|<[^>]*>|\{.*\}", "…", text)
    return re.sub(r"\S*/\S*", "…", text)[:110]


if __name__ == "__main__":
    sys.exit(main())
