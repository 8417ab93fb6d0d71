"""A `requests.Session` for one private API: addressed, signed on each attempt, tried again."""

from __future__ import annotations

import os
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, SSLError, Timeout
from requests.utils import rewind_body

from .auth import SigV4Auth, unsign
from .errors import DeadlineExceeded
from .refusals import as_answer, clock_offset
from .retries import Retries, call_ends, is_transient, may_repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

    from .api import PrivateApi
    from .credentials import Provider
    from .sigv4 import Credentials


class Session(requests.Session):
    """Calls to one API, by paths below its stage: `session.get("/members/123")`.

    Each attempt is signed when it is sent, with credentials asked for once. Redirects are not
    followed unless asked (`allow_redirects=True`), and never to another host. Proxy, CA bundle
    and timeouts are as in `requests`, except that there is a timeout by default, of
    `(connect, read)` seconds. Cookies are not kept. Safe to share between threads.

    `correlation_id` is called per request; what it returns goes out as `X-Correlation-Id`, beside
    X-Ray's `X-Amzn-Trace-Id`, both unsigned.
    """

    def __init__(
        self,
        api: PrivateApi,
        *,
        credentials: Credentials | Provider | None = None,
        retries: Retries | None = None,
        timeout: float | tuple[float, float] = (2.0, 30.0),
        correlation_id: Callable[[], str | None] | None = None,
        unsigned_payload: bool = False,
    ) -> None:
        super().__init__()
        self.api = api
        self.retries = retries or Retries()
        self.timeout = timeout
        self.correlation_id = correlation_id
        self.auth = _when_sent
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._signer = SigV4Auth(api, credentials=credentials, unsigned_payload=unsigned_payload)

    def get(self, url: str | bytes, **kwargs: Any) -> Response:
        return self.request("GET", url, **kwargs)

    def options(self, url: str | bytes, **kwargs: Any) -> Response:
        return self.request("OPTIONS", url, **kwargs)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        text = url.decode() if isinstance(url, bytes) else url
        kwargs.setdefault("allow_redirects", False)
        with call_ends(self.retries.total):
            return super().request(method, self.api.resolve(text), *args, **kwargs)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        with call_ends(self.retries.total) as end:
            if not kwargs.pop("allow_redirects", False):
                return self._send_until(end, request, kwargs)
            response = self._send_until(end, request, kwargs)
            history = [response, *self.resolve_redirects(response, request, **kwargs)]
        history[-1].history = history[:-1]
        return history[-1]

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Strip a redirect of its signature; `send` signs it, or refuses a foreign host."""
        unsign(prepared_request)

    def _send_until(self, end: float, request: PreparedRequest, options: dict[str, Any]) -> Response:
        timeout = options.pop("timeout", None) or self.timeout
        rewindable = _is_rewindable(request)
        repeatable = rewindable and may_repeat(cast("str", request.method), request.headers)
        attempt, resigned = 1, False
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded("no time left for the call", request=request)
            try:
                response = super().send(
                    self._signed(request),
                    timeout=_at_most(left, timeout),
                    allow_redirects=False,
                    **options,
                )
            except (ConnectionError, Timeout, ChunkedEncodingError) as error:
                wait = self.retries.wait(attempt)
                if not repeatable or isinstance(error, SSLError) or self._is_last(attempt, end - wait):
                    raise
            else:
                if rewindable and not resigned and self._learn_clock(response):
                    resigned, wait = True, 0.0
                    attempt -= 1
                else:
                    wait = self.retries.wait(attempt, response.headers)
                    if (
                        not repeatable
                        or not is_transient(response.status_code)
                        or self._is_last(attempt, end - wait)
                    ):
                        return as_answer(response)
                response.close()
            time.sleep(wait)
            attempt += 1
            _rewind(request)

    def _is_last(self, attempt: int, latest: float) -> bool:
        return attempt >= self.retries.attempts or time.monotonic() >= latest

    def _learn_clock(self, response: Response) -> bool:
        offset = clock_offset(response)
        if offset is None:
            return False
        self._signer.clock_offset = offset
        return True

    def _signed(self, request: PreparedRequest) -> PreparedRequest:
        attempted = request.copy()
        for name, value in self._passed_on():
            if value:
                attempted.headers.setdefault(name, value)
        self._signer.sign(attempted)
        return attempted

    def _passed_on(self) -> tuple[tuple[str, str | None], ...]:
        return (
            ("X-Amzn-Trace-Id", os.environ.get("_X_AMZN_TRACE_ID")),
            ("X-Correlation-Id", self.correlation_id() if self.correlation_id else None),
        )


def _when_sent(request: PreparedRequest) -> PreparedRequest:
    """Stand for the signature that `send` makes; also keeps requests from reading .netrc."""
    return request


def _at_most(left: float, timeout: float | tuple[float, float]) -> tuple[float, float]:
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return min(connect, left), min(read, left)


def _is_rewindable(request: PreparedRequest) -> bool:
    body = request.body
    return body is None or isinstance(body, (str, bytes)) or hasattr(body, "seek")


def _rewind(request: PreparedRequest) -> None:
    if hasattr(request.body, "seek"):
        rewind_body(request)
