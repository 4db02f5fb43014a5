"""Runs the collector under uvicorn."""

import resource
from typing import Any

import structlog
import uvicorn

from tracker import startup
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.settings import Settings

OTHER_FILES = 64
"""What a collector has open beside its connections, at the most."""


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
    allow_files(settings.connections + OTHER_FILES)
    uvicorn.run(
        make_app(settings),
        host=settings.collector_host,
        port=settings.collector_port,
        **options(settings),
    )


def allow_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as it may; each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return
    allowed = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        structlog.get_logger("collector").warning("few_files", allowed=allowed, wanted=wanted)
