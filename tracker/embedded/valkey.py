"""Valkey: what a hit queue needs of it, and nothing that would lose a hit."""

import os
from functools import partial
from pathlib import Path
from urllib.parse import quote

from tracker.embedded import binaries, probes
from tracker.embedded.layout import Layout
from tracker.embedded.processes import Part

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "always",  # the collector's 204 means "on disk"
    "maxmemory-policy": "noeviction",  # a full queue must refuse hits, never forget some
    "save": "",  # the append-only file is all we need
    "daemonize": "no",
    "logfile": "",  # to our log file
}


def part(layout: Layout) -> Part:
    """The Valkey of a data directory. Raises EmbeddedError where the platform has none."""
    socket = _socket(layout)
    settings = {
        **SETTINGS,
        "maxmemory": str(_half_of_memory()),
        "dir": str(layout.valkey),
        "unixsocket": str(socket),
    }
    arguments = (text for name, value in settings.items() for text in (f"--{name}", value))
    return Part(
        name="valkey",
        command=(str(binaries.valkey_server()), *arguments),
        is_ready=partial(probes.answers_ping, socket),
        environment={"LC_ALL": "C"},
        stops=3,
        startup=300,  # it reads all of its data first
        lock=layout.valkey / "server.lock",  # two servers on one append-only file would ruin it
    )


def url(layout: Layout) -> str:
    """Where clients reach it."""
    return f"unix://{quote(str(_socket(layout)))}"


def _half_of_memory() -> int:
    """Bytes at which it begins to refuse hits, long before the kernel would kill it."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _socket(layout: Layout) -> Path:
    return layout.run / "valkey.sock"
