"""Runs the collector under uvicorn."""

import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
import uvicorn

from tracker import listening, startup
from tracker.collector.app import can_take_hits, make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.serving import Server
from tracker.settings import Settings

OTHER_FILES = 64
"""What a collector has open beside its connections, at the most."""


def options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told."""
    return {**startup.server_options(settings), "loop": "uvloop", "http": HitsProtocol}


def serve(settings: Settings, descriptors: Sequence[int] = ()) -> None:
    """Serve until SIGTERM or SIGINT; answers what is under way before it ends.

    descriptors: of listening sockets that were handed over. Raises SettingsError where it can't
    listen.
    """
    startup.begin()
    allow_files(settings.connections + OTHER_FILES)
    sockets = listening.sockets(
        "collector", settings.collector_host, settings.collector_port, descriptors
    )
    app = make_app(settings)
    server = Server(uvicorn.Config(app, **options(settings)), lambda: can_take_hits(app))
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(3)  # as uvicorn.run does


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
