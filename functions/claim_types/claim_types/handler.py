"""The claim types route: one answer, the same for everyone."""

from __future__ import annotations

import json
from typing import Any

from claim_types.catalogue import CLAIM_TYPES

_ANSWER = {
    "statusCode": 200,
    "headers": {"Content-Type": "application/json", "Cache-Control": "max-age=3600"},
    "body": json.dumps({"claimTypes": CLAIM_TYPES}),
}


def lambda_handler(_event: object, _context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event, whatever is in it."""
    return _ANSWER
