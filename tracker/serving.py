"""A uvicorn server of whose end its clients notice nothing, while others listen in its place.

When it is told to stop it takes no new connections, and each answer on those it has is the last
one: it says `Connection: close`. Only what rests for as long as it may rest anyway is closed
unasked, so a client that sends its next request just then meets nothing that a running server
would not do to it.
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from itertools import count
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tracker import listening
from tracker.rules import ip_addresses

LINGER_SECONDS = 5.0
"""How long a stopping server waits for connections to end: as long as they may rest anyway."""
POLL_SECONDS = 0.1


class State(ServerState):
    """What all connections of a server know of it."""

    stopping = False


class Protocol(HttpToolsProtocol):
    """A connection that takes its leave of the client once the server is stopping."""

    server_state: State

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            host, port = self.client
            self.client = ip_addresses.plain(host), port

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may go on after the answer to the request at hand."""
        return self.parser.should_keep_alive() and not self.server_state.stopping

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.server_state.stopping:
            self.see_off()

    def see_off(self) -> None:
        """End after the answer that is owed."""
        if self.cycle is not None:
            self.cycle.keep_alive = False


class Server(uvicorn.Server):
    """SIGTERM sees all clients off; SIGINT answers what is under way, and ends the rest at once.

    is_ready: asked until it says yes, of which whoever started the process is told.
    """

    def __init__(self, config: uvicorn.Config, is_ready: Callable[[], bool] = lambda: True) -> None:
        super().__init__(config)
        self.server_state: State = State()
        self.hurries = False
        self._is_ready = is_ready
        self._told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.hurries |= sig == signal.SIGINT
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if not self._told and self._is_ready():
            self._told = True
            listening.tell(listening.READY)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.server_state.stopping = True
        for server in self.servers:
            server.close()
        listening.close(sockets or ())
        await self._see_off()
        await super().shutdown(sockets)

    async def _see_off(self) -> None:
        connections = self.server_state.connections
        for connection in list(connections):
            if isinstance(connection, Protocol):
                connection.see_off()
        for tick in count(1):
            if self.hurries or tick * POLL_SECONDS > LINGER_SECONDS:
                return
            await asyncio.sleep(POLL_SECONDS)
            await self.on_tick(tick)  # the answers' Date goes on
            if not connections:
                return
