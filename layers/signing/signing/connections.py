"""Connections that are used again only while the other side can be trusted to know them.

An interface endpoint drops what comes on a connection that was idle for 350 s, without a word (AWS
Networking & Content Delivery blog, "Implementing long-running TCP connections within VPC
networking"), a load balancer closes after 60 s, many servers after five, perhaps while a request is
on its way. urllib3 notices only what was closed with a word that has arrived.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from .retries import may_repeat

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

IDLE_SECONDS = 50.0
SURE_SECONDS = 2.0  # for what may not be sent twice
_longest: ContextVar[float] = ContextVar("signing_longest_idle", default=IDLE_SECONDS)


class _Aging(HTTPConnectionPool):
    """Closes a connection that was idle for too long; urllib3 opens a closed one anew."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        # By the wall clock, and never back in time: Lambda may have been frozen in between.
        since = getattr(connection, "idle_since", None)
        if since is not None and not 0 <= time.time() - since < _longest.get():
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.time()
        super()._put_conn(conn)


class _AgingTls(_Aging, HTTPSConnectionPool): ...


_POOLS = {"http": _Aging, "https": _AgingTls}


class Adapter(HTTPAdapter):
    """What a session sends by."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager: Any = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        token = _longest.set(IDLE_SECONDS if may_repeat(request) else SURE_SECONDS)
        try:
            return super().send(request, *args, **kwargs)
        finally:
            _longest.reset(token)
