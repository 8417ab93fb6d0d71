"""What is said of each call: one line of JSON, with its metrics in CloudWatch's embedded format.

    Failures  [function], [function, phase]  calls that the backend, or the way to it, let fail
    Latency   [function, phase]              milliseconds of exchanges that were answered

in the namespace below; phases are those of failure.py, and `answered`. Nothing of a path, query,
header, body or of the backend's name is in it.

Source: CloudWatch User Guide, "Specification: Embedded metric format"; Lambda Developer Guide,
"Python function logging" (what is printed is passed on as it is).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from forwarder.failure import BACKEND, REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forwarder.event import Request

NAMESPACE = "Backstairs/Forwarder"

_FUNCTION, _PHASE = ["function"], ["function", "phase"]
_FAILURES = {
    "Namespace": NAMESPACE,
    "Dimensions": [_FUNCTION, _PHASE],
    "Metrics": [{"Name": "Failures", "Unit": "Count"}],
}
_LATENCY = {
    "Namespace": NAMESPACE,
    "Dimensions": [_PHASE],
    "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}],
}

# For one text, less work than `json.dumps`.
_in_json = json.JSONEncoder().encode

_NOTHING: dict[str, str] = {}

logger = logging.getLogger("forwarder.backend")


class Report:
    """The lines of one function."""

    def __init__(self, function: str) -> None:
        self._function = function
        text = json.dumps(
            {"level": "INFO", "message": "answered", "function": function, "phase": "answered"}
        )
        # By hand: a logger's line costs thirty times as much, as much as a third of a call.
        self._start = text[:-1] + f', "_aws": {{"CloudWatchMetrics": [{json.dumps(_LATENCY)}]'

    def answered(self, request: Request, status: int, began: float) -> None:
        """A call with an answer of the backend's below 500."""
        passed = (time.monotonic() - began) * 1000
        sys.stdout.write(
            f'{self._start}, "Timestamp": {time.time_ns() // 1_000_000}}}, "Latency": {passed:.1f},'
            f' "milliseconds": {passed:.0f}, "status": {status}, "method": "{request.method}",'
            f' "api_request_id": {_in_json(request.request_id)}}}\n'
        )

    def failed(
        self,
        text: str,
        request: Request,
        *,
        status: int,
        began: float,
        phase: str,
        more: Mapping[str, str] = _NOTHING,
    ) -> None:
        """A call that was refused, or that the backend or the way to it let fail."""
        passed = (time.monotonic() - began) * 1000
        details: dict[str, Any] = {
            **more,
            "phase": phase,
            "status": status,
            "method": request.method,
            "milliseconds": round(passed),
            "api_request_id": request.request_id,
            "function": self._function,
        }
        if phase != REFUSED:
            metrics = [_FAILURES]
            details["Failures"] = 1
            if phase == BACKEND:
                metrics.append(_LATENCY)
                details["Latency"] = round(passed, 1)
            now = time.time_ns() // 1_000_000
            details["_aws"] = {"Timestamp": now, "CloudWatchMetrics": metrics}
        logger.warning(text, extra=details)
