"""Live: a section's hits as they arrive, with what became of each, and why."""

import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from urllib.parse import urlencode

import redis
from msgspec.structs import asdict
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tracker.actions import live_hits
from tracker.actions.live_hits import Filter, Named, Names
from tracker.pages import shell, streams
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules import told
from tracker.rules.accounts import Role
from tracker.rules.outcomes import Outcome
from tracker.stores import absence, database, live
from tracker.stores.live import LiveBatch

ROOT = "/sections/{section}/live"
NEWEST = 30
"""Hits that are there before the first one comes."""
MOST_TEXT = 200
"""Characters of the filter's text."""
PATIENCE, SILENCE, HEARTBEAT, LOOK_AGAIN = 0.5, 5.0, 10.0, 2.0
"""Seconds: until a stream comes to itself; until workers, which say each second that they are
there, are missed; until a browser hears that the stream is still there; between two looks for new
names of events."""
LIVE = "Live: hits show up as they come."
SILENT = "No worker answers. Hits wait in the queue, and none is lost."
AWAY = "Redis is away; trying again…"


def live_page(visit: Visit) -> Response:
    """`…/live?event=…&outcome=…&text=…`: the newest hits; a script adds those that come."""
    known = live_hits.names(visit.connection, visit.section.id)
    wanted = _filter(visit)
    rows = live_hits.newest(visit.connection, visit.section.id, known, wanted, visit.now, NEWEST)
    asked = {name: value for name, value in asdict(wanted).items() if value}
    return visit.render(
        "live.html",
        rows=rows,
        told=told,
        wanted=wanted,
        asked=asked,
        source=f"{visit.root}/live/hits?{urlencode(asked)}",
        events=known.events,
        outcomes=list(Outcome),
    )


def hits(visit: Visit) -> Response:
    """`…/live/hits?…`: the hits that the filter wants, as server-sent events of HTML."""
    known = live_hits.names(visit.connection, visit.section.id)
    url, database_url = visit.settings.redis_url, visit.settings.database_url
    feed = Feed(database_url, visit.section.id, known, _filter(visit))
    return streams.EventStream(_events(url, visit.section.id, feed))


def _filter(visit: Visit) -> Filter:
    outcome = visit.get("outcome")
    return Filter(
        event=visit.get("event"),
        outcome=outcome if outcome in list(Outcome) else "",
        text=visit.get("text").strip()[:MOST_TEXT],
    )


async def _events(redis_url: str, section_id: int, feed: "Feed") -> AsyncGenerator[str, None]:
    """What the browser is sent; "" where there was nothing to send. Holds no connection but one
    to Redis.
    """
    heard = spoke = time.monotonic()
    state = ""
    try:
        async for batch in live.follow(redis_url, section_id, PATIENCE):
            now, part = time.monotonic(), ""
            if batch is not None:
                heard = now
            new = SILENT if now - heard > SILENCE else LIVE if batch is not None else state
            if new != state:
                state = new
                part = streams.event("live" if state == LIVE else "trouble", state)
            if batch is not None:
                part += await feed.part(batch)
            if not part and now - spoke > HEARTBEAT:
                part = streams.COMMENT
            if part:
                spoke = now
            yield part
    except redis.RedisError:
        yield streams.event("trouble", AWAY)


class Feed:
    """What is shown of a section's batches to one who watches."""

    def __init__(self, database_url: str, section_id: int, known: Names, wanted: Filter) -> None:
        self._database_url = database_url
        self._section_id = section_id
        self._known = known
        self._wanted = wanted
        self._next_look = time.monotonic() + LOOK_AGAIN

    async def part(self, batch: LiveBatch) -> str:
        """A server-sent event, the newest hit first; "" of an empty batch."""
        if not batch.hits and not batch.more:
            return ""
        if self._known.lacks(batch.hits) and time.monotonic() >= self._next_look:
            with suppress(absence.POSTGRESQL):
                self._known = await run_in_threadpool(self._look)
            self._next_look = time.monotonic() + LOOK_AGAIN
        named = self._known.of(batch.hits)
        counts = Counter(batch.more)
        counts.update(one.hit.outcome for one in named)
        rows = [one for one in reversed(named) if self._wanted.wants(one)]
        return streams.event("hits", _rendered(rows, counts, sum(batch.more.values())))

    def _look(self) -> Names:
        with database.connect(self._database_url) as connection:
            return live_hits.names(connection, self._section_id)


def _rendered(rows: list[Named], counts: Counter[Outcome], more: int) -> str:
    return shell.text("live_part.html", rows=rows, counts=counts, more=more, told=told)


PAGES = (
    Page("GET", ROOT, Role.VIEWER, live_page),
    Page("GET", ROOT + "/hits", Role.VIEWER, hits),
)
