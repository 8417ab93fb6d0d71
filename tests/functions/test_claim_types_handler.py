"""The claim types route."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from claim_types.handler import lambda_handler
from claims.claim import parse

if TYPE_CHECKING:
    from collections.abc import Callable


def test_every_claim_type_can_be_claimed(event: Callable[[str], Any], context: Any) -> None:
    """The codes in the answer are valid claim types of a claim."""
    answer = lambda_handler(event("claim_types/list"), context)
    claim = json.loads(event("claims/create")["body"])
    listed = json.loads(answer["body"])["claimTypes"]
    assert answer["statusCode"] == 200
    assert listed
    for claim_type in listed:
        assert re.fullmatch(r"[a-z-]+", claim_type["code"])
        parse(json.dumps(claim | {"claimType": claim_type["code"]}))
