"""Runs the collector under uvicorn."""

import resource
import socket
import sys
from contextlib import suppress
from typing import Any

import structlog
import uvicorn

from tracker import startup
from tracker.collector.app import make_app
from tracker.collector.hot_path import HitsProtocol
from tracker.settings import Settings, SettingsError

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
    """Serve until SIGTERM or SIGINT; answers what is under way before it ends.

    Raises SettingsError where it can't listen.
    """
    startup.begin()
    allow_files(settings.connections + OTHER_FILES)
    sockets = listening(settings.collector_host, settings.collector_port)
    server = uvicorn.Server(uvicorn.Config(make_app(settings), **options(settings)))
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(3)  # as uvicorn.run does


def listening(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that a host name has, bound; uvicorn listens when it is ready.

    Collectors of one user may share a port: the system spreads new connections over them, and a new
    one can start before an old one stops. Raises SettingsError.
    """
    sockets = []
    try:
        for family, kind, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            sockets.append(one := socket.socket(family, kind))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except OSError as error:
        for one in sockets:
            one.close()
        raise SettingsError(
            f"The collector can't listen on {host}, port {port}: {error.strerror or error}.\n"
            "Stop what listens there, or set PINTAG_COLLECTOR_HOST and PINTAG_COLLECTOR_PORT."
        ) from None
    return sockets


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
