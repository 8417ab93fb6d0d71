"""What an integration declares beside its function, and whether that is modelled here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Kind
from backstairs.gateway.payload_2 import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAPPINGS = ("requestParameters", "responseParameters")


@dataclass(frozen=True, slots=True)
class Declared:
    """Why an integration is not modelled, if so, and for how many seconds it is waited for."""

    not_modelled: str | None = None
    seconds: float | None = None


def read_declared(kind: Kind, integration: Mapping[str, Any]) -> Declared:
    """Read an integration: by the definition's names, or by those of `GetIntegrations`.

    Source: API Gateway Developer Guide, "x-amazon-apigateway-integration object"; API Gateway V2
    API Reference, `Integration`.
    """
    said = {name[:1].lower() + name[1:]: value for name, value in integration.items()}
    named = str(said.get("type", said.get("integrationType", "")))
    if named.upper() != "AWS_PROXY":
        return Declared(f"an integration of type {named or 'unknown'} is not modelled")
    version = said.get("payloadFormatVersion", VERSION)
    if kind is Kind.HTTP and version != VERSION:
        return Declared(f"payload {version} of an HTTP API is not modelled")
    mapped = [name for name in _MAPPINGS if said.get(name)]
    if mapped:
        return Declared(f"{' and '.join(mapped)} of an integration: not modelled")
    milliseconds = said.get("timeoutInMillis")
    if milliseconds is None:
        return Declared()
    try:
        return Declared(seconds=float(milliseconds) / 1000)
    except (TypeError, ValueError):
        return Declared(f"timeoutInMillis {milliseconds} is no number")
