"""How the server reads HTTP: strangers cannot fill its memory, or keep connections without use."""

import asyncio

from h11 import SERVER, Connection
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_BYTES = 65_536
"""What the address and the headers of a request may have. A provider's cookies need most of it."""
HEAD_SECONDS = 10.0
"""Seconds that a connection may stay open without a whole head."""
MAX_WAITING = 200
"""Connections that wait for a head. A process can often open 1,024 files, and needs some itself."""


class BoundedConnection(H11Protocol):
    """A connection that ends if the head of its request is too long or does not come."""

    _deadline: asyncio.TimerHandle | None = None

    # As in uvicorn: a stream has a Transport, which asyncio's type does not say.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.conn = Connection(SERVER, HEAD_BYTES)
        self._set_deadline()
        deadlines = {
            connection._deadline.when(): connection
            for connection in self.connections
            if isinstance(connection, BoundedConnection) and connection._deadline
        }
        if len(deadlines) > MAX_WAITING:
            # The oldest: a browser sends its request at once.
            deadlines[min(deadlines)].transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._set_deadline()

    def _set_deadline(self) -> None:
        """Starts the time for a head, or ends it when the head is there."""
        # The server counts neither an open websocket nor a lost connection to these connections.
        waits = self in self.connections and (self.cycle is None or self.cycle.response_complete)
        if waits and self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)
        elif self._deadline and not waits:
            self._deadline.cancel()
            self._deadline = None
