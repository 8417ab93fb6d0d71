"""Policy documents, read once into policies; what is not understood stays visible in them.

Source: IAM User Guide, "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy
language".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from backstairs.access.conditions import Condition
from backstairs.access.patterns import Text, Unresolved, variables, without_variables
from backstairs.access.policy import SHORT_FORM, Policy, Statement

if TYPE_CHECKING:
    from backstairs.access.source import Source

_ELEMENTS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_ACTION = re.compile(r"\*|\*:\*|[\w-]+:[\w*?]+", re.ASCII)
_ARN = re.compile(r"\*|arn:(.*\*|[^:]*:[^:]*:[^:]*:[^:]*:.+)", re.DOTALL)
_ACCOUNT = re.compile(r"arn:[^:*?]*:iam::(\d{12}):root|(\d{12})", re.ASCII)
_PRINCIPAL = re.compile(r"\*|arn:[^:*?]*:(iam|sts)::\d{12}:[^:*?]+", re.ASCII)


def parse_policy(
    name: str,
    document: object,
    *,
    resource_based: bool = False,
    sources: Sequence[Source | None] = (),
) -> Policy:
    """Read a policy document (a dict as in JSON) that may hold `Unresolved` values.

    `resource_based`: the policy of an API or an endpoint, whose statements need a Principal.
    What is not understood is kept as the statement's `problem`, never dropped: a statement with a
    problem makes the decisions it could change unknown. `sources` says where each of the document's
    statements is written; the last one stands for those that follow.
    """
    if not isinstance(document, Mapping) or not document.get("Statement"):
        why = document.why if isinstance(document, Unresolved) else "it has no Statement"
        source = sources[0] if sources else None
        return Policy(name, _hopeless("any statement", why, source))
    statements = document["Statement"]
    if not isinstance(statements, list | tuple):
        statements = [statements]
    # Unquoted in YAML, it is read as a date.
    version = str(document.get("Version", "2008-10-17"))
    parsed: list[Statement] = []
    for number, body in enumerate(statements, 1):
        of = f"statement {number}"
        source = sources[min(number, len(sources)) - 1] if sources else None
        if isinstance(body, Mapping):
            parsed += _Reader(body, version, source).read(of, resource_based=resource_based)
        else:
            parsed += _hopeless(of, f"is not a statement: {body}", source)
    return Policy(name, tuple(parsed))


def _hopeless(name: str, why: str, source: Source | None) -> tuple[Statement, ...]:
    """What is not understood, as a statement of either effect."""
    effects: tuple[Literal["Allow", "Deny"], ...] = ("Allow", "Deny")
    return tuple(
        Statement(
            name=name,
            effect=effect,
            principals=None,
            actions=("*",),
            not_actions=False,
            resources=("*",),
            not_resources=False,
            conditions=(),
            problem=why,
            source=source,
        )
        for effect in effects
    )


class _Reader:
    """Reads one statement and gathers what in it is not understood."""

    def __init__(self, body: Mapping[str, object], version: str, source: Source | None) -> None:
        self._body = body
        self._source = source
        # Before this version of the policy language, `${...}` was plain text.
        self._has_variables = version == "2012-10-17"
        self._problems = [f"unknown element {key}" for key in body if key not in _ELEMENTS]
        if version not in ("2012-10-17", "2008-10-17"):
            self._problems.append(f"Version is {version}")

    def read(self, name: str, *, resource_based: bool) -> list[Statement]:
        """The statement; one for either effect where the effect is not understood."""
        principals = self._principals() if resource_based else None
        if not resource_based and self._body.keys() & {"Principal", "NotPrincipal"}:
            self._problems.append("an identity policy has no Principal")
        actions, not_actions = self._choice("Action", _action)
        resources, not_resources = self._choice("Resource", self._resource)
        conditions = self._conditions()
        effects: tuple[Literal["Allow", "Deny"], ...] = ("Allow", "Deny")
        effect = self._body.get("Effect")
        if effect in effects:
            effects = (effect,)
        else:
            self._problems.append(f"Effect is {effect}")
        texts = [*resources, *(value for condition in conditions for value in condition.values)]
        return [
            Statement(
                name=str(self._body.get("Sid") or name),
                effect=one,
                principals=principals,
                actions=actions,
                not_actions=not_actions,
                resources=resources,
                not_resources=not_resources,
                conditions=conditions,
                variables=tuple(name for text in texts for name in variables(text)),
                problem="; ".join(self._problems) or None,
                source=self._source,
            )
            for one in effects
        ]

    def _choice(self, element: str, check: Callable[[str], Text]) -> tuple[tuple[Text, ...], bool]:
        """The values of `Action` or `NotAction`, and whether it is the latter."""
        given = [key for key in (element, f"Not{element}") if key in self._body]
        if len(given) != 1:
            how = "both" if given else "neither"
            return (self._odd(f"{how} {element} and Not{element}"),), False
        values = self._texts(given[0], self._body[given[0]])
        return tuple(self._checked(value, check) for value in values), given[0] != element

    def _principals(self) -> tuple[Text, ...]:
        value = self._body.get("Principal")
        if value is None or "NotPrincipal" in self._body:
            return (self._odd("NotPrincipal is not modelled" if value else "no Principal"),)
        if isinstance(value, Unresolved) or value == "*":
            return self._texts("Principal", value)
        if not isinstance(value, Mapping) or not value:
            return (self._odd(f"Principal is {value}"),)
        principals: list[Text] = []
        for kind, names in value.items():
            if kind == "AWS":
                texts = self._texts("Principal", names)
                principals += [self._checked(text, _principal_name) for text in texts]
            elif kind not in ("Service", "Federated", "CanonicalUser"):
                principals.append(self._odd(f"unknown kind of Principal {kind}"))
            # Those three never sign a call to an API as themselves.
        return tuple(principals)

    def _conditions(self) -> tuple[Condition, ...]:
        value = self._body.get("Condition", {})
        if not isinstance(value, Mapping):
            self._odd(f"Condition is {value}")
            return ()
        conditions: list[Condition] = []
        for operator, keys in value.items():
            if not isinstance(keys, Mapping) or not keys:
                self._odd(f"Condition {operator} is {keys}")
                continue
            for key, values in keys.items():
                texts = self._texts(f"{operator} {key}", values)
                conditions.append(
                    Condition(str(operator), str(key), tuple(map(self._versioned, texts)))
                )
        return tuple(conditions)

    def _texts(self, what: str, value: object) -> tuple[Text, ...]:
        values = value if isinstance(value, list | tuple) else [value]
        if not values:
            return (self._odd(f"{what} is empty"),)
        return tuple(self._text(what, item) for item in values)

    def _text(self, what: str, value: object) -> Text:
        if isinstance(value, Unresolved):
            return value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        return self._odd(f"{what} is {value}")

    def _checked(self, text: Text, check: Callable[[str], Text]) -> Text:
        checked = text if isinstance(text, Unresolved) else check(text)
        if isinstance(checked, Unresolved) and checked is not text:
            self._problems.append(checked.why)
        return checked

    def _resource(self, text: str) -> Text:
        # Variables have their place in an ARN's last field alone.
        is_arn = _ARN.fullmatch(text) and "${" not in "".join(text.split(":", 5)[:5])
        if not is_arn and not text.startswith(SHORT_FORM):
            return Unresolved(f"{text} is no ARN")
        return self._versioned(text)

    def _versioned(self, text: Text) -> Text:
        if isinstance(text, Unresolved) or self._has_variables:
            return text
        return without_variables(text)

    def _odd(self, why: str) -> Unresolved:
        self._problems.append(why)
        return Unresolved(why)


def _action(text: str) -> Text:
    return text if _ACTION.fullmatch(text) else Unresolved(f"{text} is no action")


def _principal_name(text: str) -> Text:
    """`*`, the ARN of one identity, or the number of an account; nothing else names a caller."""
    account = _ACCOUNT.fullmatch(text)
    if account:
        return account[1] or account[2]
    return text if _PRINCIPAL.fullmatch(text) else Unresolved(f"{text} is no principal")
