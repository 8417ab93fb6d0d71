"""What a reader sees of the matrix."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from backstairs.access import Source
from backstairs.report.formats import json_text, markdown, text
from backstairs.report.matrix import matrix_of
from backstairs.template.model import NotRead, OtherWay
from tests.report import built
from tests.report.built import FILE, api, application, policy

URL = OtherWay("HooksFunctionUrl", "function URL", "HooksFunction", "anybody", Source(FILE, 90))
UNREAD = NotRead("Odd", "Fn::Transform is not modelled", Source(FILE, 95))


def test_the_lines_say_who_may_call_from_where_and_by_which_line() -> None:
    """One group for routes that are alike."""
    assert text.render(matrix_of(application())).startswith(
        """\
template.yaml, region us-east-1, account 123456789012
60 calls decided: 4 requests, 5 callers, 3 ways in. 5 may be made, 55 may not, 0
are unknown.

ClaimsApi: private REST API, stage dev (template.yaml:10)

  GET /members/{memberId}
    asks for AWS_IAM
    may call  NotifierFunction; from Endpoint
              Allow statement 1 of NotifierFunctionRolePolicy0 matches
              (template.yaml:60)
    may not   everybody else

  GET /claims/{memberId}
  POST /claims/{memberId}
    asks for AWS_IAM
    may not   everybody and from everywhere

ReferenceApi: private REST API, stage dev (template.yaml:10)

  GET /claim-types
    asks for no authorization
    may call  everybody but another account; from Endpoint
              Allow statement 1 of ReferenceApi's resource policy matches
              (template.yaml:40)
    may not   everybody else
"""
    )


def test_with_why_the_refusals_have_their_reasons_too() -> None:
    """Each with the statement's line, the rule and how it is known."""
    lines = " ".join(text.render(matrix_of(application()), why=True).split())
    assert (
        "may not ClaimsFunction, NotifierFunction and anybody in this account; from another VPC's "
        "endpoint Deny statement 1 of ClaimsApi's resource policy matches (StringNotEquals "
        "aws:SourceVpce [vpce-0a1b2c]) (template.yaml:20) [explicit-deny, AWS document]"
    ) in lines


def test_what_is_not_in_the_matrix_is_said_at_the_end() -> None:
    """Other ways, what was not read, what was assumed, what is not modelled."""
    odd = application(other_ways=(URL,), not_read=(UNREAD,), assumed=frozenset({"Stage"}))
    said = text.render(matrix_of(odd))
    end = said[said.index("Other ways to a function") :]
    assert "HooksFunctionUrl: function URL: anybody (template.yaml:90)" in end
    assert "Odd: Fn::Transform is not modelled (template.yaml:95)" in end
    assert "parameter Stage, which has no value, equals no other" in end
    assert "Service control policies, resource control policies" in end


def test_no_line_is_longer_than_80_columns_but_for_a_longer_word() -> None:
    """Names of a hundred callers fold."""
    one = application().principals[0]
    crowd = tuple(
        type(one)(f"Role{number}", one.principal, one.source, functions=(f"Function{number}",))
        for number in range(100)
    )
    for why in (False, True):
        for line in text.render(matrix_of(application(principals=crowd)), why=why).splitlines():
            assert len(line) <= 80 or " " not in line.strip()


def test_an_application_without_an_api_says_so() -> None:
    """An empty matrix is no silence."""
    assert "It declares no API." in text.render(matrix_of(application(apis=())))


def schema() -> Any:
    """The published one."""
    return json.loads(files("backstairs.report.formats").joinpath("access.schema.json").read_text())


def test_the_json_keeps_to_the_published_schema() -> None:
    """Which is itself a schema, and refuses another shape."""
    said = json.loads(
        json_text.render(matrix_of(application(other_ways=(URL,), not_read=(UNREAD,))))
    )
    validator = jsonschema.Draft202012Validator(schema())
    jsonschema.Draft202012Validator.check_schema(schema())
    validator.validate(said)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**said, "cells": [[0, 0]]})


def test_the_json_has_every_cell_with_its_reasons() -> None:
    """Numbers lead to the names."""
    matrix = matrix_of(application())
    said = json.loads(json_text.render(matrix))
    assert len(said["cells"]) == len(matrix.cells)
    for cell, (request, caller, origin, decision) in zip(matrix.cells, said["cells"], strict=True):
        assert said["requests"][request]["route"] == cell.question.label
        assert said["callers"][caller]["name"] == cell.caller.name
        assert said["origins"][origin]["name"] == cell.entrance.name
        decided = said["decisions"][decision]
        assert decided["verdict"] == cell.verdict.value
        reasons = [reason.text for reason in cell.decision.reasons]
        assert [reason["text"] for reason in decided["reasons"]] == reasons
        assert all(reason["rule"] in said["rules"] for reason in decided["reasons"])


def test_markdown_has_a_row_for_each_group() -> None:
    """A table an API."""
    said = markdown.render(matrix_of(application()))
    assert (
        "| `GET /members/{memberId}` | NotifierFunction | Endpoint | Allow statement 1 of "
        "NotifierFunctionRolePolicy0 matches (template.yaml:60) |"
    ) in said
    assert "| `GET /claims/{memberId}`<br>`POST /claims/{memberId}` | nobody | | |" in said


def test_markdown_is_not_made_by_names() -> None:
    """A pipe, a star or a tag in a name stays what it is."""
    odd = api("ClaimsApi", [("GET", "/")], allows=policy("a|b*<i>", {"Effect": "x"}, api=True))
    said = markdown.render(matrix_of(application(apis=(odd,))))
    assert "a\\|b\\*&lt;i&gt;" in said
    assert "<i>" not in said


def test_a_template_moves_nothing_on_the_terminal() -> None:
    """A path with an escape sequence, which could hide a line, is shown as one."""
    odd = api("ClaimsApi", [("GET", "/\x1b[2K\x1b[1A\u202e")], allows=None, private=False)
    said = text.render(matrix_of(application(apis=(odd,))))
    assert "GET /\\x1b[2K\\x1b[1A\\u202e" in said
    assert said.replace("\n", "").isprintable()
    assert "\x1b" not in markdown.render(matrix_of(application(apis=(odd,))))


def test_a_pipe_in_a_path_stays_in_its_column() -> None:
    """A row has four columns whatever a path is."""
    odd = api("ClaimsApi", [("GET", "/a|b`c")], allows=None, private=False)
    row = next(
        line
        for line in markdown.render(matrix_of(application(apis=(odd,)))).splitlines()
        if "/a" in line
    )
    assert row.replace("\\|", "").count("|") == 5


def test_a_call_under_a_condition_says_which() -> None:
    """The organisation of an account is in no template: what it must be is said."""
    members = built.everybody("Allow", StringEquals={"aws:PrincipalOrgID": "o-1234"})
    policy = built.policy("ClaimsApi's resource policy", members, line=20, api=True)
    claims = built.api("ClaimsApi", built.CLAIMS_ROUTES, allows=policy)
    shown = text.render(matrix_of(built.application(apis=(claims,))))
    assert "allowed if aws:PrincipalOrgID is o-1234" in shown
