"""The APIs as they are deployed, read from the account by AWS's own APIs.

What a REST API serves is read as `GetExport` gives it: the definition and the resource policy of
the stage's deployment, so a change that was never deployed is not live here either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backstairs.access import Api
from backstairs.apis import BINARY, KEY_SOURCE, POLICY, read_routes, resource_policy
from backstairs.local.account import pages
from backstairs.local.usage import Throttle, Throttles
from backstairs.local.validation import RequestValidator, read_validators

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backstairs.local.account import Account


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What a stage asks of its requests beside access.

    `validators` by method and resource path; `throttles` of the stage's methods; `binary_types`
    are the media types that a REST API takes for binary.
    """

    validators: Mapping[tuple[str, str], RequestValidator] = field(default_factory=dict)
    throttles: Throttles = field(default_factory=dict)
    binary_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployedApi:
    """An API as it is deployed: what access to it is decided by, and its stage's settings."""

    api: Api
    settings: StageSettings


def deployed_apis(account: Account) -> list[DeployedApi]:
    """Every API of the account that has a stage."""
    return list(_rest_apis(account))


def _rest_apis(account: Account) -> Iterator[DeployedApi]:
    gateway = account.client("apigateway")
    for api in pages(gateway, "get_rest_apis", "items"):
        types = api.get("endpointConfiguration", {}).get("types", ["EDGE"])
        name = api.get("tags", {}).get("aws:cloudformation:logical-id", api["name"])
        for stage in gateway.get_stages(restApiId=api["id"])["item"]:
            export = gateway.get_export(
                restApiId=api["id"],
                stageName=stage["stageName"],
                exportType="oas30",
                parameters={"extensions": "apigateway"},
            )
            definition = json.loads(export["body"].read())
            deployed = Api(
                api_id=api["id"],
                name=name,
                stage=stage["stageName"],
                region=account.region,
                account=account.account_id,
                private=types == ["PRIVATE"],
                policy=resource_policy(name, definition.get(POLICY)),
                routes=read_routes(definition, f"{name} ({api['id']})"),
                key_source=definition.get(KEY_SOURCE, "HEADER"),
            )
            settings = StageSettings(
                validators=read_validators(definition),
                throttles=_stage_throttles(stage.get("methodSettings", {})),
                binary_types=tuple(definition.get(BINARY, ())),
            )
            yield DeployedApi(deployed, settings)


def _stage_throttles(method_settings: Mapping[str, Mapping[str, Any]]) -> Throttles:
    """The throttles of `methodSettings`, whose keys are `{resource path}/{method}` or `*/*`.

    The slashes of a path may be written `~1` (API Gateway API Reference, `UpdateStage`).
    """
    throttles = {}
    for key, setting in method_settings.items():
        path, _, method = key.rpartition("/")
        path = "/" + path.replace("~1", "/").lstrip("/")
        throttle = Throttle.read(
            setting.get("throttlingRateLimit"), setting.get("throttlingBurstLimit")
        )
        if throttle is not None:
            throttles[method, "*" if path == "/*" else path] = throttle
    return throttles
