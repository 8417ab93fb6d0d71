"""Generated names that no later stack gets again."""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners


def name_by_stack_id() -> None:
    """Make generated physical names differ between two stacks of one name.

    MiniStack: derives the suffix from the stack's name and the logical id, so that a stack
    deleted and deployed again overwrites what the first one retained: a kept table is emptied.
    AWS: "a unique physical ID" ("Name type"), so that both exist.
    """
    generate = provisioners._physical_name

    def generated(stack_name: str, logical_id: str, **options: Any) -> str:
        stack_id = (cloudformation._stacks.get(stack_name) or {}).get("StackId", "")
        token = provisioners._NAME_SEED.set(stack_id + provisioners._NAME_SEED.get())
        try:
            name: str = generate(stack_name, logical_id, **options)
        finally:
            provisioners._NAME_SEED.reset(token)
        return name

    provisioners._physical_name = generated
