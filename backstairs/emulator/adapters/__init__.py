"""What MiniStack 1.5.33 lacks and this application needs: one adapter each, all in `ADAPTERS`.

An adapter is a function that changes MiniStack in this process, once, before the first request.
Its docstring says what MiniStack does and what AWS does, and where AWS says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstairs.emulator.adapters.api_keys import keep_api_keys
from backstairs.emulator.adapters.custom_resources import answer_for_custom_resources
from backstairs.emulator.adapters.dropped_properties import say_what_is_dropped
from backstairs.emulator.adapters.event_sources import leave_event_sources_alone
from backstairs.emulator.adapters.functions import keep_function_network
from backstairs.emulator.adapters.http_apis import import_http_apis
from backstairs.emulator.adapters.managed_policies import know_managed_policies
from backstairs.emulator.adapters.named_resources import authorize_named_resources
from backstairs.emulator.adapters.nested_stacks import complete_nested_stacks
from backstairs.emulator.adapters.physical_names import name_by_stack_id
from backstairs.emulator.adapters.recorded_types import record_types_without_effect
from backstairs.emulator.adapters.rest_apis import keep_rest_api_definitions
from backstairs.emulator.adapters.roles import limit_roles
from backstairs.emulator.adapters.sam_parameters import transform_with_parameters
from backstairs.emulator.adapters.security_group_rules import provide_security_group_rules
from backstairs.emulator.adapters.stages import keep_stage_access_logs
from backstairs.emulator.adapters.tables import keep_table_protections
from backstairs.emulator.adapters.template_urls import show_s3_addresses
from backstairs.emulator.adapters.vpc_attributes import provide_vpc_attributes
from backstairs.emulator.adapters.vpc_endpoints import connect_interface_endpoints

if TYPE_CHECKING:
    from collections.abc import Callable

ADAPTERS: tuple[Callable[[], None], ...] = (
    connect_interface_endpoints,
    provide_vpc_attributes,
    provide_security_group_rules,
    keep_rest_api_definitions,
    keep_stage_access_logs,
    keep_api_keys,
    import_http_apis,
    answer_for_custom_resources,
    keep_function_network,
    keep_table_protections,
    know_managed_policies,
    limit_roles,
    authorize_named_resources,
    complete_nested_stacks,
    transform_with_parameters,
    show_s3_addresses,
    name_by_stack_id,
    leave_event_sources_alone,
    record_types_without_effect,
    say_what_is_dropped,
)


def install() -> None:
    """Put every adapter in place."""
    for adapter in ADAPTERS:
        adapter()
