"""What every long-running process does once, when it has loaded its code."""

import gc
from typing import Any

from tracker import logs
from tracker.settings import Settings


def server_options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told by each process that runs under it.

    X-Forwarded-For counts when a trusted proxy sent it, and else not; X-Forwarded-Proto likewise.
    """
    return {
        "ws": "none",
        "access_log": False,
        "log_level": "warning",
        "log_config": None,  # what it logs goes through tracker.logs
        "server_header": False,
        "proxy_headers": True,
        "forwarded_allow_ips": settings.trusted_proxies,
        "timeout_graceful_shutdown": 10,
    }


def begin() -> None:
    """Set up logs, and take what was loaded so far out of the garbage collector's sight.

    Some hundred thousand objects of imported modules live as long as the process. Walking them
    again and again cost the collector a quarter of its CPU, and stalled all its answers for 60 ms
    a few times a second (docs/benchmarks.md). What lives only for a batch of hits, thousands of
    objects, is looked through seldom: a tenth of the worker's CPU.
    """
    logs.configure()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
