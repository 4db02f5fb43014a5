"""Export: all that is known of a profile as NDJSON, made by an RQ job.

A client gets what its timelines show: identifiers, claims and merges of its keyspaces, events that
it may read. On the command line everything is exported, also events of hidden definitions, and
quarantined and held hits. A job that was killed starts over when it is run again.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec
import psycopg

from tracker.json_text import dumps
from tracker.rules import allowed_operations
from tracker.rules.allowed_operations import Access
from tracker.rules.keyspaces import Keyspace
from tracker.rules.mentions import mentioned
from tracker.rules.outcomes import Outcome
from tracker.settings import load
from tracker.stores import database, exports, job_locks, kept_hits, merges, profiles, sections
from tracker.stores import timelines as events
from tracker.stores.exports import EndedError, Export
from tracker.stores.kept_hits import KeptHit
from tracker.stores.profiles import Profile
from tracker.stores.timelines import View
from worker import progress

PART = 500_000
"""Characters of a part, or one line more."""
Clock = Callable[[], datetime]


def export(id_: str) -> int:
    """Make an export that was asked for; returns how many lines it has, 0 if it ended meanwhile."""
    with database.connect(load().database_url) as connection:
        job_locks.be_alone(connection, id_)
        found = exports.get(connection, id_)
        if found is None or found.ready_at:
            return 0
        try:
            return run(connection, id_, lambda: datetime.now(UTC))
        except EndedError:
            exports.end(connection, id_)
            return 0


def run(connection: psycopg.Connection, id_: str, clock: Clock) -> int:
    """Write all parts, then make the export ready; returns how many lines. Raises EndedError."""
    exports.begin(connection, id_, clock())
    found = exports.get(connection, id_)
    assert found is not None
    lines = 0
    part: list[str] = []
    size, number = 0, 1
    for line in _lines(connection, found):
        part.append(line)
        lines, size = lines + 1, size + len(line)
        if size > PART:
            exports.add_part(connection, id_, number, "".join(part), clock())
            part, size, number = [], 0, number + 1
    exports.add_part(connection, id_, number, "".join(part), clock())
    exports.make_ready(connection, id_, clock())
    return lines


def _lines(connection: psycopg.Connection, export: Export) -> Iterator[str]:
    view = _view(connection, export)
    profile = _profile(connection, export)
    yield _line("profile", {"created_at": profile.created_at})
    for identifier in profile.seen_by(view.keyspaces):
        yield _line("identifier", msgspec.structs.asdict(identifier))
    yield from _events(connection, export, view)
    for merge in merges.newest(connection, export.identifier_ids, view.keyspaces, limit=None):
        yield _line("merge", msgspec.structs.asdict(merge))
    if export.client_id is None:
        yield from _hits(connection, export, profile, view.prefix)


def _profile(connection: psycopg.Connection, export: Export) -> Profile:
    """The profile, with the identifiers that it had when the export began. Raises EndedError."""
    found = profiles.of_identifier(connection, export.identifier_id)
    if found is None:
        raise EndedError
    known = {n: one for n, one in found.identifiers.items() if n in export.identifier_ids}
    return msgspec.structs.replace(found, identifiers=known)


def _view(connection: psycopg.Connection, export: Export) -> View:
    """What whoever asked may see now. Raises EndedError where it is nothing any more."""
    prefix = sections.installation(connection).prefix
    if export.client_id is None:
        return View(prefix=prefix, hidden=True)
    seen = frozenset(one for one in Keyspace if one in (export.client_keyspaces or ()))
    keyspace = next((one for one in seen if one == export.keyspace), None)
    if keyspace is None:
        raise EndedError
    denied = allowed_operations.name(keyspace, Access.READ)
    return View(keyspaces=seen, denied=denied, prefix=prefix)


def _events(connection: psycopg.Connection, export: Export, view: View) -> Iterator[str]:
    """The events, the newest first; of hidden definitions only where they are marked."""
    hidden = exports.hidden(connection, export.section_id) if view.hidden else set()
    total = exports.count_events(connection, export)
    done, after = 0, events.START
    while True:
        page = events.read(
            connection, export.section_id, export.identifier_ids, after=after, view=view
        )
        for event in page.events:
            marked = {"hidden": event.discriminator in hidden} if view.hidden else {}
            yield _line("event", {**msgspec.structs.asdict(event), **marked})
        done += len(page.events)
        progress.show(min(done, total), total)
        if page.next is None:
            return
        after = page.next


def _hits(
    connection: psycopg.Connection, export: Export, profile: Profile, prefix: str
) -> Iterator[str]:
    """Quarantined and held hits that name one of the identifiers."""
    wanted = profile.names
    for state in kept_hits.STATES:
        for hits in kept_hits.chunks(connection, state, export.section_id):
            for hit in hits:
                if wanted & mentioned(hit.raw, prefix):
                    yield _line(state, _hit(state, hit))


def _hit(state: Outcome, hit: KeptHit) -> dict[str, object]:
    told = msgspec.structs.asdict(hit)
    told["raw"] = hit.raw.decode("utf-8", "backslashreplace")
    for name in ("due_at",) if state is Outcome.QUARANTINED else ("reason", "errors"):
        del told[name]
    return told


def _line(type_: str, content: dict[str, object]) -> str:
    return dumps({"type": type_, **content}).decode() + "\n"
