"""What is behind a route as its definition says it, and whether that is modelled here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstairs.access import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

HTTP_PAYLOAD = "2.0"
_MAPPINGS = ("requestParameters", "responseParameters")


@dataclass(frozen=True, slots=True)
class Integration:
    """Why an integration is not modelled, if so, and its own timeout in seconds, if it has one."""

    why_not_modelled: str | None = None
    timeout: float | None = None


def read_integration(kind: Kind, integration: Mapping[str, Any]) -> Integration:
    """Read an integration: by the definition's names, or by those of `GetIntegrations`.

    Source: API Gateway Developer Guide, "x-amazon-apigateway-integration object"; API Gateway V2
    API Reference, `Integration`.
    """
    said = {name[:1].lower() + name[1:]: value for name, value in integration.items()}
    named = str(said.get("type", said.get("integrationType", "")))
    if named.upper() != "AWS_PROXY":
        return Integration(f"an integration of type {named or 'unknown'} is not modelled")
    version = said.get("payloadFormatVersion", HTTP_PAYLOAD)
    if kind is Kind.HTTP and version != HTTP_PAYLOAD:
        return Integration(f"payload {version} of an HTTP API is not modelled")
    mapped = [name for name in _MAPPINGS if said.get(name)]
    if mapped:
        return Integration(f"{' and '.join(mapped)} of an integration: not modelled")
    milliseconds = said.get("timeoutInMillis")
    if milliseconds is None:
        return Integration()
    try:
        return Integration(timeout=float(milliseconds) / 1000)
    except (TypeError, ValueError):
        return Integration(f"timeoutInMillis {milliseconds} is no number")
