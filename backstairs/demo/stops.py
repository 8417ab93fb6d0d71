"""One call of the tour, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.credentials import Credentials

from backstairs.client import Answer, call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backstairs.local.running import OpenApi, Running


@dataclass(frozen=True, slots=True)
class Stop:
    """One call of the tour; `expected` is the status that the application's design calls for.

    `api` None: the one that has the path. `follows`: the call goes on to the answer's Location, and
    what is expected is what that answers. `shows` are headers to show as the backend saw them, none
    of which may have what the call says.
    """

    who: str
    origin: str
    method: str
    path: str
    expected: int
    credentials: Credentials | None = None
    forged: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    api: OpenApi | None = None
    follows: bool = False
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call came to; `told` is what there is to say of it besides."""

    stop: Stop
    answer: Answer
    told: str | None = None

    @property
    def is_as_expected(self) -> bool:
        """Whether it was answered, and seen by the backend, as the design calls for."""
        if self.answer.status != self.stop.expected:
            return False
        if not self.stop.shows:
            return True
        return self.told is not None and not any(
            value in self.told for value in self.stop.headers.values()
        )


def take(running: Running, stop: Stop) -> Seen:
    """Make one call, and where it is to be followed, the one that its answer points to."""
    api = stop.api or running.api_with(stop.path)
    host = f"{api.api_id}.execute-api.{running.region}.amazonaws.com"
    answer = _call(running, stop, host, stop.method, f"/{api.stage}{stop.path}")
    told = _shown(answer, stop.shows) if stop.shows else None
    if stop.follows:
        status, location = answer.status, urlsplit(answer.headers.get("location", ""))
        told = f"{status}, Location {location.geturl() or 'none'}"
        # Nobody is sent on to another host, nor with what is for this one.
        if location.netloc in ("", host) and location.path:
            answer = _call(running, replace(stop, body=b""), host, "GET", location.path)
            told += f", which answers {answer.status}"
    return Seen(stop, answer, told)


def _call(running: Running, stop: Stop, host: str, method: str, path: str) -> Answer:
    origin = next(origin for origin in running.origins if origin.name == stop.origin)
    credentials = stop.credentials
    if credentials is not None and stop.forged:
        credentials = Credentials(credentials.access_key, "forged", credentials.token)
    return call(
        origin.port,
        method,
        path,
        host=host,
        region=running.region,
        credentials=credentials,
        headers={**({"Content-Type": "application/json"} if stop.body else {}), **stop.headers},
        body=stop.body,
    )


def _shown(answer: Answer, names: Iterable[str]) -> str | None:
    """What the demo backend saw of some headers."""
    try:
        seen = {name.lower(): value for name, value in json.loads(answer.body)["headers"]}
    except (ValueError, KeyError, TypeError):
        return None
    return "the backend sees " + ", ".join(
        f"{name}: {seen[name]}" if name in seen else f"no {name}" for name in names
    )
