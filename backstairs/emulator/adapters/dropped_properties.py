"""Properties that MiniStack accepts and forgets: said aloud, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from backstairs.emulator import notices

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Result = tuple[str, dict[str, Any]]

# Found by comparing what MiniStack reads with each type's schema.
_DROPPED = {
    "AWS::ApiGateway::ApiKey": ("GenerateDistinctId",),
    "AWS::ApiGateway::Deployment": ("DeploymentCanarySettings",),
    "AWS::ApiGateway::RestApi": ("SecurityPolicy",),
    "AWS::ApiGateway::Stage": ("CacheClusterEnabled", "CanarySetting", "DocumentationVersion"),
    "AWS::CloudFormation::Stack": ("NotificationARNs", "TimeoutInMinutes"),
    "AWS::DynamoDB::Table": (
        "ContributorInsightsSpecification",
        "KinesisStreamSpecification",
        "OnDemandThroughput",
        "WarmThroughput",
    ),
    "AWS::EC2::VPCEndpoint": ("DnsOptions", "IpAddressType"),
    "AWS::Lambda::EventSourceMapping": (
        "LoggingConfig",
        "MetricsConfig",
        "ProvisionedPollerConfig",
        "TumblingWindowInSeconds",
    ),
    "AWS::Lambda::Function": (
        "KmsKeyArn",
        "FileSystemConfigs",
        "RecursiveLoop",
        "RuntimeManagementConfig",
    ),
    "AWS::Lambda::Version": ("ProvisionedConcurrencyConfig", "RuntimePolicy"),
    "AWS::Logs::LogGroup": ("DataProtectionPolicy", "FieldIndexPolicies"),
}
# Whoever may call or run something must not be decided without these.
_REFUSED = {
    "AWS::ApiGateway::RestApi": ("BodyS3Location", "CloneFrom"),
    "AWS::ApiGateway::Stage": ("ClientCertificateId",),
    "AWS::DynamoDB::Table": ("ImportSourceSpecification", "ResourcePolicy"),
    "AWS::Lambda::Function": ("CodeSigningConfigArn",),
}


def say_what_is_dropped() -> None:
    """Note properties without effect, and refuse those that access depends on.

    MiniStack: creates the resource without them and says nothing.
    AWS: applies them (each type's page in the CloudFormation Template Reference).
    """
    for resource_type in {*_DROPPED, *_REFUSED}:
        handlers = provisioners._RESOURCE_HANDLERS[resource_type]
        check = _checker(resource_type)
        handlers["create"] = _created(handlers["create"], check)
        if "update" in handlers:
            handlers["update"] = _updated(handlers["update"], check)


def _checker(resource_type: str) -> Callable[[str, Json], None]:
    def check(name: str, properties: Json) -> None:
        for refused in _REFUSED.get(resource_type, ()):
            if properties.get(refused):
                raise ValueError(f"MiniStack cannot apply {refused} of {resource_type}")
        for dropped in _DROPPED.get(resource_type, ()):
            if properties.get(dropped):
                notices.note(f"{name} ({resource_type}): {dropped} has no effect here")

    return check


def _created(
    create: Callable[..., Result], check: Callable[[str, Json], None]
) -> Callable[..., Result]:
    def created(logical_id: str, properties: Json, stack_name: str) -> Result:
        check(f"{stack_name}/{logical_id}", properties)
        return create(logical_id, properties, stack_name)

    return created


def _updated(
    update: Callable[..., Result], check: Callable[[str, Json], None]
) -> Callable[..., Result]:
    def updated(physical_id: str, old: Json, new: Json, stack_name: str, *rest: Any) -> Result:
        check(f"{stack_name}/{rest[0] if rest else physical_id}", new)
        return update(physical_id, old, new, stack_name, *rest)

    return updated
