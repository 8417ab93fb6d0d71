"""What the README says of `curl --aws-sigv4`, with the curl at hand."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.signing.verifier import WrongSignatureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing import Credentials

    from tests.signing.gateway import Gateway
    from tests.signing.verifier import Wire

BY_ANY = [
    "/dev/members/m-1001",
    "/dev/a-b_c.d~e/",
    "/dev/a?x=1",
    "/dev/a?a=1&b=2",
    "/dev/a?q=a%20b",
    "/dev/a?q=a%2Fb",
    "/dev/a?x=",
]
NOT_BY_SEVEN = [
    "/dev/a%20b",
    "/dev/a%2Fb",
    "/dev/caf%C3%A9",
    "/dev/a:b@c",
    "/dev/a;v=1",
    "/dev/a?b=2&a=1",
    "/dev/a?x",
    "/dev/a?q=a%2fb",
    "/dev/a?q=a+b",
    "/dev/a?q=10:00,x",
]


def is_right(
    target: str, gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]
) -> bool:
    """Send one request by curl; say whether its signature is right."""
    command = ["curl", "--silent", "--max-time", "5", f"{gateway.url}{target}"]
    command += ["--aws-sigv4", "aws:amz:eu-west-1:execute-api"]
    command += ["--user", f"{keys.access_key_id}:{str.__str__(keys.secret_access_key)}"]
    command += ["--header", f"x-amz-security-token: {str.__str__(keys.session_token or '')}"]
    command += ["--header", "x-apigw-api-id: a1b2c3d4e5"]
    subprocess.run(command, check=True, capture_output=True)
    assert gateway.last.target == target.encode()
    try:
        return verified(gateway.last) == keys.access_key_id
    except WrongSignatureError:
        return False


@pytest.mark.parametrize("target", BY_ANY)
def test_what_any_curl_signs_right(
    target: str, gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """A path of unreserved characters, and a query that is sorted and encoded already."""
    assert is_right(target, gateway, keys, verified)


def test_what_the_readme_warns_of(
    gateway: Gateway, keys: Credentials, verified: Callable[[Wire], str]
) -> None:
    """Debian 12's curl gets each of these wrong; from libcurl 8.23 on each is right."""
    said = subprocess.run(["curl", "--version"], check=True, capture_output=True, text=True).stdout
    version = tuple(int(part) for part in said.split("libcurl/")[1].split()[0].split("."))
    right = [target for target in NOT_BY_SEVEN if is_right(target, gateway, keys, verified)]
    if version <= (7, 88, 1):
        assert right == []
    elif version >= (8, 23):
        assert right == NOT_BY_SEVEN
