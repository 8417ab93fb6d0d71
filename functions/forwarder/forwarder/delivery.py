"""What a delivery says of itself, once it is proven: what happened, and what it is known by."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forwarder.signature import only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forwarder.event import Request
    from forwarder.providers import Provider

# What can stand in a log line.
_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_EVENT = re.compile(r"[A-Za-z0-9_./-]{1,60}( [A-Za-z0-9_./-]{1,60})*")


class UnknownDeliveryError(ValueError):
    """A delivery without the id or the event that its provider's have; the message is for it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery; what it does not say is None. `challenge` is for a greeting's answer."""

    key: str
    event: str | None
    delivery_id: str | None
    challenge: str | None


def read_delivery(provider: Provider, request: Request) -> Delivery:
    """What a proven request delivers. Raises UnknownDeliveryError.

    Its key is what is signed of it: the id in the body, or the body, beside which an id from a
    header tells two deliveries of the same body apart.
    """
    reads_body = provider.id_field is not None or provider.event_field is not None
    fields = _fields(request.body) if reads_body else {}
    event = _said(_EVENT, request, provider.event_header, fields, provider.event_field)
    delivery_id = _said(_ID, request, provider.id_header, fields, provider.id_field)
    lacks_event = provider.event_header is not None and event is None
    if lacks_event or (provider.is_id_sure and delivery_id is None):
        raise UnknownDeliveryError(
            f"{provider.event_header} and {provider.id_header} must be given, once each"
        )
    if delivery_id is not None and provider.id_field is not None:
        key = delivery_id
    else:
        digest = hashlib.sha256(request.body).hexdigest()
        key = digest if delivery_id is None else f"{delivery_id} {digest}"
    challenge = fields.get("challenge")
    return Delivery(key, event, delivery_id, challenge if isinstance(challenge, str) else None)


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _said(
    pattern: re.Pattern[str],
    request: Request,
    header: str | None,
    fields: Mapping[str, object],
    field: str | None,
) -> str | None:
    value = only(request.headers, header) if header is not None else fields.get(field or "")
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
