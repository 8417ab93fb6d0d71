"""REST APIs that keep what their OpenAPI definition says, and deployments that freeze it."""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import provisioners

from backstairs.template.openapi import BINARY, KEY_SOURCE, POLICY, default_endpoint

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

# By API id; an API made without a definition is in neither.
definitions: dict[str, Json] = {}
# By API id and deployment id: the definition, policy included, as it was when deployed.
deployed: dict[tuple[str, str], Json] = {}


def keep_rest_api_definitions() -> None:
    """Keep the imported definition, its policy and the endpoint's type; deploy snapshots of it.

    MiniStack: of a definition keeps the routes, their authorization and integration alone; of
    `EndpointConfiguration` nothing a client sees; a changed definition makes a new API with a new
    id; `GetExport` describes the API as it is now, in its own words.
    AWS: the extensions take effect ("OpenAPI extensions for API Gateway", `PutRestApi` in
    overwrite mode); `EndpointConfiguration` is `{types, vpcEndpointIds}` (`GetRestApi`); `Body`
    updates "with no interruption" (`AWS::ApiGateway::RestApi`); a deployment is "a snapshot" and
    a resource policy takes effect with the next one ("Deploy REST APIs", "Control access to a
    REST API with API Gateway resource policies"); `GetExport` shows the stage.
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        api_id, attributes = create(logical_id, properties, stack_name)
        _apply(api_id, properties)
        return api_id, attributes

    def updated(
        api_id: str, old: Json, new: Json, stack_name: str, logical_id: str | None = None
    ) -> Result:
        if isinstance(new.get("Body"), dict):
            imported, _ = create(logical_id or api_id, new, stack_name)
            _move(imported, api_id)
            attributes = provisioners._apigw_rest_api_attrs(api_id)
        else:
            api_id, attributes = update(api_id, old, new, stack_name, logical_id)
        _apply(api_id, new)
        return api_id, attributes

    def deleted(api_id: str, properties: Json) -> None:
        delete(api_id, properties)
        definitions.pop(api_id, None)
        for key in [key for key in deployed if key[0] == api_id]:
            del deployed[key]

    handlers.update(create=created, update=updated, delete=deleted)
    _freeze_on_deployment()
    _export_what_is_deployed()


def _apply(api_id: str, properties: Json) -> None:
    """Bring the API's record to what the properties and the definition say."""
    api = rest._rest_apis[api_id]
    configuration = properties.get("EndpointConfiguration") or {}
    parameters = properties.get("Parameters") or {}
    types = configuration.get("Types") or [parameters.get("endpointConfigurationTypes", "EDGE")]
    api["endpointConfiguration"] = {"types": types}
    if configuration.get("VpcEndpointIds"):
        api["endpointConfiguration"]["vpcEndpointIds"] = configuration["VpcEndpointIds"]
    body = properties.get("Body")
    definition = body if isinstance(body, dict) else {}
    api["disableExecuteApiEndpoint"] = default_endpoint(properties, definition) is not True
    if not isinstance(body, dict):
        definitions.pop(api_id, None)
        return
    definitions[api_id] = copy.deepcopy(body)
    api["policy"] = properties.get("Policy") or body.get(POLICY)
    # In the property a slash is written `~1` ("AWS::ApiGateway::RestApi", `BinaryMediaTypes`).
    listed = [one.replace("~1", "/") for one in properties.get("BinaryMediaTypes") or []]
    api["binaryMediaTypes"] = listed or body.get(BINARY, [])
    api["apiKeySource"] = properties.get("ApiKeySourceType") or body.get(KEY_SOURCE, "HEADER")


def _move(imported: str, api_id: str) -> None:
    """Put what was imported as a new API in place of `api_id`, which keeps its own two ids."""
    record = rest._rest_apis.pop(imported)
    kept = rest._rest_apis[api_id]
    rest._rest_apis[api_id] = {**record, "id": api_id, "createdDate": kept["createdDate"]}
    old_root = _root(rest._resources[api_id])
    resources = rest._resources.pop(imported)
    new_root = _root(resources)
    for resource in resources.values():
        if resource["parentId"] == new_root:
            resource["parentId"] = old_root
    root = resources.pop(new_root)
    rest._resources[api_id] = {old_root: {**root, "id": old_root}, **resources}
    rest._authorizers_v1[api_id] = rest._authorizers_v1.pop(imported)
    for store in (rest._stages_v1, rest._deployments_v1, rest._models):
        store.pop(imported, None)
    for store in (rest._gateway_responses, rest._documentation_parts):
        store.pop(imported, None)
    rest._v1_tags[rest._rest_api_arn(api_id)] = rest._v1_tags.pop(rest._rest_api_arn(imported), {})


def _root(resources: Json) -> str:
    return next(key for key, resource in resources.items() if resource["path"] == "/")


def _freeze_on_deployment() -> None:
    create, delete = rest._create_deployment, rest._delete_deployment

    def created(api_id: str, data: Json) -> object:
        before = set(rest._deployments_v1.get(api_id, {}))
        answer = create(api_id, data)
        if api_id in definitions:
            frozen = {**copy.deepcopy(definitions[api_id])}
            frozen.pop(POLICY, None)
            policy = rest._rest_apis[api_id]["policy"]
            if policy:
                frozen[POLICY] = copy.deepcopy(policy)
            frozen[BINARY] = list(rest._rest_apis[api_id]["binaryMediaTypes"])
            frozen[KEY_SOURCE] = rest._rest_apis[api_id]["apiKeySource"]
            for deployment_id in set(rest._deployments_v1[api_id]) - before:
                deployed[api_id, deployment_id] = frozen
        return answer

    def deleted(api_id: str, deployment_id: str) -> object:
        deployed.pop((api_id, deployment_id), None)
        return delete(api_id, deployment_id)

    rest._create_deployment, rest._delete_deployment = created, deleted


def _export_what_is_deployed() -> None:
    build = rest._build_api_export

    def built(api_id: str, stage_name: str, export_type: str, *included: bool) -> object:
        stage = rest._stages_v1[api_id][stage_name]
        frozen = deployed.get((api_id, stage["deploymentId"]))
        native = "oas30" if frozen and "openapi" in frozen else "swagger"
        # Only `extensions=apigateway` asks for everything, which is what was frozen.
        if frozen is None or export_type != native or not all(included):
            return build(api_id, stage_name, export_type, *included)
        return copy.deepcopy(frozen)

    rest._build_api_export = built
