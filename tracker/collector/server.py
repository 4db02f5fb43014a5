"""Runs the collector under uvicorn."""

from typing import Any

import uvicorn

from tracker import startup
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.settings import Settings


def options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told: X-Forwarded-For counts when a trusted proxy sent it, and else not."""
    return {
        **startup.SERVER_OPTIONS,
        "loop": "uvloop",
        "http": HitsProtocol,
        "proxy_headers": True,
        "forwarded_allow_ips": settings.trusted_proxies,
    }


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; answers what is under way before it ends."""
    startup.begin()
    uvicorn.run(
        make_app(settings),
        host=settings.collector_host,
        port=settings.collector_port,
        **options(settings),
    )
