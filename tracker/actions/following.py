"""Following a job of a section: how far it is, and what came of it."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg
import redis

from tracker.stores import erasures, exports, jobs
from tracker.stores.exports import Export
from tracker.stores.jobs import Found

ERASURE, EXPORT, REPLAY = "erasure", "export", "replay"


class Followed(msgspec.Struct, frozen=True):
    """A job: `kind` of what, `state` waiting, running, finished, failed or gone.

    hits: of a replay; dry_run: whether it only tries; version: the number of the one they are tried
    against, None for their own; counts: how many became what, or are deleted; export: the id of one
    that can be fetched; error: why it failed.
    """

    id: str
    kind: str
    state: str
    done: int = 0
    total: int = 0
    hits: tuple[int, ...] = ()
    dry_run: bool = False
    version: int | None = None
    counts: dict[str, int] = {}
    export: str = ""
    error: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether something is still to come."""
        return self.state in ("waiting", "running")


def follow(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int | None,
    id_: str,
    now: datetime,
) -> Followed | None:
    """A replay, an erasure or an export of the section's; or a replay of no section's hits."""
    kind, _, asked = id_.partition("-")
    if "\0" in id_:
        return None
    if kind == ERASURE:
        return _erasure(connection, client, section_id, id_, asked)
    if kind == EXPORT:
        export = exports.get(connection, asked)
        # Those of API clients are theirs alone.
        if export is None or export.section_id != section_id or export.client_id is not None:
            return None
        return _export(client, export, id_, now)
    found = jobs.find(client, id_)
    # Commands leave no note of a section, not even of none.
    if found is None or found.notes.get("section", ...) != section_id:
        return None
    ids, dry_run, *_ = found.arguments
    return Followed(
        hits=tuple(ids),
        dry_run=dry_run,
        version=found.notes.get("version"),
        counts=found.result or {},
        **_common(found, REPLAY),
    )


def _erasure(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int | None,
    id_: str,
    asked: str,
) -> Followed | None:
    erasure = erasures.get(connection, asked)
    if erasure is None or erasure.section_id != section_id:
        return None
    found = jobs.find(client, id_)
    told: dict[str, Any] = {"id": id_, "kind": ERASURE, "state": erasure.state}
    if found and found.job.state == "failed" and not erasure.finished_at:
        told = _common(found, ERASURE)
    elif found and erasure.state == "running":
        told |= {"done": found.job.done, "total": found.job.total}
    return Followed(counts=erasure.erased, **told)


def _export(client: redis.Redis, export: Export, id_: str, now: datetime) -> Followed:
    if export.is_gone(now):
        return Followed(id_, EXPORT, "gone")
    if export.ready_at:
        return Followed(id_, EXPORT, "finished", export=export.id)
    found = jobs.find(client, id_)
    return Followed(**_common(found, EXPORT)) if found else Followed(id_, EXPORT, "waiting")


def _common(found: Found, kind: str) -> dict[str, Any]:
    job = found.job
    return {
        "id": job.id,
        "kind": kind,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "error": job.error or "",
    }
