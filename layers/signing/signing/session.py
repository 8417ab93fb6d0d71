"""A `requests.Session` for one API: addressed, signed on each attempt, tried again."""

from __future__ import annotations

import os
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.exceptions import ChunkedEncodingError, SSLError, Timeout
from requests.utils import rewind_body

from .auth import SigV4Auth, unsign
from .connections import Adapter
from .errors import DeadlineExceeded, HostRefused
from .payload import spooled
from .refusals import as_answer, clock_offset
from .retries import TRANSIENT, Retries, can_be_sent_again, limits_of, may_repeat, within

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TypedDict

    from requests import PreparedRequest, Response

    from .api import PrivateApi
    from .credentials import Provider
    from .keys import Credentials

    class Options(TypedDict, total=False):
        credentials: Credentials | Provider | None
        retries: Retries
        timeout: float | tuple[float, float]
        correlation_id: Callable[[], str | None] | None
        unsigned_payload: bool
        spool: int | None


_TIMEOUT = (2.0, 30.0)  # API Gateway gives up after 29 s, unless a REST API's quota was raised
_TOTAL = 30.0
_RETRIES = Retries()
_SKEW = 60  # seconds; API Gateway tolerates 300
_THREADS = 64  # that may share a session
_BEFORE_TIMEOUT = 6  # positional arguments of requests.Session.request
_NO_ANSWER = (requests.ConnectionError, Timeout, ChunkedEncodingError)


class Session(requests.Session):
    """Calls to one API, by paths below its stage: `session.get("/members/123")`.

    Every attempt is signed as it is sent, with credentials asked for once. Idempotent requests,
    and those with an Idempotency-Key, are tried again when no answer came or it was 429, 502, 503
    or 504; any request is signed and sent once more when API Gateway refused it for its date. What
    may not be repeated is never sent on a connection that was idle for longer than two seconds.
    After the last attempt the answer is returned, or `requests`' own exception raised.
    `raise_for_status` explains a 403 of API Gateway (see `errors`).

    Proxies and CA bundle are as in `requests`. `timeout` is in seconds, to connect and between two
    pieces of an answer: positive, and no longer than the `total` of `retries`, or else ValueError.
    Redirects are followed only if asked (`allow_redirects=True`), signed anew, never to another
    host. Cookies are not kept. A stream, which can be read only once, is hashed first if `spool`
    says how many bytes of it may be kept in memory and a temporary file. May be shared between
    threads, not pickled. What `correlation_id` returns goes out as X-Correlation-Id, beside X-Ray's
    X-Amzn-Trace-Id, both unsigned.
    """

    def __init__(
        self,
        api: PrivateApi,
        *,
        credentials: Credentials | Provider | None = None,
        retries: Retries = _RETRIES,
        timeout: float | tuple[float, float] = _TIMEOUT,
        correlation_id: Callable[[], str | None] | None = None,
        unsigned_payload: bool = False,
        spool: int | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(retries, Retries):
            raise TypeError(f"retries={retries!r}: give Retries(attempts=1) for no second attempt")
        self.api = api
        self.retries = retries
        self.timeout = timeout
        self.spool = spool
        self._total(timeout)
        self.correlation_id = correlation_id
        self.signer = SigV4Auth(api, credentials=credentials, unsigned_payload=unsigned_payload)
        self.auth = _when_sent
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = Adapter(pool_maxsize=_THREADS)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get(self, url: str | bytes, **kwargs: Any) -> Response:
        return self.request("GET", url, **kwargs)

    def options(self, url: str | bytes, **kwargs: Any) -> Response:
        return self.request("OPTIONS", url, **kwargs)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        path = url.decode() if isinstance(url, bytes) else url
        kwargs.setdefault("allow_redirects", False)
        if len(args) <= _BEFORE_TIMEOUT:
            kwargs.setdefault("timeout", self.timeout)
            self._total(kwargs["timeout"])
        return super().request(method, self.api.resolve(path), *args, **kwargs)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        follow = kwargs.pop("allow_redirects", False)
        kwargs.setdefault("timeout", self.timeout)
        for name in ("stream", "verify", "cert"):
            kwargs.setdefault(name, getattr(self, name))
        with within(self._total(kwargs["timeout"])) as end, spooled(request, self.spool) as whole:
            response = self._send_until(end, whole, kwargs)
            if not follow:
                return response
            hops = [response]
            try:
                for hop in self.resolve_redirects(response, whole, **kwargs):
                    hops.append(hop)  # noqa: PERF402  those before a refusal are needed
            except HostRefused as refused:
                refused.response = hops[-1]
                raise
        *before, last = hops
        last.history = before
        return last

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Take the signature off a redirect; `send` signs it anew, or refuses a foreign host."""
        unsign(prepared_request)
        # As urllib3 would make it after signing.
        prepared_request.prepare_url(self.api.reached(prepared_request.url or ""), None)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Session is neither pickled nor copied: do that to its PrivateApi")

    def _total(self, timeout: Any) -> float:
        """Return the seconds that all attempts have together; ValueError for a bad timeout."""
        connect, read = limits = limits_of(timeout)
        total = self.retries.total
        if total is None:
            return max(_TOTAL, connect + read)
        if timeout is not _TIMEOUT and max(limits) > total:
            raise ValueError(
                f"a timeout of {max(limits):g} s is longer than all attempts have, {total:g} s: "
                "give retries=Retries(total=...)"
            )
        return total

    def _send_until(self, end: float, request: PreparedRequest, options: Any) -> Response:
        attempts = self.retries.attempts if may_repeat(request) else 1
        attempt, clock_trusted = 1, not can_be_sent_again(request.body)
        while True:
            used = self.signer.clock_offset
            try:
                response = self._attempt(end, request, options)
            except _NO_ANSWER as error:
                wait = self._wait(attempt, attempts, {}, end)
                if wait is None or isinstance(error, SSLError):
                    raise
            else:
                if not clock_trusted and self._learn_clock(response, used):
                    attempt, wait, clock_trusted = attempt - 1, 0.0, True
                else:
                    wait = self._wait(attempt, attempts, response.headers, end)
                    if wait is None or response.status_code not in TRANSIENT:
                        return as_answer(response)
                response.close()
            time.sleep(wait)
            attempt += 1
            if hasattr(request.body, "seek"):
                rewind_body(request)

    def _attempt(self, end: float, request: PreparedRequest, options: Any) -> Response:
        left = end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("no time left for the call", request=request)
        signed = request.copy()
        for name, value in (
            ("X-Amzn-Trace-Id", os.environ.get("_X_AMZN_TRACE_ID")),
            ("X-Correlation-Id", self.correlation_id and self.correlation_id()),
        ):
            if value:
                signed.headers.setdefault(name, value)
        self.signer.sign(signed)
        connect, read = limits_of(options["timeout"])
        bounded = urllib3.Timeout(left, min(connect, left), min(read, left))
        return super().send(signed, **{**options, "timeout": bounded, "allow_redirects": False})

    def _wait(self, attempt: int, attempts: int, headers: Any, end: float) -> float | None:
        """Return the seconds to wait for the next attempt, if there are attempts and time left."""
        if attempt >= attempts:
            return None
        wait = self.retries.wait(attempt, headers)
        return wait if time.monotonic() + wait < end else None

    def _learn_clock(self, response: Response, used: float) -> bool:
        offset = clock_offset(response)
        if offset is None or abs(offset - used) < _SKEW:
            return False
        self.signer.clock_offset = offset
        return True


def _when_sent(request: PreparedRequest) -> PreparedRequest:
    """Stand for the signature that `send` makes; also keeps `requests` from reading .netrc."""
    return request
