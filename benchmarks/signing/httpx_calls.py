"""What the httpx auth adds to a call by httpx, over a transport that leads nowhere."""

from __future__ import annotations

import gc
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from signing import HttpxAuth, PrivateApi

from benchmarks.signing import ours
from benchmarks.signing.subject import API_ID, REGION, URL, fresh, prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

ROUNDS = 41
COUNT = 100
LIMIT = 1.15
SUBJECTS = ("GET", "POST 64 KiB")


class Nowhere(httpx.BaseTransport):
    """Takes headers and body as httpx's own transport does, and sends them nowhere."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _ = request.headers.raw
        for _ in request.stream:  # type: ignore[union-attr]  # a client's streams are not async
            pass
        return httpx.Response(200)


def caller(request: PreparedRequest, client: httpx.Client) -> Callable[[], object]:
    """A call of this request by a client."""
    url, body = request.url or "", request.body
    content = body.encode() if isinstance(body, str) else body
    headers = {} if body is None else {"Content-Type": "application/json"}
    return lambda: client.request(request.method or "", url, content=content, headers=headers)


def in_turn(call: Callable[[], object], sign: Callable[[Any], object], given: object) -> None:
    call()
    sign(given)


def cost(calls: list[Callable[[], object]]) -> float:
    """Microseconds of CPU each."""
    gc.disable()
    start = time.process_time()
    for call in calls:
        call()
    elapsed = time.process_time() - start
    gc.enable()
    return elapsed / len(calls) * 1e6


def measure() -> bool:
    """Print CPU per call without and with the auth; say whether the limit holds."""
    api = PrivateApi(url=URL, region=REGION, api_id=API_ID)
    plain = httpx.Client(transport=Nowhere())
    signing = httpx.Client(transport=Nowhere(), auth=HttpxAuth(api, credentials=ours.KEYS))
    floor, subjects, good = ours.floor(), prepared(), True
    print("\nhttpx, microseconds of CPU per call")
    for name in SUBJECTS:
        request = subjects[name]
        call, signed = caller(request, plain), caller(request, signing)
        without, both, with_auth = [], [], []
        for _ in range(ROUNDS):
            given = [floor.convert(fresh(request)) for _ in range(COUNT)]
            without.append(cost([call] * COUNT))
            both.append(cost([partial(in_turn, call, floor.sign, one) for one in given]))
            with_auth.append(cost([signed] * COUNT))
        alone, base, ours_cost = map(statistics.median, (without, both, with_auth))
        ratio = ours_cost / base
        good &= ratio <= LIMIT
        print(
            f"{name:12} without {alone:6.1f}, and the floor after each {base:6.1f}, with HttpxAuth "
            f"{ours_cost:6.1f}: {ratio:.2f} (limit {LIMIT})"
        )
    return good
