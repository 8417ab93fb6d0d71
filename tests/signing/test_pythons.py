"""Every Python of this machine: those supported sign alike, the others say so at import."""

from __future__ import annotations

import glob
import json
import os
import random
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import signing
from signing.canonical import canonical_query

from tests.signing import verifier
from tests.signing.conftest import KEYS, REGION

if TYPE_CHECKING:
    import pytest

LAYER = Path(signing.__file__).parents[1]
OLDEST = (3, 11)
PLACES = (
    "/usr/bin/python3*",
    "/usr/local/bin/python3*",
    "/opt/python/*/bin/python3*",
    "~/.pyenv/versions/*/bin/python3*",
    "~/.local/share/uv/python/*/bin/python3*",
)
PIECES = [*"a1=&+%;~-_./ :,*'", "%20", "%2F", "%7E", "%c3%A9", "%3D", "%26", "%", "%zz", "é", "&&"]
SIGN = """
import json, sys
from signing.canonical import canonical_query
from signing import Credentials, sign
given = json.load(sys.stdin)
keys = Credentials(**given["keys"])
answers = []
for query in given["queries"]:
    url = "https://a.example/dev/x%20y//z?" + query
    headers = [("x-amz-meta-a", "  b   c "), ("Content-Type", "application/json")]
    signed = sign(method="POST", url=url, headers=headers, body=query, credentials=keys,
                  region=given["region"], service="execute-api", at=1440938160)
    answers.append([canonical_query(query), signed["Authorization"]])
json.dump(answers, sys.stdout)
"""


@cache
def pythons() -> dict[tuple[int, ...], str]:
    """Find an interpreter of each version, on PATH and in the usual places."""
    names = [f"python3{minor}" for minor in ("", *(f".{n}" for n in range(20)))]
    candidates = [path for name in names if (path := shutil.which(name))]
    for place in PLACES:
        candidates += sorted(glob.glob(os.path.expanduser(place)))  # noqa: PTH111, PTH207
    found: dict[tuple[int, ...], str] = {}
    for candidate in dict.fromkeys(candidates):
        if not candidate.rpartition("python3")[2].replace(".", "").isdigit() and (
            not candidate.endswith("python3")
        ):
            continue
        ask = [candidate, "-c", "import sys; print(*sys.version_info[:3])"]
        run = subprocess.run(ask, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            found.setdefault(tuple(map(int, run.stdout.split())), candidate)
    return found


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(LAYER), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def queries() -> list[str]:
    """Make two thousand queries of plain, encoded, broken and foreign pieces, always the same."""
    made = random.Random(20150830)  # noqa: S311
    some = ["".join(made.choices(PIECES, k=made.randrange(12))) for _ in range(2000)]
    return ["a=1&d", "a=1&", "d&a=1", "a", "a=b=c", "b=2&a=1", "a=2&a=1&a-b=0", *some]


def reference(query: str) -> str:
    """Canonicalise a query in the plainest way, byte by byte."""
    return verifier._query(query.encode()).decode()  # noqa: SLF001


def test_the_reference_is_kept_to_here() -> None:
    """On the Python that runs these tests every query is what the plain reference makes of it."""
    for query in queries():
        assert canonical_query(query) == reference(query), query


def test_all_supported_pythons_sign_alike(capsys: pytest.CaptureFixture[str]) -> None:
    """Queries and signatures are the same on each, and those of the plain reference."""
    supported = {version: path for version, path in pythons().items() if version >= OLDEST}
    given = {
        "queries": queries(),
        "region": REGION,
        "keys": {
            "access_key_id": KEYS.access_key_id,
            "secret_access_key": str.__str__(KEYS.secret_access_key),
        },
    }
    expected = [reference(query) for query in queries()]
    signed: dict[str, list[list[str]]] = {}
    for version, path in sorted(supported.items()):
        run = subprocess.run(
            [path, "-c", SIGN],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        assert run.returncode == 0, (path, run.stderr)
        signed[".".join(map(str, version))] = json.loads(run.stdout)
    with capsys.disabled():
        print(f"\nsigned alike: Python {', '.join(signed)}")  # noqa: T201
    assert signed, "no supported Python was found, not even the one that runs this"
    for name, answers in signed.items():
        assert [query for query, _ in answers] == expected, name
    assert len({json.dumps(answers) for answers in signed.values()}) == 1


def test_the_others_say_so_at_import(capsys: pytest.CaptureFixture[str]) -> None:
    """A Python that is too old fails at import with one sentence, whatever is imported."""
    old = {version: path for version, path in pythons().items() if version < OLDEST}
    for version, path in sorted(old.items()):
        for module in ("signing", "signing.sigv4", "signing.canonical"):
            run = subprocess.run(
                [path, "-c", f"import {module}"],
                capture_output=True,
                text=True,
                check=False,
                env=environment(),
            )
            last = run.stderr.strip().rpartition("\n")[2]
            sentence = f"signing needs Python 3.11 or later; this is {version[0]}.{version[1]}"
            assert last == f"ImportError: {sentence}", path
    with capsys.disabled():
        names = ", ".join(".".join(map(str, version)) for version in sorted(old))
        print(f"\nrefused: Python {names or '(none was found)'}")  # noqa: T201
