"""AWS's own Signature Version 4 test suite, as it comes in botocore's source distribution."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from signing.sigv4 import Credentials, canonical_request, sign, string_to_sign

SUITE = Path(__file__).parents[2] / ".venv" / "aws4_testsuite"  # put there by `make install`
NAMES = sorted(str(path.parent.relative_to(SUITE)) for path in SUITE.rglob("*.req"))
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One case: a request as text, and every step of its signature."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: str
    creq: str
    sts: str
    authz: str
    credentials: Credentials


def load(name: str) -> Case:
    texts = {
        part: (SUITE / name / f"{Path(name).name}.{part}").read_text(encoding="utf-8")
        for part in ("req", "creq", "sts", "authz")
    }
    head, _, body = texts["req"].partition("\n\n")
    request_line, *lines = head.rstrip("\n").split("\n")
    method, _, rest = request_line.partition(" ")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(" "):  # a folded header
            headers[-1] = (headers[-1][0], f"{headers[-1][1]}\n{line}")
        else:
            key, _, value = line.partition(":")
            headers.append((key, value))
    # Two cases have a session token; one of them only in what the signer is to make of it.
    found = re.search(r"^x-amz-security-token:(.*)$", texts["creq"], re.MULTILINE)
    token = found[1] if found else None
    if token and "X-Amz-Security-Token" not in dict(headers):
        headers.append(("X-Amz-Security-Token", token))
    return Case(
        method=method,
        target=rest.rpartition(" ")[0],
        headers=headers,
        body=body,
        creq=texts["creq"],
        sts=texts["sts"],
        authz=texts["authz"].strip(),
        credentials=Credentials(
            access_key_id="AKIDEXAMPLE",
            secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token=token,
        ),
    )


def test_all_cases_are_there() -> None:
    """The suite must be installed and whole: a test that finds no cases proves nothing."""
    assert len(NAMES) == 34, f"{SUITE} is missing or incomplete: run `make install`"


@pytest.mark.parametrize("name", NAMES)
def test_authorization(name: str) -> None:
    """The Authorization header must be the official one, character by character."""
    case = load(name)
    answer = sign(
        method=case.method,
        url=f"https://example.amazonaws.com{case.target}",
        headers=case.headers,
        body=case.body,
        credentials=case.credentials,
        region="us-east-1",
        service="service",
        at=MOMENT.timestamp(),
        also={key.lower() for key, _ in case.headers},
    )
    assert answer["Authorization"] == case.authz


@pytest.mark.parametrize("name", NAMES)
def test_steps(name: str) -> None:
    """The canonical request and the string to sign must be the official ones too."""
    case = load(name)
    path, _, query = case.target.partition("?")
    canonical = canonical_request(
        method=case.method,
        path=path,
        query=query,
        headers=case.headers,
        payload_hash=case.creq.rpartition("\n")[2],
    )
    assert canonical == case.creq
    to_sign = string_to_sign(
        canonical=canonical,
        timestamp="20150830T123600Z",
        scope="20150830/us-east-1/service/aws4_request",
    )
    assert to_sign == case.sts
