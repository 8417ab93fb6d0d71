"""What a client calls its access key goes into no address that the account is asked by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backstairs.account.identities import AccountIdentities
from backstairs.http.servers import Servers, send_json

if TYPE_CHECKING:
    from backstairs.http.asgi import Receive, Scope, Send

KEY: dict[str, object] = {
    "secretAccessKey": "secret",
    "sessionToken": None,
    "expiration": None,
    "principalArn": "arn:aws:iam::123456789012:user/one",
    "principalType": "User",
    "roleArn": None,
    "userId": "AIDA",
    "account": "123456789012",
    "sessionPolicies": None,
    "sessionTags": {},
}
KNOWN = "AKIDEXAMPLE"


class Account:
    """Knows one key, and answers to every address that is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one question."""
        path = scope["raw_path"].decode()
        if path == "/_backstairs/principals":
            await send_json(send, 200, {"principals": []})
            return
        self.asked.append(path)
        await send_json(send, 200 if path.endswith(f"/{KNOWN}") else 404, KEY)


async def asked_for(*key_ids: str) -> tuple[list[bool], list[str]]:
    """Which key ids are known, and what the account was asked for them."""
    account, servers = Account(), Servers()
    port = servers.add(account)
    serving = asyncio.create_task(servers.run())
    await servers.started()
    identities = AccountIdentities(f"http://127.0.0.1:{port}")
    try:
        found = [await identities.identity_of(key_id) is not None for key_id in key_ids]
    finally:
        servers.stop()
        await serving
    return found, account.asked


@pytest.mark.parametrize(
    "key_id",
    [
        f"{KNOWN}?",
        f"{KNOWN}#",
        f"{KNOWN}#x",
        f"{KNOWN} ",
        f"x/../{KNOWN}",
        "AKIDEXAMPL%45",
        f"{KNOWN}\xe9",
        f"{KNOWN}\u0130",
        f"{KNOWN}\n",
        "",
        "A" * 129,
    ],
)
def test_what_no_key_id_can_be_is_nobodys(key_id: str) -> None:
    """The account is not even asked for it."""
    assert asyncio.run(asked_for(key_id)) == ([False], [])


def test_a_key_that_there_is_and_one_that_there_is_not() -> None:
    """Each is asked for by its own name."""
    found, asked = asyncio.run(asked_for(KNOWN, "AKID_OTHER_1"))

    assert found == [True, False]
    assert asked == [f"/_backstairs/access-keys/{key}" for key in (KNOWN, "AKID_OTHER_1")]
