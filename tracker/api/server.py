"""Runs the web process under uvicorn."""

import uvicorn

from tracker import startup
from tracker.api.app import make_app
from tracker.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    startup.begin()
    uvicorn.run(
        make_app(settings),
        host=settings.web_host,
        port=settings.web_port,
        **startup.SERVER_OPTIONS,
    )
