"""CloudFormation's intrinsic functions and conditions, resolved by what is known of a stack.

A value that cannot be resolved becomes `Unresolved`, with the reason, and stays visible to whatever
depends on it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from backstairs.access import Unresolved
from backstairs.template.sources import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = Any
# What CloudFormation reads from elsewhere: `{{resolve:ssm:/network/endpoint}}`.
_DYNAMIC = "{{resolve:"
_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a stack, so that its intrinsics can be resolved.

    `parameters` are the stack's with their defaults; `physical_ids` by logical id; `attribute`
    answers `Fn::GetAtt`, `export` `Fn::ImportValue` and `reference` `Ref` to what has no id there,
    each with `Unresolved` for what it does not know.
    """

    parameters: Mapping[str, Json]
    physical_ids: Mapping[str, str]
    account: str
    region: str
    stack_name: str
    attribute: Callable[[str, str], Json]
    export: Callable[[str], Json] = field(default=lambda name: Unresolved(f"import of {name}"))
    reference: Callable[[str], Json] = field(default=lambda name: Unresolved(f"Ref {name}"))
    partition: str = "aws"

    def pseudo(self) -> dict[str, Json]:
        """The pseudo parameters."""
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.stack_name,
            "AWS::NoValue": NO_VALUE,
        }


NO_VALUE = Unresolved("AWS::NoValue")


class Resolver:
    """Resolves the intrinsics of one translated template."""

    def __init__(self, template: Mapping[str, Json], known: Known) -> None:
        self._known = known
        self._names: dict[str, Json] = {**known.physical_ids, **known.parameters, **known.pseudo()}
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self._decided: dict[str, bool | Unresolved] = {}

    def condition(self, name: str) -> bool | Unresolved:
        """Whether a named condition holds."""
        if not isinstance(name, str) or name not in self._conditions:
            return Unresolved(f"condition {name} is not defined")
        if name not in self._decided:
            self._decided[name] = Unresolved(f"condition {name} refers to itself")
            self._decided[name] = self._operand(self._conditions[name])
        return self._decided[name]

    def _operand(self, part: Json) -> bool | Unresolved:
        """What stands where a condition is expected."""
        if isinstance(part, dict) and part.keys() == {"Condition"}:
            return self.condition(part["Condition"])
        value = self.resolve(part)
        return (
            value if isinstance(value, bool | Unresolved) else Unresolved(f"{part} is no condition")
        )

    def exists(self, resource: Mapping[str, Json]) -> bool | Unresolved:
        """Whether a resource is created, by its Condition."""
        return self.condition(resource["Condition"]) if "Condition" in resource else True

    def resolve(self, value: Json) -> Json:
        """A value with its intrinsics replaced; what cannot be, as `Unresolved`."""
        if isinstance(value, list):
            items = (self.resolve(item) for item in value)
            return [item for item in items if item is not NO_VALUE]
        if isinstance(value, str) and _DYNAMIC in value:
            return Unresolved(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        kept = {key: item for key, item in resolved.items() if item is not NO_VALUE}
        return Written(kept, value.source) if isinstance(value, Written) else kept

    def _function(self, name: str, argument: Json) -> Json:
        method = self._FUNCTIONS.get(name)
        if method is None:
            return Unresolved(f"{name} is not modelled")
        try:
            return method(self, argument)
        except (AttributeError, TypeError, ValueError, LookupError) as error:
            return Unresolved(f"{name} {argument}: {error!r}")

    def _ref(self, argument: Json) -> Json:
        # With AWS::LanguageExtensions a function may say what is meant.
        name = self.resolve(argument) if isinstance(argument, dict) else argument
        if not isinstance(name, str):
            return Unresolved(f"Ref {argument}")
        known = self._names.get(name)
        return self._known.reference(name) if known is None else known

    def _get_att(self, argument: Json) -> Json:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        logical_id, attribute = (self.resolve(part) for part in argument)
        for part in (logical_id, attribute):
            if isinstance(part, Unresolved):
                return part
        return self._known.attribute(logical_id, str(attribute))

    def _if(self, argument: Json) -> Json:
        name, if_true, if_false = argument
        decided = self.condition(name)
        if isinstance(decided, Unresolved):
            return decided
        return self.resolve(if_true if decided else if_false)

    def _sub(self, argument: Json) -> Json:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        missing: list[Unresolved] = []

        def value(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return "${" + name + "}"
            if name in variables:
                result = self.resolve(variables[name])
            elif "." in name:
                result = self._get_att(name)
            else:
                result = self.resolve({"Ref": name})
            if isinstance(result, list | dict):
                result = Unresolved(f"${{{name}}} is no text")
            if isinstance(result, Unresolved):
                missing.append(result)
            return _text(result)

        replaced = _SUB.sub(value, text)
        return missing[0] if missing else replaced

    def _join(self, argument: Json) -> Json:
        separator, items = argument[0], self._list(argument[1])
        if isinstance(items, Unresolved):
            return items
        return _unresolved_in(items) or separator.join(map(_text, items))

    def _select(self, argument: Json) -> Json:
        index, items = int(self.resolve(argument[0])), self._list(argument[1])
        if isinstance(items, Unresolved):
            return items
        return items[index] if index >= 0 else Unresolved(f"element {index} of a list")

    def _list(self, argument: Json) -> list[Json] | Unresolved:
        items = self.resolve(argument)
        return items if isinstance(items, list | Unresolved) else Unresolved(f"{items} is no list")

    def _split(self, argument: Json) -> Json:
        text = self.resolve(argument[1])
        return text if isinstance(text, Unresolved) else text.split(argument[0])

    def _find_in_map(self, argument: Json) -> Json:
        names = [self.resolve(part) for part in argument[:3]]
        default = argument[3] if len(argument) > 3 else {}  # noqa: PLR2004
        first, second, third = names
        try:
            return self.resolve(self._mappings[first][second][third])
        except LookupError:
            if _unresolved_in(names) or "DefaultValue" not in default:
                raise
            return self.resolve(default["DefaultValue"])

    def _length(self, argument: Json) -> Json:
        items = self._list(argument)
        return items if isinstance(items, Unresolved) else len(items)

    def _to_json(self, argument: Json) -> Json:
        value = self.resolve(argument)
        return _unresolved_in(value) or json.dumps(value, separators=(",", ":"))

    def _cidr(self, argument: Json) -> Json:
        """`count` ranges of a block, each with `bits` bits for hosts."""
        block, count, bits = (self.resolve(part) for part in [*argument, 8][:3])
        if (unknown := _unresolved_in([block, count, bits])) is not None:
            return unknown
        network = ipaddress.ip_network(block)
        prefix = network.max_prefixlen - int(bits)
        return [str(one) for one in islice(network.subnets(new_prefix=prefix), int(count))]

    def _import_value(self, argument: Json) -> Json:
        name = self.resolve(argument)
        return name if isinstance(name, Unresolved) else self._known.export(name)

    def _equals(self, argument: Json) -> Json:
        left, right = (self.resolve(side) for side in argument)
        return _unresolved_in([left, right]) or _text(left) == _text(right)

    def _logic(self, argument: Json, *, decisive: bool) -> Json:
        parts = [self._operand(part) for part in argument]
        return decisive if decisive in parts else _unresolved_in(parts) or not decisive

    def _not(self, argument: Json) -> Json:
        (part,) = argument
        value = self._operand(part)
        return value if isinstance(value, Unresolved) else not value

    _FUNCTIONS: Mapping[str, Callable[[Resolver, Json], Json]] = {
        "Fn::GetAtt": _get_att,
        "Fn::If": _if,
        "Fn::Sub": _sub,
        "Fn::Join": _join,
        "Fn::Select": _select,
        "Fn::Split": _split,
        "Fn::FindInMap": _find_in_map,
        "Fn::ImportValue": _import_value,
        "Fn::Cidr": _cidr,
        "Fn::Length": _length,
        "Fn::ToJsonString": _to_json,
        "Fn::Equals": _equals,
        "Fn::And": lambda self, argument: self._logic(argument, decisive=False),
        "Fn::Or": lambda self, argument: self._logic(argument, decisive=True),
        "Fn::Not": _not,
    }


def _text(value: Json) -> str:
    """A scalar as CloudFormation writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unresolved_in(value: Json) -> Unresolved | None:
    """The first unresolved value anywhere in a value."""
    if isinstance(value, Unresolved):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, map(_unresolved_in, parts)), None)


def parameter_values(template: Mapping[str, Json], given: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters of a template with their defaults; list types as lists.

    What is given may be `Unresolved`, or a list.
    """
    values: dict[str, Json] = {}
    for name, declared in template.get("Parameters", {}).items():
        value = given.get(name, declared.get("Default"))
        if value is None:
            values[name] = Unresolved(f"parameter {name} has no value")
        elif isinstance(value, Unresolved | list):
            values[name] = value
        elif declared["Type"].startswith("AWS::SSM::"):
            values[name] = Unresolved(f"parameter {name} is read from Systems Manager")
        elif declared["Type"] == "CommaDelimitedList" or declared["Type"].startswith("List<"):
            values[name] = [item.strip() for item in _text(value).split(",")] if value else []
        else:
            values[name] = _text(value)
    return values
