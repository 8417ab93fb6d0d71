"""Connections that wait for the next request, the last one used first."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forwarder.connection import Connection

_IDLE_SECONDS = 50.0
"""Load balancers close after 60 s (Elastic Load Balancing, "Connection idle timeout")."""

SURE_SECONDS = 2.0
"""How long a connection may have been idle that is to take what cannot be sent again.

Many servers close idle ones after five seconds (Node.js `keepAliveTimeout`, Apache
`KeepAliveTimeout`), perhaps while a request is on its way to them."""


class Pool:
    """Idle connections; safe to share by threads."""

    def __init__(self) -> None:
        # Appending to a deque and popping from it are atomic.
        self._idle: deque[Connection] = deque()

    def take(self, longest: float = _IDLE_SECONDS) -> Connection | None:
        """A connection idle for less than `longest` seconds that seems alive, if there is one.

        The others met are closed: where one is too old, those below it are older.
        """
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            idle = time.time() - connection.idle_since
            if 0 <= idle < longest and connection.is_quiet():
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        """Keep a connection on which no answer is due."""
        connection.idle_since = time.time()
        self._idle.append(connection)

    def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            self._idle.pop().close()
