"""Connections that wait for the next request, the last one used first."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forwarder.connection import Connection

_IDLE_SECONDS = 50.0
"""Load balancers close after 60 s (Elastic Load Balancing, "Connection idle timeout")."""


class Pool:
    """Idle connections; safe to share by threads."""

    def __init__(self) -> None:
        # Appending to a deque and popping from it are atomic.
        self._idle: deque[Connection] = deque()

    def take(self) -> Connection | None:
        """A connection that seems alive, if there is one; the others met are closed."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            idle = time.time() - connection.idle_since
            if 0 <= idle < _IDLE_SECONDS and connection.is_quiet():
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
