"""Two versions compared: who gains, who loses, by which lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from backstairs.access import Authorization, Source
from backstairs.report.diff import Diff, Side, diff
from backstairs.report.formats import diff_text, markdown
from backstairs.report.lines import hunks, within
from backstairs.template.model import NotRead, OtherWay
from tests.report.built import (
    ACCOUNT,
    ENDPOINT,
    FILE,
    ONLY_ACCOUNT,
    ONLY_ENDPOINT,
    api,
    application,
    everybody,
    grant,
    policy,
    role,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstairs.report.diff import Changed
    from backstairs.template.model import Application, DeclaredApi


def compared(
    base: Application, head: Application, old: Sequence[str] = (), new: Sequence[str] = ()
) -> Diff:
    """Two applications, with the text of their template."""
    return diff(Side(base, {FILE: list(old)}, {}), Side(head, {FILE: list(new)}, {}))


def calls(changed: Sequence[Changed]) -> set[tuple[str, str, str]]:
    """Caller, request and way in of changes."""
    return {
        (change.cell.caller.name, change.cell.question.label, change.cell.entrance.name)
        for one in changed
        for change in one.changes
    }


def test_the_same_is_no_change() -> None:
    """And it says so."""
    same = compared(application(), application())
    assert not same.opens
    assert diff_text.render(same) == "Nobody gains and nobody loses access.\n"
    assert markdown.render_diff(same) == "Nobody gains and nobody loses access.\n"


def test_a_new_grant_is_a_gain_and_the_other_way_round_a_loss() -> None:
    """Of its holder, for its route, by the endpoint."""
    more = application(
        principals=(
            role("ClaimsFunction", grant("*/dev/POST/claims/*")),
            application().principals[1],
        )
    )
    gained = compared(application(), more)
    assert gained.opens
    assert gained.losses == ()
    assert calls(gained.gains) == {("ClaimsFunction", "POST /claims/{memberId}", "Endpoint")}
    lost = compared(more, application())
    assert not lost.opens
    assert calls(lost.losses) == calls(gained.gains)
    assert " ".join(diff_text.render(lost).split()).startswith(
        "Losses: ClaimsFunction may no longer POST /claims/{memberId} of ClaimsApi from Endpoint"
    )


def test_an_endpoint_that_one_version_alone_names_is_asked_of_both() -> None:
    """It is a gain, not a question that only one side had."""
    wider = everybody("Deny", StringNotEquals={"aws:SourceVpce": [ENDPOINT, "vpce-0d"]})
    allows = policy("ClaimsApi's resource policy", wider, ONLY_ACCOUNT, api=True)
    routes = [(one.method, one.path) for one in application().apis[0].api.routes]
    changed = application(apis=(api("ClaimsApi", routes, allows=allows), application().apis[1]))
    gains = compared(application(), changed).gains
    assert calls(gains) == {("NotifierFunction", "GET /members/{memberId}", "vpce-0d")}


def test_a_grant_for_one_path_is_a_gain() -> None:
    """Though its holder cannot call the route elsewhere."""
    more = application(
        principals=(
            role("ClaimsFunction", grant("*/dev/GET/members/m-1")),
            application().principals[1],
        )
    )
    gains = compared(application(), more).gains
    assert calls(gains) == {("ClaimsFunction", "GET /members/m-1", "Endpoint")}


def test_a_caller_or_route_that_is_new_gains_what_it_may() -> None:
    """And not what anybody of the account could call before."""
    more = application(
        principals=(*application().principals, role("AuditFunction", grant("*/dev/GET/members/*")))
    )
    gains = compared(application(), more).gains
    assert calls(gains) == {("AuditFunction", "GET /members/{memberId}", "Endpoint")}
    fewer = application(apis=application().apis[:1])
    assert {label for _, label, _ in calls(compared(fewer, application()).gains)} == {
        "GET /claim-types"
    }


def test_what_cannot_be_decided_any_more_is_a_gain() -> None:
    """It may be let in."""
    odd = policy("ClaimsApi's resource policy", everybody("Allow", Odd={"a": "b"}), api=True)
    routes = [(one.method, one.path) for one in application().apis[0].api.routes]
    changed = application(apis=(api("ClaimsApi", routes, allows=odd),))
    found = compared(application(apis=application().apis[:1]), changed)
    assert "anybody in this account may now or may not" in " ".join(diff_text.render(found).split())


def test_a_new_way_to_a_function_is_a_gain() -> None:
    """A function URL leads past every API."""
    way = OtherWay("MembersUrl", "function URL", "MembersFunction", "anybody", Source(FILE, 9))
    found = compared(application(), application(other_ways=(way,)))
    assert found.opens
    assert "MembersUrl: function URL: anybody (template.yaml:9)" in diff_text.render(found)
    closed = compared(application(other_ways=(way,)), application())
    assert not closed.opens
    assert "Ways to a function that are gone:" in diff_text.render(closed)


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        ({"StringEquals": {"aws:PrincipalTag/team": "x"}}, "tagged team=x"),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ops-*"}}, ":role/ops-"),
        ({"StringEquals": {"aws:username": "bob"}}, ":user/bob"),
    ],
)
def test_whom_no_template_declares_gains_too(condition: dict[str, Any], who: str) -> None:
    """A statement for a tag, a beginning of a name or a user opens the API to whoever has it."""
    allow = everybody("Allow", **condition)
    head = application(apis=(_with(allow), application().apis[1]))
    found = compared(application(), head)
    assert found.opens
    names = {caller for caller, _, _ in calls(found.gains)}
    assert any(name.startswith("anybody in this account (") and who in name for name in names)
    assert not compared(head, head).opens
    assert not compared(head, application()).opens


def test_who_cannot_be_enumerated_is_said() -> None:
    """Beside the comparison, which cannot speak of them."""
    own = everybody("Deny", "execute-api:/dev/GET/members/${aws:username}")
    tagged = everybody("Deny", StringNotEquals={"aws:PrincipalTag/team": "x"})
    same = application(apis=(_with(own, tagged), application().apis[1]))
    found = compared(same, same)
    assert not found.opens
    for printed in (diff_text.render(found), markdown.render_diff(found)):
        assert "asks for aws:username" in " ".join(printed.split())


def _with(*statements: dict[str, Any]) -> DeclaredApi:
    """The API by grant with more in its policy."""
    allows = policy(
        "ClaimsApi's resource policy", ONLY_ENDPOINT, ONLY_ACCOUNT, *statements, api=True
    )
    routes = [(one.method, one.path) for one in application().apis[0].api.routes]
    return api("ClaimsApi", routes, allows=allows)


def test_what_is_not_understood_any_more_is_a_gain() -> None:
    """Nobody knows whom it admits; what was not understood before is no news."""
    part = NotRead("OddApi", "its definition is not there", Source(FILE, 9))
    found = compared(application(), application(not_read=(part,)))
    assert found.opens
    assert "OddApi: its definition is not there (template.yaml:9)" in diff_text.render(found)
    assert "OddApi: its definition is not there (template.yaml:9)" in markdown.render_diff(found)
    same = compared(application(not_read=(part,)), application(not_read=(part,)))
    assert not same.opens
    assert "OddApi" not in diff_text.render(same)


OLD = """\
Resources:
  Claims:
    Statement:
      - Effect: Deny
        Condition: one
      - Effect: Deny
        Condition: two
  Notifier:
    Resource: members
  Between: 0
  Other: 1
""".splitlines()


def test_a_change_names_the_lines_that_made_it() -> None:
    """Those of the statement that decides, not others that changed as well."""
    new = [line.replace("members", "*").replace("Other: 1", "Other: 2") for line in OLD]
    line = OLD.index("  Notifier:") + 1
    principals = (
        role("ClaimsFunction"),
        role("NotifierFunction"),
    )
    wide = policy("NotifierFunctionRolePolicy0", grant("*/dev/*"), line=line)
    notifier = principals[1]
    held = replace(notifier, principal=replace(notifier.principal, policies=(wide,)))
    found = compared(
        application(principals=principals),
        application(principals=(principals[0], held)),
        OLD,
        new,
    )
    (changed,) = found.gains
    assert [str(hunk) for hunk in changed.lines] == [f"{FILE}:9"]
    assert diff_text.render(found).endswith(
        "    template.yaml:9\n      -     Resource: members\n      +     Resource: *\n\n"
    )
    assert "-    Resource: members\n+    Resource: *\n" in markdown.render_diff(found)


def test_a_block_ends_where_the_next_of_its_depth_begins() -> None:
    """A statement's lines are its own; a hunk is within where it touches one of them."""
    new = [line for line in OLD if "two" not in line]
    (hunk,) = hunks({FILE: OLD}, {FILE: new})
    first, second = Source(FILE, 4), Source(FILE, 6)
    assert not within(hunk, first, {FILE: OLD}, new=False)
    assert within(hunk, second, {FILE: OLD}, new=False)
    (added,) = hunks({FILE: new}, {FILE: OLD})
    assert within(added, Source(FILE, 6), {FILE: OLD}, new=True)
    assert not within(added, Source(FILE, 8), {FILE: OLD}, new=True)
    assert not within(hunk, Source("other.yaml", 2), {FILE: new}, new=True)


def test_a_templates_lines_do_not_end_their_fence() -> None:
    """What a change writes stays a changed line, and says nothing in Markdown."""
    more = application(
        principals=(
            role("ClaimsFunction", grant("*/dev/POST/claims/*")),
            application().principals[1],
        )
    )
    lines = ["```", "# Nobody gains and nobody loses access.", "\x1b[2K"]
    said = markdown.render_diff(compared(application(), more, [], lines)).splitlines()
    fences = [number for number, line in enumerate(said) if line.startswith("````")]
    assert len(fences) == 2
    assert said[fences[0] + 2 : fences[1]] == [
        "+```",
        "+# Nobody gains and nobody loses access.",
        "+\\x1b[2K",
    ]


def _allowing(*statements: dict[str, Any]) -> Application:
    allows = policy("ClaimsApi's resource policy", *statements, ONLY_ACCOUNT, api=True)
    routes = [(one.method, one.path) for one in application().apis[0].api.routes]
    return application(apis=(api("ClaimsApi", routes, allows=allows), application().apis[1]))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (
            {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
            {"StringEquals": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa", "o-bbbbbbbbbb"]}},
        ),
        (
            {"StringEquals": {"aws:UserAgent": "curl"}},
            {"StringLike": {"aws:UserAgent": "curl*"}},
        ),
        (
            {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
            {"DateLessThan": {"aws:CurrentTime": "2036-01-01T00:00:00Z"}},
        ),
        (
            {"StringLike": {"aws:SourceVpce": "vpce-0a*"}},
            {"StringLike": {"aws:SourceVpce": "vpce-0*"}},
        ),
    ],
)
def test_a_condition_that_lets_in_others_may_be_a_gain(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Though no cell has an organisation, a time or a program."""
    changed = compared(
        _allowing(everybody("Allow", **before)), _allowing(everybody("Allow", **now))
    )
    assert changed.opens
    [[key]] = now.values()
    assert key in diff_text.render(changed)
    assert key in markdown.render_diff(changed)
    same = _allowing(everybody("Allow", **now))
    assert not compared(same, same).opens


def test_a_deny_of_some_that_goes_may_be_a_gain_and_a_new_one_is_none() -> None:
    """Of those whom it named by their organisation."""
    some = everybody("Deny", StringEquals={"aws:PrincipalOrgID": "o-aaaaaaaaaa"})
    opened = compared(_allowing(some), _allowing())
    assert opened.opens
    assert "a Deny that is gone" in " ".join(diff_text.render(opened).split())
    assert not compared(_allowing(), _allowing(some)).opens


def test_another_authorizer_may_let_in_others() -> None:
    """Neither of them is modelled, so nobody knows that it is none."""

    def asking(authorization: Authorization) -> Application:
        allows = policy("ClaimsApi's resource policy", everybody("Allow"), api=True)
        first = api("ClaimsApi", [("GET", "/members")], allows=allows)
        routes = tuple(replace(one, authorization=authorization) for one in first.api.routes)
        return application(
            apis=(replace(first, api=replace(first.api, routes=routes), route_sources={}),)
        )

    pools, custom = Authorization.COGNITO_USER_POOLS, Authorization.CUSTOM
    changed = compared(asking(pools), asking(custom))
    assert changed.opens
    assert "may now or may not" in " ".join(diff_text.render(changed).split())
    assert not compared(asking(custom), asking(custom)).opens
