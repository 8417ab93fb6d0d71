"""A finding is accepted beside what it is about, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.report.findings.reading import found, ids, written

if TYPE_CHECKING:
    from pathlib import Path

REASON = "Every role of this account may read it"
API = "    Type: AWS::Serverless::Api\n"


def metadata(text: str, indent: str = "    ") -> str:
    """A resource's or a template's Metadata that accepts something."""
    return f"{indent}Metadata: {{Backstairs: {{Accept: {{{text}}}}}}}\n"


def test_the_resource_accepts_it(tmp_path: Path) -> None:
    """The reason is in the finding, which no longer counts."""
    accept = (API, API + metadata(f"whitelist-trap: {REASON}"))
    (finding,) = found(written(tmp_path, "whitelist-trap", "bad", accept))
    assert (finding.rule.id, finding.accepted, finding.is_open) == ("whitelist-trap", REASON, False)


def test_the_template_accepts_it(tmp_path: Path) -> None:
    """For all that is in it."""
    accept = ("Resources:\n", metadata(f"whitelist-trap: {REASON}", "") + "Resources:\n")
    (finding,) = found(written(tmp_path, "whitelist-trap", "bad", accept))
    assert finding.accepted == REASON


def test_what_sam_makes_of_a_resource_is_accepted_there(tmp_path: Path) -> None:
    """A function's role is not in the template."""
    function = "    Type: AWS::Serverless::Function\n"
    accept = (function, function + metadata("wildcard-grant: The table is its own"))
    (finding,) = found(written(tmp_path, "wildcard-grant", "bad", accept))
    assert finding.accepted == "The table is its own"


def test_nothing_is_accepted_without_a_reason(tmp_path: Path) -> None:
    """Or by another name."""
    for text in ('whitelist-trap: ""', "whitelist-trap: true", "whitelist: the reason"):
        accept = (API, API + metadata(text))
        assert ids(found(written(tmp_path, "whitelist-trap", "bad", accept))) == {"whitelist-trap"}


def test_another_resource_accepts_nothing(tmp_path: Path) -> None:
    """A reason holds for what it stands at."""
    function = "    Type: AWS::Serverless::Function\n"
    accept = (function, function + metadata(f"whitelist-trap: {REASON}"))
    assert ids(found(written(tmp_path, "whitelist-trap", "bad", accept))) == {"whitelist-trap"}


def test_a_nested_template_accepts_what_is_in_it(tmp_path: Path) -> None:
    """And the outer one accepts for all that it nests."""
    inner = written(tmp_path, "whitelist-trap", "bad").rename(tmp_path / "inner.yaml")
    outer = tmp_path / "outer.yaml"
    nesting = f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::Serverless::Application
    Properties: {{Location: {inner.name}}}
"""
    outer.write_text(nesting, "utf-8")
    (finding,) = found(outer)
    assert (finding.name, finding.accepted) == ("Things/Api", None)
    assert finding.source.file == "inner.yaml"
    outer.write_text(nesting + metadata(f"whitelist-trap: {REASON}", ""), "utf-8")
    assert [one.accepted for one in found(outer)] == [REASON]
    outer.write_text(nesting, "utf-8")
    text = inner.read_text("utf-8").replace(API, API + metadata(f"whitelist-trap: {REASON}"))
    inner.write_text(text, "utf-8")
    assert [one.accepted for one in found(outer)] == [REASON]
