"""Policies, and which of their statements match a request.

Source: IAM User Guide, "IAM JSON policy elements reference". Action names and condition keys
ignore case; ARNs do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from backstairs.access.conditions import Condition, Keys, Test, compiled
from backstairs.access.distinctions import Distinctions, residues
from backstairs.access.patterns import (
    Text,
    Unresolved,
    arn_match,
    arn_matches_with_variables,
    matches,
)
from backstairs.access.truth import Truth, all_of, any_of, negate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstairs.access.lacks import Lack
    from backstairs.access.source import Source

# How an API's own policy may abbreviate its ARN.
SHORT_FORM = "execute-api:/"
_WILD = re.compile(r"[*?]|\$\{")
# For how many APIs and resources a policy remembers its statements.
_APIS, _RESOURCES = 64, 512

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a `Principal` element is compared with; all None is anonymous."""

    arn: str | None = None
    principal_arn: str | None = None
    account: str | None = None


@dataclass(slots=True)
class Request:
    """One action on one resource, by somebody, in a context.

    `api_arn` is what `execute-api:` stands for in the short form `execute-api:/stage/...`; None
    where that form is not documented, which is everywhere but in an API's own policy.
    """

    action: str
    resource: str
    caller: Caller
    context: Keys
    api_arn: str | None = None
    key: tuple[str, str, str | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.key = (self.action, self.resource, self.api_arn)


ResourceMatch = Callable[[Request], Truth]
# A statement that may concern a resource, with its match where that is all that can be asked.
_Concerned = tuple["Statement", "Match | None"]


def _action_match(pattern: Text) -> Callable[[str], Truth]:
    if isinstance(pattern, Unresolved):
        return _unknown
    return lambda action: matches(pattern, action, ignore_case=True)


def _resource_match(pattern: Text) -> ResourceMatch:
    """How a pattern of `Resource` is compared with a request's."""
    if isinstance(pattern, Unresolved):
        return _unknown
    if pattern.startswith(SHORT_FORM):
        return _short_form_match(pattern.removeprefix("execute-api:"))
    if "${" in pattern:
        return lambda request: arn_matches_with_variables(
            pattern, request.resource, request.context.get
        )
    match = arn_match(pattern)
    return lambda request: match(request.resource)


def _short_form_match(rest: str) -> ResourceMatch:
    """What follows the API's own ARN; unknown where that form is not documented."""
    match = None if "${" in rest else arn_match(rest)

    def matched(request: Request) -> Truth:
        if request.api_arn is None:
            return None
        if not request.resource.startswith(request.api_arn):
            return False
        tail = request.resource.removeprefix(request.api_arn)
        if match is None:
            return arn_matches_with_variables(rest, tail, request.context.get)
        return match(tail)

    return matched


def _unknown(_: object) -> Truth:
    return None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `principals` None means that the document is an identity policy.

    An account among the principals is its number. `variables` are the condition keys whose values
    the statement needs. `problem` says what in it could not be understood; it then matches nothing
    for certain. `source` is where it is written, where that is known.
    """

    name: str
    effect: Literal["Allow", "Deny"]
    principals: tuple[Text, ...] | None
    actions: tuple[Text, ...]
    not_actions: bool
    resources: tuple[Text, ...]
    not_resources: bool
    conditions: tuple[Condition, ...]
    variables: tuple[str, ...] = ()
    problem: str | None = None
    source: Source | None = None
    # Compiled when the policy is read, however many patterns it has. `everybody`: it names no
    # caller apart; `varies`: its resources depend on the caller; `is_plain`: it asks no more.
    resource_matches: tuple[ResourceMatch, ...] = field(init=False, repr=False, compare=False)
    tests: tuple[tuple[Test, Condition], ...] = field(init=False, repr=False, compare=False)
    everybody: bool = field(init=False, repr=False, compare=False)
    varies: bool = field(init=False, repr=False, compare=False)
    is_plain: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "resource_matches", tuple(map(_resource_match, self.resources)))
        tests = tuple((compiled(condition), condition) for condition in self.conditions)
        object.__setattr__(self, "tests", tests)
        everybody = self.principals is None or "*" in self.principals
        object.__setattr__(self, "everybody", everybody)
        varies = any(isinstance(text, str) and "${" in text for text in self.resources)
        object.__setattr__(self, "varies", varies)
        asks = self.conditions or self.variables or self.problem
        object.__setattr__(self, "is_plain", everybody and not asks)

    @property
    def action_matches(self) -> tuple[Callable[[str], Truth], ...]:
        """For each of its actions, whether it covers another one."""
        return tuple(map(_action_match, self.actions))

    def has_action(self, action: str) -> Truth:
        """Whether `Action` covers an action, or `NotAction` does not."""
        truth = any_of(match(action) for match in self.action_matches)
        return negate(truth) if self.not_actions else truth

    def covers(self, request: Request) -> Truth:
        """Whether `Resource` covers a request's, or `NotResource` does not, and so for `Action`."""
        truth = any_of(match(request) for match in self.resource_matches)
        if self.not_resources:
            truth = negate(truth)
        return truth if truth is False else all_of((truth, self.has_action(request.action)))

    def may_reach(self, prefix: str) -> bool:
        """Whether it may concern resources that begin so, by what stands before any wildcard."""
        if self.not_resources:
            return True
        for pattern in self.resources:
            if isinstance(pattern, Unresolved) or pattern.startswith(SHORT_FORM):
                return True
            wild = _WILD.search(pattern)
            fixed = pattern[: wild.start()] if wild else pattern
            if fixed.startswith(prefix) or prefix.startswith(fixed):
                return True
        return False

    def lacks_variable(self, request: Request) -> bool:
        """Whether one of its variables has no value, or none that is known."""
        get = request.context.get
        return bool(self.variables) and any(not get(name) for name in self.variables)

    def names(self, caller: Caller) -> tuple[Truth, Truth]:
        """Whether `Principal` names the caller, and whether otherwise than by its account."""
        if self.everybody or self.principals is None:
            return True, True
        direct: Truth = False
        for principal in self.principals:
            if isinstance(principal, Unresolved):
                direct = None
            elif principal in (caller.arn, caller.principal_arn):
                return True, True
        return (True if caller.account in self.principals else direct), direct

    def reads_in_two_ways(self, request: Request) -> bool:
        """Whether a pattern of `Resource` that is known may or may not cover a request's."""
        return any(
            isinstance(pattern, str) and "${" not in pattern and match(request) is None
            for pattern, match in zip(self.resources, self.resource_matches, strict=True)
            if request.api_arn or not str(pattern).startswith(SHORT_FORM)
        )

    def distinctions(self, api_arn: str) -> Distinctions:
        """What it can tell apart of the requests for one API."""
        known = [pattern for pattern in self.resources if isinstance(pattern, str)]
        below: dict[str, None] = {}
        for pattern in known:
            short = pattern.startswith(SHORT_FORM)
            full = f"{api_arn}/{pattern.removeprefix(SHORT_FORM)}" if short else pattern
            below.update(dict.fromkeys(residues(full, f"{api_arn}/")))
        return Distinctions(
            globs=tuple(below),
            is_not=self.not_resources,
            principals=self.principals,
            conditions=self.conditions,
            is_whole=len(known) == len(self.resources) and self.problem is None,
        )

    @property
    def doubt(self) -> str:
        """Why it may match, where it may."""
        texts = [*(self.principals or ()), *self.actions, *self.resources]
        texts += [value for condition in self.conditions for value in condition.values]
        unresolved = ", ".join(text.why for text in texts if isinstance(text, Unresolved))
        return self.problem or unresolved or "it depends on a value that is not known"


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A statement that matches, or may match (`truth` None) a request.

    `direct` is whether it does so without the help of a Principal that is an account: an Allow for
    an account leaves the choice to that account's identity policies. `two_readings`: a wildcard of
    its Resource may be read in two ways. `lacks` are the conditions that cannot be told; empty
    where something else in it is not known.
    """

    policy: Policy
    statement: Statement
    truth: Literal[True] | None
    direct: Truth
    two_readings: bool = False
    lacks: tuple[Lack, ...] = ()

    def __str__(self) -> str:
        return f"{self.statement.effect} {self.named}"

    @property
    def named(self) -> str:
        """Which statement of which policy it is."""
        return f"{self.statement.name} of {self.policy.name}"

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Match) and self._told == other._told)

    def __hash__(self) -> int:
        return hash(self._told)

    @property
    def _told(self) -> tuple[object, ...]:
        """What it comes to in a reason; a policy may be long, and is not compared as a whole."""
        one = self.statement
        named = (self.policy.name, one.effect, one.name, one.source, one.conditions)
        return (*named, self.truth, self.direct, self.two_readings, self.lacks)

    @property
    def doubt(self) -> str:
        """Why it may match, where it may."""
        if self.two_readings:
            return "whether a wildcard within a segment of an ARN passes a colon is not known"
        if self.lacks and all(isinstance(v, str) for lack in self.lacks for v in lack.values):
            return f"it depends on whether {' and '.join(map(str, self.lacks))}"
        return self.statement.doubt


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document with the name it is reported under.

    What it finds of a resource it remembers, in bounded tables: the statements that may concern an
    API, and those that may match one of its methods and paths.
    """

    name: str
    statements: tuple[Statement, ...]
    _of_apis: dict[tuple[str, str], tuple[Statement, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _of_resources: dict[tuple[str, str, str | None], tuple[_Concerned, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def matching(self, request: Request) -> list[Match]:
        """The statements that match a request, and those that may."""
        found = []
        for statement, sure in self.concerned(request):
            match = sure if sure and statement.is_plain else self._match(statement, sure, request)
            if match is not None:
                found.append(match)
        return found

    def concerned(self, request: Request) -> tuple[_Concerned, ...]:
        """The statements that may match for a request's action and resource, whoever calls."""
        found = self._of_resources.get(request.key)
        if found is None:
            found = tuple(self._concerned(request))
            _remember(self._of_resources, request.key, found, _RESOURCES)
        return found

    def _concerned(self, request: Request) -> Iterator[_Concerned]:
        prefix = request.resource.partition("/")[0]
        of_api = self._of_apis.get((request.action, prefix))
        if of_api is None:
            of_api = tuple(
                one
                for one in self.statements
                if one.has_action(request.action) is not False and one.may_reach(prefix)
            )
            _remember(self._of_apis, (request.action, prefix), of_api, _APIS)
        for statement in of_api:
            truth = None if statement.varies else statement.covers(request)
            if truth is not False:
                yield statement, Match(self, statement, truth=True, direct=True) if truth else None

    def _match(self, statement: Statement, sure: Match | None, request: Request) -> Match | None:
        """A statement that may concern a request, if it matches or may match; `sure`: if it does.

        AWS: a variable without a value may make the statement invalid. Then it matches nothing, so
        what did not match is sure, and what did is not.
        """
        who, direct = statement.names(request.caller)
        if who is False:
            return None
        covered = True if sure else statement.covers(request)
        if covered is False:
            return None
        lacks: list[Lack] = []
        for test, condition in statement.tests:
            holds = test(request.context)
            if holds is None:
                lack, sign = condition.lack
                said = request.context.holds.get(lack)
                if said is None:
                    lacks.append(lack)
                elif said is not sign:
                    return None
            elif holds is False:
                return None
        known = not lacks and covered and statement.problem is None
        what: Truth = True if known and not statement.lacks_variable(request) else None
        if what and who and direct:
            return sure or Match(self, statement, truth=True, direct=True)
        truth: Literal[True] | None = True if what and who else None
        return Match(
            self,
            statement,
            truth,
            all_of((direct, what)),
            two_readings=truth is None and covered is None and statement.reads_in_two_ways(request),
            lacks=tuple(lacks) if who and covered and statement.problem is None else (),
        )


def _remember(table: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    if len(table) >= most:
        table.clear()
    table[key] = value
