"""Where the things of a running application are, for the commands that use them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Authorization, Kind
from backstairs.access.paths import decoded
from backstairs.template.openapi import DEFAULT
from backstairs.template.routes import matches_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backstairs.access import Api


@dataclass(frozen=True, slots=True)
class OpenOrigin:
    """An origin with its port on 127.0.0.1, and the DNS name it has on AWS."""

    name: str
    port: int
    dns_name: str | None


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A route of an API; `signed`: it asks for a signature."""

    method: str
    path: str
    signed: bool = False


@dataclass(frozen=True, slots=True)
class OpenApi:
    """An API that can be called."""

    name: str
    api_id: str
    stage: str
    routes: list[OpenRoute]
    private: bool = True
    http: bool = False

    @classmethod
    def of(cls, api: Api) -> OpenApi:
        """From an API as it is decided on."""
        routes = [
            OpenRoute(one.method, one.path, one.authorization is Authorization.AWS_IAM)
            for one in api.routes
        ]
        http = api.kind is Kind.HTTP
        return cls(api.name, api.api_id, api.stage, routes, private=api.private, http=http)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> OpenApi:
        """From what `asdict` makes of one."""
        return cls(**{**said, "routes": [OpenRoute(**route) for route in said["routes"]]})

    @property
    def paths(self) -> list[str]:
        """The paths of its routes, each once."""
        return sorted({route.path for route in self.routes})

    @property
    def base(self) -> str:
        """What its paths begin with: `/dev`, or nothing for an HTTP API's `$default`."""
        return "" if self.stage == DEFAULT else f"/{self.stage}"

    def has(self, path: str) -> bool:
        """Whether a path below its stage is one of its own, a last resort left out."""
        wanted = "/" + decoded(path).lstrip("/") if self.http else path.removesuffix("/") or "/"
        return any(matches_path(pattern, wanted) for pattern in self.paths if pattern != DEFAULT)


@dataclass(frozen=True, slots=True)
class Running:
    """Where things are, for the commands that use a running application.

    `roles` are the functions' role ARNs by label: `claims` for ClaimsFunction.
    """

    account_url: str
    region: str
    control: int
    origins: list[OpenOrigin]
    apis: list[OpenApi]
    roles: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Running:
        """Read what `write` wrote. Raises FileNotFoundError when nothing is running."""
        said = json.loads(path.read_text(encoding="utf-8"))
        said["origins"] = [OpenOrigin(**origin) for origin in said["origins"]]
        said["apis"] = [OpenApi.read(api) for api in said["apis"]]
        return cls(**said)

    def api_with(self, path: str) -> OpenApi:
        """The API that has a path below its stage; the first API if none has."""
        return self.api_for(path) or self.apis[0]

    def api_for(self, path: str) -> OpenApi | None:
        """The API that has a path below its stage, or has a route for whatever there is."""
        path = path.partition("?")[0]
        last_resort = (api for api in self.apis if api.http and DEFAULT in api.paths)
        return next((api for api in self.apis if api.has(path)), next(last_resort, None))

    def write(self, path: Path) -> None:
        """Write it for the other commands."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
