"""Event source mappings are stored, not run."""

from __future__ import annotations

from ministack.services import lambda_svc


def leave_event_sources_alone() -> None:
    """Keep MiniStack from polling queues and streams for functions.

    MiniStack: the first mapping starts a thread that takes records and runs the function in a
    worker of its own, on this interpreter. Here functions run on the Runtime API's workers, and
    whoever drives those reads the mappings (`ListEventSourceMappings`); a second reader would
    take messages away from it.
    AWS: Lambda polls on the function's behalf ("How Lambda processes records from stream and
    queue-based event sources", Lambda Developer Guide).
    """
    lambda_svc._ensure_poller = lambda: None
