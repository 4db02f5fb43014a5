"""The embedded servers together: for `pintag up`, and as a context manager for anyone else."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker.embedded import layout as places
from tracker.embedded import postgres, valkey
from tracker.embedded.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers that take connections, and their process ids by name (postgres, valkey)."""

    database_url: str
    redis_url: str
    pids: Mapping[str, int]


@contextmanager
def servers(directory: Path) -> Iterator[Servers]:
    """PostgreSQL and Valkey with their data in `directory`, while the block runs.

    Nothing restarts them meanwhile. Call it from a thread that outlives the block, since they
    end with their thread; not inside a running event loop. Raises EmbeddedError.
    """
    with asyncio.Runner() as runner:
        supervisor = Supervisor(directory / "logs")
        try:
            yield runner.run(start(supervisor, directory))
        finally:
            runner.run(supervisor.stop())


async def start(
    supervisor: Supervisor, directory: Path, database_url: str = "", redis_url: str = ""
) -> Servers:
    """Start each server that no URL is given for. Raises EmbeddedError."""
    if not (database_url and redis_url):
        layout = places.prepare(directory)
        parts = [] if redis_url else [valkey.part(layout)]
        if not database_url:
            parts.append(await postgres.part(layout))
        await supervisor.start(*parts)
        if not database_url:
            await asyncio.to_thread(postgres.ensure_database, layout)
        database_url = database_url or postgres.url(layout)
        redis_url = redis_url or valkey.url(layout)
    return Servers(database_url, redis_url, supervisor.pids)
