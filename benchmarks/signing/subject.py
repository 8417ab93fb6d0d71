"""What is signed, and with what: the same for every signer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

REGION, SERVICE = "eu-west-1", "execute-api"
HOST = "vpce-0a1b2c3d4e5f60718-a1b2c3d4.execute-api.eu-west-1.vpce.amazonaws.com"
API_ID = "a1b2c3d4e5"
URL = f"https://{HOST}/dev"
KEY = "ASIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105  AWS's own example
TOKEN = "IQoJb3JpZ2luX2VjE" * 40  # as long as Lambda's are


@dataclass(frozen=True)
class Signer:
    """`sign` is timed; `convert`, which makes the signer's own kind of request, is not."""

    name: str
    sign: Callable[[Any], object]
    convert: Callable[[PreparedRequest], Any] = lambda request: request


def prepared() -> dict[str, PreparedRequest]:
    """The three requests, prepared by `requests`, addressed, unsigned."""
    session = requests.Session()
    addressed = {"x-apigw-api-id": API_ID}
    typed = {**addressed, "Content-Type": "application/json"}
    parameters = {"status": "open", "limit": "20", "cursor": "eyJpZCI6MTIzNDU2Nzg5MH0"}
    return {
        name: session.prepare_request(request)
        for name, request in {
            "GET": requests.Request(
                "GET", f"{URL}/members/m-1001", params=parameters, headers=addressed
            ),
            "POST 1 KiB": requests.Request(
                "POST", f"{URL}/claims/m-1001", data=b"x" * 1024, headers=typed
            ),
            "POST 64 KiB": requests.Request(
                "POST", f"{URL}/claims/m-1001", data=b"x" * 65536, headers=typed
            ),
        }.items()
    }


def fresh(request: PreparedRequest) -> PreparedRequest:
    """A copy that shares nothing that a signer changes."""
    copy = request.copy()
    copy.hooks = {"response": []}
    return copy
