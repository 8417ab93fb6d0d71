"""Which bodies are binary: a REST API's media types, and what an HTTP API takes for text.

Source: API Gateway Developer Guide, "Content type conversions in API Gateway" and "Return binary
media from a Lambda proxy integration": the first media type of Accept decides about an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstairs.access import WireRequest

EVERYTHING = "*/*"
_DEFAULT = "application/json"
# Seen at a live HTTP API: https://github.com/ministackorg/ministack/pull/766
_TEXT = ("application/json", "application/xml", "application/javascript")


def request_is_binary(binary_types: Sequence[str], request: WireRequest) -> bool:
    """Whether a REST API encodes a request's body in base64 for its function."""
    return _listed(binary_types, _first(request, "content-type") or _DEFAULT)


def answer_is_binary(binary_types: Sequence[str], request: WireRequest) -> bool:
    """Whether a REST API decodes an answer that its function says is base64."""
    if EVERYTHING in binary_types:
        return True
    accepted = _first(request, "accept")
    return bool(accepted) and _listed(binary_types, accepted)


def request_is_text(request: WireRequest) -> bool:
    """Whether an HTTP API hands a request's body to its function as it is."""
    media_type = _first(request, "content-type")
    return media_type.startswith("text/") or media_type in _TEXT


def _first(request: WireRequest, name: str) -> str:
    values = request.values(name)
    return values[0].partition(",")[0].partition(";")[0].strip().lower() if values else ""


def _listed(binary_types: Sequence[str], media_type: str) -> bool:
    for listed in binary_types:
        kind, _, subtype = listed.lower().partition("/")
        its_kind, _, its_subtype = media_type.partition("/")
        if kind in ("*", its_kind) and subtype in ("*", its_subtype):
            return True
    return False
