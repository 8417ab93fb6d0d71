"""Calls the members route and tells the answer, whatever it is.

Deployed twice, with a role that holds the grant and with one that does not, it shows that grants
decide.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from signing import PrivateApi, deadline, path

if TYPE_CHECKING:
    from requests import Session

MEMBER_ID = "m-1001"


def check(event: object, api: Session) -> dict[str, Any]:
    """Status and kind of error of `GET /members/{memberId}`; the event may name another member.

    An answer of 404 comes from the service: the call got in. Nothing of a member is told.
    """
    member_id = event.get("memberId", MEMBER_ID) if isinstance(event, dict) else MEMBER_ID
    response = api.get(path("members", member_id))
    return {"status": response.status_code, "error": response.headers.get("x-amzn-errortype")}


def lambda_handler(event: object, context: Any) -> dict[str, Any]:
    """Check with the function's own role."""
    with deadline(context):
        return check(event, _api())


@cache
def _api() -> Session:
    return PrivateApi.from_environment("CLAIMS_API").session()
