"""Runs the collector under uvicorn."""

import uvicorn

from tracker import logs
from tracker.collector.app import make_app
from tracker.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; answers what is under way before it ends."""
    logs.configure()
    uvicorn.run(
        make_app(settings),
        host=settings.collector_host,
        port=settings.collector_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
