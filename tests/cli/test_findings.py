"""`backstairs access findings`, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIXTURES = "tests/report/findings/fixtures"


def findings(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the project's folder."""
    return subprocess.run(
        [sys.executable, "-m", "backstairs", "access", "findings", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def test_an_error_ends_it_with_1_and_is_explained_in_80_columns() -> None:
    """What, where, why, the mend, and how it is known; only an address may be longer."""
    ran = findings(f"{FIXTURES}/whitelist-trap/bad.yaml")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("1 error\n\nerror: ")
    for part in ("[whitelist-trap]", "bad.yaml:13", "Why it matters:", "Mend:", "AWS document"):
        assert part in ran.stdout
    assert all(len(line) <= 80 or "https://" in line for line in ran.stdout.splitlines())


def test_a_warning_does_not_end_it_with_1() -> None:
    """It is told all the same."""
    ran = findings(f"{FIXTURES}/write-without-identity/bad.yaml")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("1 warning\n")


def test_nothing_found_is_said() -> None:
    """In words, not by silence."""
    ran = findings(f"{FIXTURES}/whitelist-trap/good.yaml")
    assert (ran.returncode, ran.stdout) == (0, "Nothing found\n"), ran.stderr


def test_json_has_all_of_each_finding() -> None:
    """For programs."""
    ran = findings(f"{FIXTURES}/whitelist-trap/bad.yaml", "--json")
    (one,) = json.loads(ran.stdout)["findings"]
    assert ran.returncode == 1
    assert {key: one[key] for key in ("id", "severity", "resource", "file", "line")} == {
        "id": "whitelist-trap",
        "severity": "error",
        "resource": "Api",
        "file": "bad.yaml",
        "line": 13,
    }
    assert all(one[key] for key in ("says", "title", "why", "mend", "known", "source"))


def test_a_parameter_is_what_the_template_is_read_with(tmp_path: Path) -> None:
    """As a deployment would be given it."""
    text = (ROOT / FIXTURES / "whitelist-trap" / "good.yaml").read_text(encoding="utf-8")
    parameter = "Parameters: {Endpoint: {Type: String, Default: vpce-0123456789abcdef0}}\n"
    text = text.replace("Resources:", f"{parameter}Resources:", 1)
    template = tmp_path / "template.yaml"
    template.write_text(
        text.replace(": vpce-0123456789abcdef0}\n ", ": !Ref Endpoint}\n "), "utf-8"
    )
    assert findings(str(template)).returncode == 0
    ran = findings(str(template), "--parameter", "Endpoint=vpc-0123456789abcdef0")
    assert (ran.returncode, "[list-corrupted]" in ran.stdout) == (1, True), ran.stderr


def test_what_is_no_template_is_said() -> None:
    """In one line."""
    ran = findings("nowhere.yaml")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "nowhere.yaml" in ran.stderr
