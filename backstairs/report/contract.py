"""The contract: who may call what from where, in sentences.

    rules:
      - NotifierFunction may GET /members/{memberId} of ClaimsApi from Network/ExecuteApiEndpoint
      - everybody but another account may call every route of ReferenceApi from OfficeEndpoint
    accepted:
      - what: anonymous may POST /hooks of HooksApi from the internet
        because: the function behind it checks the sender's signature

What no rule says is refused. What cannot be decided, another way in, and a part of the template
that is not understood break the contract unless they are accepted with a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from backstairs.access import Source
from backstairs.report.named import Named

if TYPE_CHECKING:
    from pathlib import Path

    from backstairs.report.callers import Caller
    from backstairs.report.matrix import Cell
    from backstairs.report.questions import Question

_SENTENCE = re.compile(
    r"(?P<who>.+?) may (?:call every route|(?P<verbs>[A-Z]+(?:(?:, | and )[A-Z]+)*) (?P<path>\S+))"
    r" of (?P<api>\S+) from (?P<where>.+)"
)
_AND = re.compile(r", | and ")
EVERYBODY, EVERYWHERE = "everybody", "everywhere"


class ContractError(Exception):
    """A contract that cannot be read; the message says where and what is wrong."""


@dataclass(frozen=True, slots=True)
class Names:
    """Some by name; `all_but`: all but those."""

    names: frozenset[str]
    all_but: bool = False

    def cover(self, name: str) -> bool:
        """Whether what has this name is meant."""
        return (name in self.names) is not self.all_but

    def cover_caller(self, caller: Caller) -> bool:
        """Whether a caller is meant."""
        return caller.is_among(self.names) is not self.all_but


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence. `path` None: every route; `verbs` as the routes have them, or a request has."""

    text: str
    source: Source
    who: Names
    verbs: frozenset[str]
    path: str | None
    api: str
    where: Names

    def asks(self, question: Question) -> bool:
        """Whether it speaks of a request."""
        if question.api.name != self.api:
            return False
        route = question.route
        return self.path is None or (
            self.path in (route.path, question.path)
            and not self.verbs.isdisjoint((route.method, question.method))
        )

    def covers(self, cell: Cell) -> bool:
        """Whether it speaks of a call."""
        return (
            self.asks(cell.question)
            and self.who.cover_caller(cell.caller)
            and self.where.cover(cell.entrance.name)
        )


@dataclass(frozen=True, slots=True)
class Accepted:
    """What may stay unknown, and why: calls, or another way or part by `name`."""

    rule: Rule | None
    name: str
    because: str
    source: Source


@dataclass(frozen=True, slots=True)
class Contract:
    """What a file of rules says."""

    rules: tuple[Rule, ...]
    accepted: tuple[Accepted, ...] = ()

    @property
    def named(self) -> Named:
        """The requests that it names, for the matrix to ask them too."""
        return Named(
            frozenset(
                f"/{verb}{rule.path}"
                for rule in (*self.rules, *(one.rule for one in self.accepted if one.rule))
                if rule.path and rule.path.startswith("/")
                for verb in rule.verbs - {"ANY"}
            )
        )


def read_contract(path: Path) -> Contract:
    """Read a file of rules. Raises ContractError."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ContractError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: is not YAML: {error}") from error
    sections = _mapping(root, str(path), {"rules", "accepted"})
    rules = [_rule(*_text(node, str(path))) for node in _items(sections.get("rules"), str(path))]
    accepted = [_accepted(node, str(path)) for node in _items(sections.get("accepted"), str(path))]
    return Contract(tuple(rules), tuple(accepted))


def _rule(text: str, source: Source) -> Rule:
    found = _SENTENCE.fullmatch(text)
    if found is None:
        raise ContractError(
            f"{source}: not a rule: {text}\n"
            "A rule reads: CALLERS may VERBS PATH of API from PLACES, or "
            "CALLERS may call every route of API from PLACES"
        )
    verbs = frozenset(_AND.split(found["verbs"])) if found["verbs"] else frozenset[str]()
    who, where = _names(found["who"], EVERYBODY), _names(found["where"], EVERYWHERE)
    return Rule(text, source, who, verbs, found["path"], found["api"], where)


def _names(text: str, everything: str) -> Names:
    if text == everything:
        return Names(frozenset(), all_but=True)
    excepted = text.startswith(f"{everything} but ")
    names = frozenset(_AND.split(text.removeprefix(f"{everything} but ")))
    return Names(names, all_but=excepted)


def _accepted(node: yaml.Node, file: str) -> Accepted:
    said = _mapping(node, file, {"what", "because"})
    source = Source(file, node.start_mark.line + 1)
    missing = {"what", "because"} - said.keys()
    if missing:
        raise ContractError(f"{source}: what is accepted has `what` and `because`")
    what, _ = _text(said["what"], file)
    because, _ = _text(said["because"], file)
    rule = _rule(what, source) if _SENTENCE.fullmatch(what) else None
    return Accepted(rule, what, because, source)


def _mapping(node: yaml.Node | None, file: str, keys: set[str]) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise ContractError(f"{file}: {' and '.join(sorted(keys))} are expected in a mapping")
    found = {str(key.value): value for key, value in node.value}
    unknown = sorted(found.keys() - keys)
    if unknown:
        line = node.start_mark.line + 1
        raise ContractError(f"{file}:{line}: {unknown[0]} is none of {', '.join(sorted(keys))}")
    return found


def _items(node: yaml.Node | None, file: str) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise ContractError(f"{file}:{node.start_mark.line + 1}: a list is expected")
    return list(node.value)


def _text(node: yaml.Node, file: str) -> tuple[str, Source]:
    source = Source(file, node.start_mark.line + 1)
    if not isinstance(node, yaml.ScalarNode):
        raise ContractError(f"{source}: a sentence is expected")
    return " ".join(node.value.split()), source
