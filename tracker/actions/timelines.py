"""Showing a profile: who it is, its events a page at a time, and how it came together."""

from datetime import datetime

import msgspec
import psycopg

from tracker.stores import merges, profiles, timelines
from tracker.stores.merges import Merge
from tracker.stores.profiles import Identifier
from tracker.stores.timelines import EVERYTHING, PAGE, START, Filters, TimelineEvent, View


class Timeline(msgspec.Struct, frozen=True):
    """A profile, as far as a view shows it; the newest events and merges come first."""

    created_at: datetime
    identifiers: list[Identifier]
    events: list[TimelineEvent]
    merges: list[Merge]
    next_cursor: str | None


def show(
    connection: psycopg.Connection,
    section_id: int,
    keyspace: str,
    key: str,
    *,
    filters: Filters = Filters(),  # noqa: B008 - it is frozen
    cursor: str | None = None,
    limit: int = PAGE,
    view: View = EVERYTHING,
) -> Timeline | None:
    """A page of the profile that an identifier belongs to; None where it belongs to none.

    Raises BadCursorError.
    """
    after = timelines.read_cursor(cursor) if cursor else START
    profile = profiles.find(connection, section_id, keyspace, key)
    if profile is None:
        return None
    page = timelines.read(
        connection,
        section_id,
        list(profile.identifiers),
        after=after,
        limit=limit,
        filters=filters,
        view=view,
    )
    return Timeline(
        created_at=profile.created_at,
        identifiers=profile.seen_by(view.keyspaces),
        events=page.events,
        merges=merges.newest(connection, profile.identifiers, view.keyspaces),
        next_cursor=page.next.cursor() if page.next else None,
    )
