"""Callers that no template declares: one of each class that guards can tell apart.

Guards are the policies of an API and of endpoints. Whoever is told from others by account, ARN,
name, type, id or tags stands for a class, once without a grant and once with a grant of everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from backstairs.access import Principal
from backstairs.access.conditions import compared
from backstairs.report.callers import EVERYTHING, OTHER_ACCOUNT, THIS_ACCOUNT, Caller
from backstairs.report.requests.automata import (
    ANY,
    ONE,
    Automaton,
    Row,
    Unit,
    Within,
    alphabet,
    but,
    classes,
    text,
)
from backstairs.report.requests.values import conditions_on, is_text, rows_of, texts, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backstairs.access import Api
    from backstairs.access.policy import Statement

FULL_GRANT = "a holder of a grant of everything in this account"
ROOT = "the root user of this account"

_DIGITS = (Unit(frozenset("0123456789")),) * 12
# The service in the ARN of each kind of caller (IAM User Guide, "AWS global condition context
# keys", aws:PrincipalArn).
_SHAPES = {"role": "iam", "user": "iam", "root": "iam", "federated-user": "sts"}
_KINDS = {"user": "User", "root": "Account", "federated-user": "FederatedUser"}
_TAG, _USER_ID = "aws:principaltag/", "aws:userid"


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys besides its ARN by which a caller is told from others."""

    user_id: str | None
    tags: tuple[tuple[str, str], ...]

    @property
    def says(self) -> str:
        said = [f"tagged {name}={value}" for name, value in self.tags]
        said += [f"with the id {self.user_id}"] if self.user_id else []
        return ", ".join(said)


class Strangers:
    """Those who may want to call an API, besides the known. Raises TooManyError.

    `left_out` says which of them are not enumerated, and why.
    """

    def __init__(
        self, api: Api, guards: Sequence[Statement], known: Sequence[Principal], limit: int
    ) -> None:
        self._api, self._guards, self._known, self._limit = api, guards, known, limit
        self._arns = frozenset(one.principal_arn for one in known)
        self._named = {
            str(name) for one in guards for name in one.principals or () if isinstance(name, str)
        }
        for key in ("aws:principalarn", "aws:principalaccount"):
            for condition in conditions_on(key, guards):
                self._named |= {str(value) for value in condition.values}
        self.left_out = list(self._not_enumerated())

    def __iter__(self) -> Iterator[Caller]:
        keys = list(self._keys())
        if len(keys) > self._limit:
            self.left_out.append("strangers by their tags and ids: too many classes")
            keys = keys[: self._limit]
        for shape, one in product(_SHAPES, keys):
            for arn in self._identities(shape):
                yield from self._callers(shape, arn, one)
        yield from self._sessions()

    def _identities(self, shape: str) -> list[str]:
        """An ARN of each class, known principals left out."""
        begin = text(f"arn:{self._api.partition}:{_SHAPES[shape]}::")
        end = text(":root") if shape == "root" else (*text(f":{shape}/"), ONE, ANY)
        told: list[list[Row]] = [[self._of_account(text(self._api.account))]]
        told += [[text(arn)] for arn in sorted(self._named - self._arns) if ":" in arn]
        told += [[self._of_account(text(name))] for name in sorted(self._named) if name.isdigit()]
        for condition in conditions_on("aws:principalaccount", self._guards):
            told.append([self._of_account(row) for row in rows_of(condition)])
        told += [rows_of(one) for one in conditions_on("aws:principalarn", self._guards)]
        if shape == "user":
            for condition in conditions_on("aws:username", self._guards):
                told.append([(ANY, *text("/"), *_within(row, "/")) for row in rows_of(condition)])
        tracked = [Automaton(rows) for rows in told if rows]
        known: set[str] = set()
        while True:
            language = Within([(*begin, *_DIGITS, *end)], map(text, known))
            tokens = alphabet([*tracked, language.inside, language.outside], _of_names)
            found = list(classes(language, tracked, tokens, self._limit).values())
            if self._arns.isdisjoint(found):
                return found
            known |= self._arns & set(found)

    def _of_account(self, row: Row) -> Row:
        begin = (*text(f"arn:{self._api.partition}:"), but(":", many=True), *text("::"))
        return (*begin, *_within(row, ":"), *text(":"), ANY)

    def _keys(self) -> Iterator[_Keys]:
        on_id = conditions_on(_USER_ID, self._guards)
        ids: list[str | None] = [None]
        if on_id:
            ids = [*texts(on_id, [(ONE, ANY)], limit=self._limit)]
        on_tags = conditions_on(_TAG, self._guards)
        choices: list[list[tuple[str, str] | None]] = []
        for name in sorted({one.key.lower().removeprefix(_TAG) for one in on_tags}):
            of_tag = [one for one in on_tags if one.key.lower() == f"{_TAG}{name}"]
            values = texts(of_tag, [(ANY,)], limit=self._limit)
            choices.append([None, *((name, value) for value in values)])
        for user_id, tags in product(ids, product(*choices)):
            yield _Keys(user_id, tuple(tag for tag in tags if tag is not None))

    def _callers(self, shape: str, arn: str, keys: _Keys) -> Iterator[Caller]:
        account = arn.split(":")[4]
        caller = _principal(shape, arn, keys)
        granted = replace(caller, policies=(EVERYTHING,))
        ours = account == self._api.account
        named = arn if arn in self._named else None
        says = ", ".join(filter(None, (arn, keys.says)))
        if shape == "root" and ours:
            yield Caller(ROOT, caller, says)
        elif ours:
            yield Caller(named or THIS_ACCOUNT, caller, f"{says}, to whom nothing is granted")
            yield Caller(FULL_GRANT, granted, f"{says}, who holds a grant of everything")
        else:
            # Without a grant of its own account it gets no further than with one.
            of_account = f"account {account}" if account in self._named else OTHER_ACCOUNT
            says = f"{says}; its account allows everything"
            yield Caller(named or of_account, granted, says, foreign=True)

    def _sessions(self) -> Iterator[Caller]:
        """Sessions of roles that a Principal names."""
        for arn in sorted(name for name in self._named if ":assumed-role/" in name):
            known = [one for one in self._known if _role_of(one.arn) == _role_of(arn)]
            for one in known:
                yield Caller(arn, replace(one, arn=arn), f"a session of {one.principal_arn}")
            if not known:
                role = arn.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/")
                account = arn.split(":")[4]
                one = Principal(arn, role.rpartition("/")[0], account, "AssumedRole")
                if account == self._api.account:
                    yield Caller(arn, one, "a session to which nothing is granted")
                yield Caller(
                    FULL_GRANT if account == self._api.account else arn,
                    replace(one, policies=(EVERYTHING,)),
                    f"{arn}, with a grant of everything",
                )

    def _not_enumerated(self) -> Iterator[str]:
        by_key: dict[str, set[bool]] = {}
        for one in (*conditions_on(_TAG, self._guards), *conditions_on(_USER_ID, self._guards)):
            if compared(one.operator):
                by_key.setdefault(one.key.lower(), set()).add(is_text(one))
        for key, kinds in by_key.items():
            if len(kinds) > 1:
                yield f"{key} is compared as text and as a number, a date or an address"
        for statement in self._guards:
            if variables_of(statement):
                names = ", ".join(sorted(variables_of(statement)))
                yield f"{statement.name} asks for {names}: of strangers, any value is possible"
            for one in statement.conditions:
                key = one.key.lower()
                identity = key in ("aws:principalarn", "aws:principalaccount", "aws:username")
                if identity and not is_text(one):
                    yield f"{statement.name} compares {one.key} by {one.operator}"


def _principal(shape: str, arn: str, keys: _Keys) -> Principal:
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    tags = dict(keys.tags)
    if shape == "role":
        session = arn.partition(":iam:")[0] + f":sts::{account}:assumed-role/{name}/session"
        return Principal(session, arn, account, "AssumedRole", keys.user_id, tags=tags)
    return Principal(arn, arn, account, _KINDS[shape], keys.user_id, tags=tags)


def _within(row: Row, separator: str) -> Row:
    """A row whose wildcards do not pass a separator."""
    return tuple(
        but(separator, many=unit.many) if unit.others and not unit.chars else unit for unit in row
    )


def _role_of(session: str) -> str:
    return session.rpartition("/")[0]


def _of_names(char: str) -> bool:
    return char.isascii() and char.isprintable() and char not in " *?"
