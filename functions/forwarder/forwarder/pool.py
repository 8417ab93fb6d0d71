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

_SETTLED_SECONDS = 0.05
"""When the end of a connection would be here that the backend closes after an answer."""


class Pool:
    """Idle connections; safe to share by threads."""

    def __init__(self) -> None:
        # Appending to a deque and popping from it are atomic.
        self._idle: deque[Connection] = deque()

    def take(self, *, is_repeatable: bool) -> Connection | None:
        """A connection that seems alive, for what is repeatable or not, if there is one.

        The others met are closed: where one is too old, those below it are older.
        """
        longest = _IDLE_SECONDS if is_repeatable else SURE_SECONDS
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            idle = time.time() - connection.idle_since
            # Of a backend that closes after each answer, the end may be on its way.
            is_settled = is_repeatable or connection.was_reused or idle >= _SETTLED_SECONDS
            if is_settled and 0 <= idle < longest and connection.is_quiet():
                connection.was_reused = True
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
