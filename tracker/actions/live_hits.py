"""Live hits of a section: with the names of their events, as far as they are wanted."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import psycopg

from tracker.rules.errors import FieldError
from tracker.rules.hits import Hit
from tracker.rules.outcomes import Outcome
from tracker.rules.told import MOST_DATA, MOST_ERRORS, MOST_TEXT, ToldHit, cut, named, text
from tracker.stores import quarantine, recent_events, snippets
from tracker.stores.quarantine import QuarantinedHit
from tracker.stores.recent_events import WholeEvent
from tracker.stores.snippets import NamedVersion

MOST_EVENTS = 50_000
"""Stored events of the installation that are looked at for the newest of a section."""
SINCE = timedelta(days=30)


class Named(NamedTuple):
    """A hit, and the version of the event that it is of."""

    hit: ToldHit
    version: NamedVersion


class Filter(msgspec.Struct, frozen=True):
    """Which hits are wanted: of an event, by its slug; with an outcome; with a text in them.

    text: in the page, the fields or the identifiers, whatever its case; "" stands for all.
    """

    event: str = ""
    outcome: str = ""
    text: str = ""

    def wants(self, one: Named) -> bool:
        hit = one.hit
        if self.event not in ("", one.version.slug) or self.outcome not in ("", hit.outcome):
            return False
        wanted = self.text.casefold()
        return any(wanted in part.casefold() for part in (hit.page or "", hit.data, *hit.whose))


class Names:
    """The events of a section, hidden ones left out, as their names were at one moment."""

    def __init__(self, versions: Sequence[NamedVersion]) -> None:
        self.events = {one.slug: one.event for one in versions}
        self.versions = {one.version_id: one for one in versions}
        self._by_key = {one.key: one for one in versions}

    def lacks(self, hits: Iterable[ToldHit]) -> bool:
        """Whether there are hits of snippets that are newer than the names, or hidden."""
        return any(hit.key not in self._by_key for hit in hits)

    def of(self, hits: Iterable[ToldHit]) -> list[Named]:
        """The hits whose event has a name."""
        return [Named(hit, self._by_key[hit.key]) for hit in hits if hit.key in self._by_key]


def names(connection: psycopg.Connection, section_id: int) -> Names:
    """The names of the section's events as they are now."""
    return Names(snippets.names(connection, section_id))


def newest(
    connection: psycopg.Connection,
    section_id: int,
    known: Names,
    wanted: Filter,
    now: datetime,
    limit: int,
) -> list[Named]:
    """The newest hits that are stored or in quarantine, and wanted; the newest first.

    Among the newest of each that a filter looks through, and no more.
    """
    ids = [id_ for id_, one in known.versions.items() if wanted.event in ("", one.slug)]
    looked = limit if not (wanted.text or wanted.outcome) else 4 * limit
    stored = recent_events.whole(connection, ids, now - SINCE, looked, MOST_EVENTS, MOST_DATA)
    rejected = quarantine.whole(connection, section_id, ids, looked)
    both = [
        *(Named(_stored(one), known.versions[one.version_id]) for one in stored),
        *(Named(_rejected(one), known.versions[one.version_id or 0]) for one in rejected),
    ]
    both.sort(key=lambda one: one.hit.received_ms, reverse=True)
    return [one for one in both if wanted.wants(one)][:limit]


def _stored(event: WholeEvent) -> ToldHit:
    return ToldHit(
        key="",
        received_ms=int(event.received_at.timestamp() * 1000),
        outcome=Outcome.STORED,
        id=str(event.id),
        at=int(event.event_time.timestamp() * 1000),
        whose=[f"{event.keyspace}:{event.key}"],
        data=_ordered(event.data, event.fields),
        page=event.page[:MOST_TEXT] if event.page else None,
        agent=event.agent,
    )


def _ordered(data: str, fields: Sequence[str]) -> str:
    """The data in the order of its version; what was cut off stays as it is."""
    sent = named(data)
    if sent is None:
        return data
    return msgspec.json.encode({key: sent[key] for key in fields if key in sent}).decode()


def _rejected(kept: QuarantinedHit) -> ToldHit:
    errors = msgspec.convert(kept.errors, list[FieldError])
    try:
        hit = msgspec.json.decode(kept.raw, type=Hit)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        hit = Hit(str(kept.hit_id or ""), 0, data=msgspec.Raw(kept.raw))
    return ToldHit(
        key=kept.snippet_key,
        received_ms=int(kept.received_at.timestamp() * 1000),
        outcome=Outcome.QUARANTINED,
        reason=kept.reason,
        errors=cut(errors),
        more_errors=max(0, len(errors) - MOST_ERRORS),
        id=hit.id[:MOST_TEXT],
        whose=[f"web:{hit.visitor}"[:MOST_TEXT]] if hit.visitor else [],
        data=text(bytes(hit.data)),
        page=hit.page[:MOST_TEXT] if hit.page else None,
        agent=kept.agent,
    )
