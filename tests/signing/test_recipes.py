"""The recipes of the layer's README, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import signing

from tests.signing.conftest import KEYS, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.signing.gateway import Gateway
    from tests.signing.verifier import Wire

README = Path(signing.__file__).parents[1] / "README.md"
CLIENTS = ("httpx", "aiohttp", "urllib3", "http.client")


def recipes() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("address", ["ID", "HOST", None])
def test_a_recipe_signs_what_it_sends(
    *,
    client: str,
    address: str | None,
    gateway: Gateway,
    verified: Callable[[Wire], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A recipe copied from the README, with Lambda's variables, makes a call that verifies."""
    recipe = next(
        text for text in recipes() if re.search(rf"^(import|from) {client}\b", text, re.MULTILINE)
    )
    monkeypatch.setenv("CLAIMS_API_URL", f"{gateway.url}/dev")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", KEYS.session_token or "")
    if address:
        monkeypatch.setenv(f"CLAIMS_API_{address}", "a1b2c3d4e5")
    variables: dict[str, Any] = {}
    exec(compile(recipe, README, "exec"), variables)  # noqa: S102
    assert verified(gateway.last) == KEYS.access_key_id
    assert gateway.last.target.startswith((b"/dev/members/m-1001", b"/dev/claims/m-1001"))
    assert gateway.last.all("x-apigw-api-id") == ([b"a1b2c3d4e5"] if address == "ID" else [])
    if address == "HOST":
        assert gateway.last.one("host") == "a1b2c3d4e5"
    sent = variables.get("response")
    assert 200 in (
        variables.get("status"),
        getattr(sent, "status", None),
        getattr(sent, "status_code", None),
    )
