"""Credentials from everywhere but a profile, and how they are kept fresh."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from signing import Credentials, errors
from signing.credentials import default, elsewhere, from_botocore
from signing.metadata import container_role, instance_role
from signing.sts import assume_role

from tests.signing.gateway import Gateway, response
from tests.signing.verifier import Secret, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.signing.verifier import Wire

ROLE = "arn:aws:iam::210987654321:role/claims-reader"
FRESH = Credentials(access_key_id="ASIA1", secret_access_key="s/1+", session_token="t/1+=")


def expiration(minutes: float = 60) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def document() -> dict[str, str]:
    return {
        "AccessKeyId": FRESH.access_key_id,
        "SecretAccessKey": str(FRESH.secret_access_key),
        "Token": str(FRESH.session_token),
        "Expiration": expiration(),
    }


def test_missing_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a set in the environment is an error that names the other half."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with pytest.raises(errors.CredentialsError, match="AWS_SECRET_ACCESS_KEY is not set"):
        default()


def test_container(gateway: Gateway, tmp_path: Path) -> None:
    """A container's service is asked with the token that the environment, or a file, has."""
    gateway.answer = lambda _: response(200, document())
    url = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{gateway.url}/role"}
    provider = elsewhere({**url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "one", "HOME": "/"})
    assert provider() == provider() == FRESH
    assert [wire.one("authorization") for wire in gateway.received] == ["one"]
    (tmp_path / "token").write_text("two\n")
    container_role({**url, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")})
    assert gateway.last.one("authorization") == "two"


def test_container_elsewhere_is_refused() -> None:
    """The authorization token goes to no strange host in the clear."""
    with pytest.raises(errors.CredentialsError, match="neither https nor local"):
        container_role({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://198.51.100.1/role"})


def imds(wire: Wire) -> bytes:
    if wire.method == b"PUT":
        assert wire.target == b"/latest/api/token"
        assert wire.one("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
        return response(200, b"session")
    if wire.one("x-aws-ec2-metadata-token") != "session":
        return response(401)
    roles = b"/latest/meta-data/iam/security-credentials/"
    return response(200, b"role-1" if wire.target == roles else document())


def test_instance(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance's role comes from version 2 of the metadata service, never by a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    gateway.answer = imds
    environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{gateway.url}/"}
    credentials, expires = instance_role(environment)
    assert credentials == FRESH
    assert 3500 < expires - time.time() < 3700
    assert gateway.last.target.endswith(b"/security-credentials/role-1")


def test_nothing_anywhere(tmp_path: Path) -> None:
    """Without any source the error says what a function would have."""
    nowhere = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }
    with pytest.raises(errors.CredentialsError, match="AWS_ACCESS_KEY_ID is not set"):
        elsewhere(nowhere)()
    with pytest.raises(errors.CredentialsError, match="AWS_ACCESS_KEY_ID is not set"):
        elsewhere({**nowhere, "AWS_EC2_METADATA_DISABLED": "true"})()


def test_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile is botocore's business."""
    file = tmp_path / "credentials"
    file.write_text("[dev]\naws_access_key_id = AKDEV\naws_secret_access_key = s\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    provider = elsewhere({"AWS_PROFILE": "dev"})
    assert provider() == Credentials(access_key_id="AKDEV", secret_access_key="s")
    with pytest.raises(errors.CredentialsError, match="none"):
        from_botocore("none")()


def sts(wire: Wire) -> bytes:
    question = parse_qs(wire.target.partition(b"?")[2].decode())
    if question["RoleArn"] != [ROLE]:
        return response(403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error>")
    fields = document() | {"SessionToken": str(FRESH.session_token)}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return response(200, f"<AssumeRoleResponse><Credentials>{inner}</Credentials>".encode())


def test_assumed_role(gateway: Gateway, keys: Credentials) -> None:
    """Another account's role is asked for once, signed for STS, and kept."""
    gateway.answer = sts
    provider = assume_role(
        ROLE, region="eu-west-1", external_id="x y", source=keys, endpoint=gateway.url
    )
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: provider(), range(64))) == {FRESH}
    (wire,) = gateway.received
    secrets = {keys.access_key_id: Secret(keys.secret_access_key, keys.session_token)}
    assert verify(wire, secrets, region="eu-west-1", service="sts") == keys.access_key_id
    question = parse_qs(wire.target.partition(b"?")[2].decode())
    assert question["ExternalId"] == ["x y"]
    assert question["DurationSeconds"] == ["3600"]


def test_role_that_cannot_be_assumed(gateway: Gateway, keys: Credentials) -> None:
    """The error names the role and STS's reason."""
    gateway.answer = sts
    provider = assume_role(f"{ROLE}x", region="eu-west-1", source=keys, endpoint=gateway.url)
    with pytest.raises(
        errors.CredentialsError, match="claims-readerx cannot be assumed: AccessDen"
    ):
        provider()


@pytest.mark.parametrize("half", [{"access_key_id": ""}, {"secret_access_key": ""}])
def test_no_empty_credentials(half: dict[str, str]) -> None:
    """An empty key or secret is a mistake, not a set."""
    with pytest.raises(ValueError, match="need"):
        Credentials(**({"access_key_id": "AK", "secret_access_key": "s"} | half))
