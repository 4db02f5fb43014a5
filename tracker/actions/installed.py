"""Where snippets are installed: which pages still send which version of a definition."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from tracker.rules.addresses import origin_and_path
from tracker.stores import recent_events
from tracker.stores.definitions import Definition

WINDOW = timedelta(days=30)
MOST_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class PageUse:
    """A page, by origin and path, that sent a version; None stands for events that named none."""

    version: int
    page: str | None
    events: int
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Installed:
    """Pages by version, the newest version first, and of each the page seen last.

    since: stored events from then on were looked at; whole: that is the whole window of 30 days;
    more: there were more than 1,000 pages, of which these were seen last.
    """

    pages: list[PageUse]
    since: datetime
    whole: bool
    more: bool


def pages(
    connection: psycopg.Connection,
    definition: Definition,
    *,
    now: datetime,
    most: int = recent_events.MOST,
) -> Installed:
    """Which pages sent which version, by the stored events of the last 30 days."""
    numbers = {version.id: version.number for version in definition.versions}
    window = now - WINDOW
    rows = recent_events.pages(connection, list(numbers), window, MOST_PAGES + 1, most)
    found: dict[tuple[int, str | None], PageUse] = {}
    for row in rows[:MOST_PAGES]:
        page = None if row.page is None else origin_and_path(row.page)
        key = numbers[row.version_id], page
        # Rows come with the page seen last first, so the first of those that are one page has it.
        seen = found.get(key)
        events = row.events + (seen.events if seen else 0)
        found[key] = PageUse(*key, events, seen.last_seen if seen else row.last_seen)
    since = recent_events.reach(connection, window, most)
    return Installed(
        sorted(found.values(), key=lambda use: (-use.version, -use.last_seen.timestamp())),
        since,
        since == window,
        len(rows) > MOST_PAGES,
    )
