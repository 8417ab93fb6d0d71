"""Presigned calls at the door: who may hand out a link, and what the door says of a bad one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from backstairs.access import Authorization, Route, parse_policy
from tests.local.public_door import (
    CREDENTIALS,
    FUNCTION,
    HOST,
    PARTNER,
    REGION,
    PublicDoor,
    api,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/dev/partner/x"
IAM = Route("GET", "/partner/{path+}", Authorization.AWS_IAM, FUNCTION)


@pytest.fixture(scope="module")
def door() -> Iterator[PublicDoor]:
    """A door before a public API whose one method asks for a signature."""
    with PublicDoor(api(IAM)) as one:
        yield one


def link(credentials: Credentials = CREDENTIALS, expires: int = 60) -> str:
    """A path with a query that botocore has signed."""
    request = AWSRequest("GET", f"https://{HOST}{PATH}?a=b%20c")
    SigV4QueryAuth(credentials, "execute-api", REGION, expires).add_auth(request)
    parts = urlsplit(request.url)
    return f"{parts.path}?{parts.query}"


def test_a_presigned_call_is_its_signers(door: PublicDoor) -> None:
    """It is admitted by the grants of whoever signed it, and the function is told who that is."""
    assert door.call(path=link()).status == 200
    identity = door.function.events[-1]["requestContext"]["identity"]
    assert identity["userArn"].endswith(":role/partner")
    assert identity["accessKey"] == CREDENTIALS.access_key


@pytest.mark.parametrize(
    ("given", "changed", "said"),
    [
        ((Credentials("AKIDEXAMPLE", "another"),), "", "does not match"),
        ((Credentials("AKIDANOTHER", "secret"),), "", "security token"),
        ((Credentials("AKIDEXAMPLE", "secret", "token"),), "", "security token"),
        ((), "b%20d", "does not match"),
        ((CREDENTIALS, 0), "", "from 1 to 604800"),
        ((CREDENTIALS, 604801), "", "from 1 to 604800"),
    ],
)
def test_a_bad_link_is_refused(
    door: PublicDoor, given: tuple[Any, ...], changed: str, said: str
) -> None:
    """With the reason, as for a signature in a header."""
    answer = door.call(path=link(*given).replace("b%20c", changed or "b%20c"))

    assert answer.status == 403
    assert said in answer.message
    assert door.why()[-1] == "signature"


def test_two_signatures_are_unknown(door: PublicDoor) -> None:
    """A link that is called with an Authorization header is nothing that AWS documents."""
    answer = door.call(path=link(), headers=signed("GET", PATH))

    assert answer.status == 501
    assert "both" in answer.message
    assert door.why()[-1] == "not-modelled"


def test_a_bad_link_at_an_endpoint() -> None:
    """An endpoint refuses a signature that proves nothing even where the method asks for none."""
    policy = parse_policy(
        "policy",
        {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
        resource_based=True,
    )
    private = api(
        Route(PARTNER.method, PARTNER.path, Authorization.NONE, FUNCTION),
        policy=policy,
        private=True,
    )
    with PublicDoor(private) as door:
        good, bad = link(), link().replace("b%20c", "b%20d")
        assert door.call(path=good, port=door.endpoint_port).status == 200
        assert door.call(path=bad, port=door.endpoint_port).status == 403


def test_what_a_signer_did_otherwise_is_said(door: PublicDoor) -> None:
    """In the decision, not in the answer: that one stays API Gateway's."""
    answer = door.call(path=link(expires=61).replace("b%20c", "b%2520c"))
    assert answer.status == 403
    assert "not the one that this request makes" in door.reason()

    unsigned = AWSRequest("GET", f"https://{HOST}{PATH}")
    unsigned.context["payload_signing_enabled"] = False
    SigV4Auth(CREDENTIALS, "execute-api", REGION).add_auth(unsigned)
    answer = door.call(path=PATH, headers=list(unsigned.headers.items()))
    assert answer.status == 403
    assert "the payload was signed as UNSIGNED-PAYLOAD" in door.reason()
    assert "UNSIGNED-PAYLOAD:" not in answer.message


def test_a_signature_that_is_sent_again(door: PublicDoor) -> None:
    """As after a redirect that a client follows with the headers of the first request."""
    headers = signed("GET", PATH)
    assert door.call(path=PATH, headers=headers).status == 200
    assert door.call(path=f"{PATH}/moved", headers=headers).status == 403
    assert f"it is that of GET {PATH}: sign anew" in door.reason()
