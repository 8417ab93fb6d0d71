"""`backstairs allowlist`, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# As api.github.com/meta has them.
PUBLISHED = {
    "verifiable_password_authentication": False,
    "hooks": [
        "192.30.252.0/22",
        "185.199.108.0/22",
        "140.82.112.0/20",
        "143.55.64.0/20",
        "2a0a:a440::/29",
        "2606:50c0::/32",
    ],
    "web": ["192.30.252.0/22"],
}
VALUE = (
    "140.82.112.0/20,143.55.64.0/20,185.199.108.0/22,192.30.252.0/22,2606:50c0::/32,2a0a:a440::/29"
)


def allowlist(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "backstairs", "allowlist", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=30,
    )


def test_the_published_ranges_become_one_value() -> None:
    """Sorted, IPv4 first, so that the same list is the same value every time."""
    ran = allowlist(given=json.dumps(PUBLISHED))
    assert (ran.returncode, ran.stdout) == (0, f"{VALUE}\n"), ran.stderr
    shuffled = PUBLISHED | {"hooks": PUBLISHED["hooks"][::-1]}  # type: ignore[index]
    assert allowlist("-", given=json.dumps(shuffled)).stdout == ran.stdout


def test_a_file_another_list_and_the_parameters_name(tmp_path: Path) -> None:
    """`--parameter` makes it what `sam deploy --parameter-overrides` takes."""
    file = tmp_path / "meta.json"
    file.write_text(json.dumps(PUBLISHED), encoding="utf-8")
    ran = allowlist(str(file), "--key", "web", "--parameter", "WebhookAllowlist")
    assert (ran.returncode, ran.stdout) == (0, "WebhookAllowlist=192.30.252.0/22\n")


def test_sam_reads_the_parameter_as_it_is_printed() -> None:
    """The commas, colons and slashes reach the stack."""
    printed = allowlist("--parameter", "WebhookAllowlist", given=json.dumps(PUBLISHED)).stdout
    run = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type;"
        "print(json.dumps(Type().convert((sys.argv[1],), None, None)))"
    )
    python = Path(sys.prefix).parent / "sam" / "bin" / "python"
    ran = subprocess.run(
        [python, "-c", run, printed.strip()], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(ran.stdout) == {"WebhookAllowlist": VALUE}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (["140.82.112.0/21", "140.82.120.0/21"], "140.82.112.0/20"),
        (["140.82.112.0/20", "140.82.113.7"], "140.82.112.0/20"),
        (["2606:50C0::/33", "2606:50c0:8000::/33"], "2606:50c0::/32"),
        (["2606:50c0::1", "140.82.112.1"], "140.82.112.1/32,2606:50c0::1/128"),
    ],
)
def test_ranges_that_touch_are_joined(given: list[str], value: str) -> None:
    """And single addresses are ranges of one."""
    assert allowlist(given=json.dumps({"hooks": given})).stdout == f"{value}\n"


@pytest.mark.parametrize(
    ("hooks", "says"),
    [
        ([], "is empty"),
        (None, 'no list "hooks": there is message'),
        ("140.82.112.0/20", 'no list "hooks"'),
        (["0.0.0.0/0"], "wider than /8"),
        (["::/0"], "wider than /16"),
        (["2606::/15"], "wider than /16"),
        (["52.0.0.0/8", "53.0.0.0/8"], "52.0.0.0/7 is wider"),
        (["10.20.0.0/16"], "not on the internet"),
        (["192.0.0.0/8"], "not on the internet"),
        (["127.0.0.1"], "not on the internet"),
        (["100.64.0.0/10"], "not on the internet"),
        (["169.254.169.254"], "not on the internet"),
        (["224.0.0.1"], "not on the internet"),
        (["fd00::/16"], "not on the internet"),
        (["fe80::/64"], "not on the internet"),
        (["::ffff:10.0.0.1"], "not on the internet"),
        (["140.82.112.1/20"], "host bits"),
        (["140.82.112.0/33"], "not a range"),
        (["example.com"], "not a range"),
        (["140.82.112.0/20\n"], "not a range"),
        ([""], "not a range"),
        ([2353164288], "not a range"),
        ([f"52.{a}.{b}.0/24" for a in range(4) for b in range(0, 255, 2)], "too long"),
    ],
)
def test_what_would_let_in_the_wrong_ones_is_refused(hooks: object, says: str) -> None:
    """One line that says what is wrong, status 1, and nothing on standard output to deploy."""
    ran = allowlist(given=json.dumps({"hooks": hooks, "message": "API rate limit exceeded"}))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert says in ran.stderr
    assert ran.stderr.startswith("backstairs: ")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("given", ["", "<html>", "[]", "null", "\x00", "[" * 100_000])
def test_what_is_not_the_published_json_is_refused(given: str) -> None:
    """An error page, or nothing at all, is no empty list."""
    ran = allowlist(given=given)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "JSON" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_file_that_is_not_there_is_named() -> None:
    """By the name that was given."""
    ran = allowlist("no-such-file.json")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "no-such-file.json: No such file or directory" in ran.stderr
