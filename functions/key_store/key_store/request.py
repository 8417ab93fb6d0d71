"""What CloudFormation asks of a custom resource.

Source: AWS CloudFormation User Guide, "Custom resource request objects"; AWS Systems Manager API
Reference, PutParameter, for the names of parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from key_store.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_LONGEST_NAME = 1011


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; what is missing from it is empty, so that it can be answered all the same."""

    kind: str
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str
    response_url: str
    properties: Mapping[str, object]
    old_properties: Mapping[str, object]

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """A request as Lambda hands it over."""
        return cls(
            kind=_text(event, "RequestType"),
            request_id=_text(event, "RequestId"),
            stack_id=_text(event, "StackId"),
            logical_id=_text(event, "LogicalResourceId"),
            physical_id=_text(event, "PhysicalResourceId"),
            response_url=_text(event, "ResponseURL"),
            properties=_properties(event, "ResourceProperties"),
            old_properties=_properties(event, "OldResourceProperties"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the template asks for; an empty `kms_key_id` is the account's own key for SSM."""

    api_key_id: str
    parameter: str
    kms_key_id: str

    @classmethod
    def read(cls, properties: Mapping[str, object]) -> Self:
        """The properties of a resource. Raises RefusedError."""
        api_key_id = _text(properties, "ApiKeyId")
        if not api_key_id:
            raise RefusedError("ApiKeyId is missing: give the id of an AWS::ApiGateway::ApiKey")
        parameter = _text(properties, "ParameterName")
        if not is_parameter_name(parameter):
            raise RefusedError(
                "ParameterName is not the name of a parameter: letters, digits, _, . and -, in"
                " parts divided by /"
            )
        key = _text(properties, "KmsKeyId")
        return cls(api_key_id=api_key_id, parameter=parameter, kms_key_id=key)


def is_parameter_name(text: str) -> bool:
    """Whether a parameter can have this name."""
    return len(text) <= _LONGEST_NAME and _NAME.fullmatch(text) is not None


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _properties(event: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = event.get(name)
    return value if isinstance(value, dict) else {}
