"""`/operations`: whether hits are taken and stored, and all figures of the installation."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tracker.actions import auditing
from tracker.actions.overseeing import Oversight, Overview
from tracker.pages import away, shell
from tracker.pages.page import COOKIE, Page
from tracker.pages.visit import Visit
from tracker.rules import trends
from tracker.rules.accounts import Role
from tracker.rules.outcomes import Outcome
from tracker.rules.sizes import size
from tracker.stores.servers import RedisServer

REMEMBERED = 3600.0
"""Seconds for which somebody who saw this page goes on seeing it while PostgreSQL is away."""
MOST_REMEMBERED = 100
SHOWN = 12
"""Tables, partitions, jobs; the rest behind a click, or on the terminal."""
WIDTH, HEIGHT = 120, 28
"""Of a small line."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A big figure: what it is, its number, what is said under it, and its line."""

    label: str
    number: str
    note: str
    line: str


class Remembered:
    """Sessions that may see the page while nobody can be asked; their digests, with an end."""

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}

    def add(self, session: str) -> None:
        """Note that this session has just seen the page."""
        digest = hashlib.sha256(session.encode()).digest()
        self._until.pop(digest, None)
        self._until[digest] = time.monotonic() + REMEMBERED
        while len(self._until) > MOST_REMEMBERED:
            del self._until[next(iter(self._until))]

    def has(self, session: str) -> bool:
        """Whether this session saw the page within the hour."""
        digest = hashlib.sha256(session.encode()).digest()
        return self._until.get(digest, 0.0) > time.monotonic()


class WatchingPage(Page):
    """A page that is there while PostgreSQL, which knows who is signed in, is not."""

    def _answer(self, request: Request, body: bytes) -> Response:
        state, session = request.app.state, request.cookies.get(COOKIE, "")
        seen = state.oversight.overview()
        if seen.database is None and state.remembered.has(session):
            template = "operations_figures.html" if request.query_params else "operations.html"
            values = shown(seen, state.oversight)
            return shell.page(template, HTTPStatus.OK, {}, **away.NOBODY, owns_all=False, **values)
        answer = super()._answer(request, body)
        if answer.status_code == HTTPStatus.OK:
            state.remembered.add(session)
        return answer


def operations(visit: Visit) -> Response:
    """`/operations`; with `?part=figures` what its script fetches every two seconds."""
    values: dict[str, Any] = shown(visit.oversight.overview(), visit.oversight)
    if visit.get("part"):
        return visit.part("operations_figures.html", **values)
    return visit.render("operations.html", **values)


def audit(visit: Visit) -> Response:
    """`/operations/audit`: have it run."""
    auditing.enqueue(visit.redis)
    visit.note("had the audit run")
    return visit.go("/operations", "The audit runs as soon as a jobs process takes it.")


def shown(seen: Overview, oversight: Oversight) -> dict[str, object]:
    """What the template is given."""
    return {
        "seen": seen,
        "verdict": seen.verdict,
        "tiles": _tiles(seen, oversight),
        "outcomes": _outcomes(seen),
        "most": SHOWN,
        "width": WIDTH,
        "height": HEIGHT,
        "size": size,
        "moment_of": moment_of,
        "cut": cut,
    }


def _tiles(seen: Overview, oversight: Oversight) -> list[Tile]:
    samples = list(oversight.history)
    times = [one.at_ms for one in samples]
    taken = [one.accepted for one in samples]
    stored = [one.accepted - one.queued for one in samples]
    tiles = []
    if seen.queue:
        waiting = f"the oldest for {seen.waiting:,.1f} s" if seen.waiting is not None else "none"
        tiles += [
            _tile("Taken / s", seen.rate("collector"), f"{seen.accepted:,} in all", times, taken),
            _tile("Committed / s", seen.rate("worker"), _committed(seen), times, stored),
            Tile("Queued", f"{seen.queued:,}", waiting, _line([one.queued for one in samples])),
            _memory(list(seen.queue.servers.values()), _line([one.memory for one in samples])),
        ]
    if seen.database:
        weeks = len(seen.database.server.weeks)
        note = f"events in {weeks} partitions"
        tiles.append(Tile("Database", size(seen.database.server.bytes), note, ""))
    return tiles


def _memory(servers: Sequence[RedisServer], line: str) -> Tile:
    """Of all servers of the queue; hits are refused when the fullest one is full."""
    limits = [server.limit for server in servers]
    note = f"of {size(sum(limits))}" if all(limits) else "no limit is set"
    if len(servers) > 1:
        note += f"; the fullest node has {max(server.share for server in servers):.0%}"
    names = {server.name for server in servers}
    total = size(sum(server.memory for server in servers))
    return Tile(f"Memory of {', '.join(sorted(names))}", total, note, line)


def _outcomes(seen: Overview) -> list[tuple[str, str, int]]:
    """What hits came to first: outcome, reason, how many; in the outcomes' order."""
    order = list(Outcome)
    rows = [(outcome, reason, hits) for (outcome, reason), hits in seen.first.items()]
    return sorted(rows, key=lambda row: (order.index(Outcome(row[0])), row[1]))


def _committed(seen: Overview) -> str:
    return f"{seen.committed:,} in all" if seen.database else "PostgreSQL is away"


def _tile(label: str, rate: float, note: str, times: Sequence[int], totals: Sequence[int]) -> Tile:
    number = f"{rate:,.0f}" if rate >= 100 or not rate else f"{rate:,.1f}"
    return Tile(label, number, note, _line(trends.rates(times, totals)))


def _line(values: Sequence[float]) -> str:
    return trends.path(values, WIDTH, HEIGHT)


def moment_of(ms: float) -> datetime:
    """A time in Unix ms."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


PAGES = (
    WatchingPage("GET", "/operations", Role.VIEWER, operations, everywhere=True),
    Page("POST", "/operations/audit", Role.OWNER, audit, everywhere=True),
)
