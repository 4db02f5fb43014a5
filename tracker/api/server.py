"""Runs the web process under uvicorn."""

import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import uvicorn

from tracker import listening, serving, startup
from tracker.api.app import make_app
from tracker.settings import Settings


class Server(serving.Server):
    """A server that ends its streams when it stops: they go on for minutes."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.streams.end()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told."""
    return {**startup.server_options(settings), "http": serving.Protocol}


def serve(settings: Settings, descriptors: Sequence[int] = ()) -> None:
    """Serve until SIGTERM or SIGINT; descriptors: of sockets that were handed over.

    Raises SettingsError where it can't listen.
    """
    startup.begin()
    sockets = listening.sockets("web", settings.web_host, settings.web_port, descriptors)
    server = Server(uvicorn.Config(make_app(settings), **options(settings)))
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(3)  # as uvicorn.run does
