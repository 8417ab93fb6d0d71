"""The SAM transform with the parameters of the stack."""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers
from samtranslator.translator import transform as sam

Json = dict[str, Any]

_values: contextvars.ContextVar[Json] = contextvars.ContextVar("sam_parameters")


def transform_with_parameters() -> None:
    """Give the SAM transform the values of the stack's parameters.

    MiniStack: gives it none, so that it writes the *defaults* wherever it resolves a reference by
    itself (an API's `Auth`, a function's `Tracing`, `AutoPublishAlias` ...), whatever was passed.
    AWS: a macro gets the values ("Create a CloudFormation macro definition":
    `templateParameterValues`). That lists arrive as lists is taken from there too; nobody here has
    seen it for `AWS::Serverless`.
    """
    apply, transform = engine._apply_transforms, sam.transform

    def applied(template: Json, provided: Any = None, previous: Any = None) -> Json:
        values = engine._transform_parameters(template, provided, previous)
        token = _values.set(_typed(values, template.get("Parameters") or {}))
        try:
            result: Json = apply(template, provided, previous)
        finally:
            _values.reset(token)
        return result

    def transformed(template: Json, _: Json, *rest: Any) -> Any:
        return transform(template, dict(_values.get()), *rest)

    for module in (engine, handlers, changesets):
        module._apply_transforms = applied
    sam.transform = transformed


def _typed(values: Json, definitions: Json) -> Json:
    typed = {}
    for name, value in values.items():
        _, is_list = engine._rule_inner_type(definitions[name].get("Type", "String"))
        typed[name] = [member.strip() for member in value.split(",")] if is_list else value
    return typed
