"""What the services over the table share: members' ids, the table, and how they answer."""

from __future__ import annotations

from service.member_id import is_member_id
from service.rest import correlation_id, member_id_of, resolver
from service.table import Table, UnavailableError, available

__all__ = [
    "Table",
    "UnavailableError",
    "available",
    "correlation_id",
    "is_member_id",
    "member_id_of",
    "resolver",
]
