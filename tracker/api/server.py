"""Runs the web process under uvicorn."""

import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from tracker import listening, serving, startup
from tracker.api.app import make_app
from tracker.settings import Settings


class Server(serving.Server):
    """A server that ends its streams when it stops: they go on for minutes."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.streams.end()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def serve(settings: Settings, descriptors: Sequence[int] = ()) -> None:
    """Serve until SIGTERM or SIGINT; descriptors: of sockets that were handed over.

    Raises SettingsError where it can't listen.
    """
    startup.begin()
    sockets = listening.sockets("web", settings.web_host, settings.web_port, descriptors)
    config = uvicorn.Config(
        make_app(settings),
        http=serving.Protocol,
        **startup.server_options(settings),
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(3)  # as uvicorn.run does
