"""Runs the web process under uvicorn."""

import socket
import sys
from contextlib import suppress

import uvicorn

from tracker import startup
from tracker.api.app import make_app
from tracker.settings import Settings


class Server(uvicorn.Server):
    """A server that stops at once: it would wait for streams, which go on for minutes."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.streams.end()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    startup.begin()
    config = uvicorn.Config(
        make_app(settings),
        host=settings.web_host,
        port=settings.web_port,
        **startup.SERVER_OPTIONS,
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)  # as uvicorn.run does
