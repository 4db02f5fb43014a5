"""Runs the collector under uvicorn."""

from typing import Any

import uvicorn

from tracker import startup
from tracker.collector.app import make_app
from tracker.collector.http_limits import BoundedProtocol
from tracker.settings import Settings

OPTIONS: dict[str, Any] = {
    **startup.SERVER_OPTIONS,
    "loop": "uvloop",
    "http": BoundedProtocol,
}


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; answers what is under way before it ends."""
    startup.begin()
    uvicorn.run(
        make_app(settings),
        host=settings.collector_host,
        port=settings.collector_port,
        **OPTIONS,
    )
