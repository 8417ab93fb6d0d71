"""The account that functions run in, as far as their runtime needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Account(Protocol):
    """Where functions get credentials and clients; `url` is that of its services."""

    url: str
    region: str
    account_id: str

    def assume(self, role_arn: str, session_name: str) -> Mapping[str, Any]:
        """Temporary credentials of a role, as STS returns them."""

    def client_as(self, role_arn: str, service: str) -> Any:
        """A boto3 client for a service, with a role's own permissions."""
