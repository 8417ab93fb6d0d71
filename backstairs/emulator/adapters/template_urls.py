"""Templates that name S3 as AWS would."""

from __future__ import annotations

import os
import re
from typing import Any

from ministack.core.responses import get_region
from ministack.services.cloudformation import handlers

Answer = tuple[int, dict[str, str], Any]


def show_s3_addresses() -> None:
    """Show the addresses of packaged nested templates as S3's own.

    MiniStack: returns the template that `sam deploy` uploaded, in which a nested application's
    address is this account's endpoint; `sam delete` reads the address back and accepts S3's alone.
    AWS: the endpoint is S3's ("Access an Amazon S3 general purpose bucket", path-style requests).
    """
    get_template = handlers._ACTION_HANDLERS["GetTemplate"]
    here = f"http://{os.environ['MINISTACK_HOST']}:{os.environ['GATEWAY_PORT']}/"
    packaged = re.compile(re.escape(here) + r"(?=[a-z0-9.-]+/[^\s\"'<>&]*\.template\b)")

    def shown(parameters: dict[str, Any]) -> Answer:
        status, headers, body = get_template(parameters)
        s3 = f"https://s3.{get_region()}.amazonaws.com/"
        text = body.decode() if isinstance(body, bytes) else body
        text = packaged.sub(s3, text)
        return status, headers, text.encode() if isinstance(body, bytes) else text

    handlers._ACTION_HANDLERS["GetTemplate"] = shown
