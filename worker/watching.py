"""Hits of sections that somebody watches: told as soon as they are committed, so many a second.

While nobody watches this costs a question a second, and nothing for a hit.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import redis
import structlog
from msgspec.structs import replace

from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.told import ToldHit
from tracker.stores import live
from tracker.stores.live import LiveBatch
from worker.context import Context
from worker.steps import Work
from worker.telling import told

MOST, MOST_ALIKE, MOST_BYTES = 50, 10, 500_000
"""Hits of a section that one worker tells in a second: all, those of the same version and outcome
(so that a busy event leaves room for a rare one, and good hits for bad ones), and their bytes."""
PAUSE = 0.2
"""Seconds between two batches: pages need not be changed more often."""
TROUBLED = 10.0
"""Seconds for which a Redis that refused is not asked again."""

log = structlog.get_logger("worker")


@dataclass(slots=True)
class _Section:
    """What is to be told of a section; spent: what was told of it in this second."""

    hits: list[ToldHit] = field(default_factory=list)
    more: Counter[Outcome] = field(default_factory=Counter)
    spent: Counter[object] = field(default_factory=Counter)
    bytes: int = 0

    def has_room(self, version_id: int | None, outcome: Outcome) -> bool:
        return (
            self.spent.total() < MOST
            and self.spent[version_id, outcome] < MOST_ALIKE
            and self.bytes < MOST_BYTES
        )


class Watching:
    """The sections that are watched, and what is to be told of them. No hit depends on it."""

    def __init__(self) -> None:
        self.sections: frozenset[int] = frozenset()
        self._of: defaultdict[int, _Section] = defaultdict(_Section)
        self._next_look = self._next_batch = 0.0

    def look(self, client: redis.Redis) -> None:
        """See who watches, and tell them that a worker is there; about once a second."""
        if time.monotonic() < self._next_look:
            return
        try:
            self.sections = live.watched(client)
        except Exception as error:
            self._fail("unwatched", error)
            return
        for one in self._of.values():
            one.spent.clear()
            one.bytes = 0
        self._publish(client, self.sections)

    def note(self, works: Sequence[Work], context: Context) -> None:
        """Take down what became of hits; it must be committed."""
        try:
            for work in works:
                pinned = work.pinned or context.pinned.get(work.queued.key)
                if pinned and pinned.section_id in self.sections and not pinned.hidden:
                    self._add(self._of[pinned.section_id], pinned.version_id, work, context)
        except Exception as error:  # a bug of ours must not undo what is done
            log.warning("untold_hits", error=repr(error))

    def _add(self, section: _Section, version_id: int, work: Work, context: Context) -> None:
        outcome = Outcome.DUPLICATE if work.duplicate else work.outcome
        if not section.has_room(version_id, outcome):
            section.more[outcome] += 1
            return
        section.spent[version_id, outcome] += 1
        section.bytes += len(work.queued.raw)
        section.hits.append(_as_it_ended(work, context, outcome))

    def publish(self, client: redis.Redis) -> None:
        """Tell what was taken down, unless something was told a moment ago."""
        if self._of and time.monotonic() >= self._next_batch:
            self._publish(client, {id_ for id_, one in self._of.items() if one.hits or one.more})

    def _publish(self, client: redis.Redis, sections: frozenset[int] | set[int]) -> None:
        batches = {
            id_: LiveBatch(tuple(self._of[id_].hits), self._of[id_].more) for id_ in sections
        }
        for id_, one in list(self._of.items()):
            one.hits, one.more = [], Counter()
            if id_ not in self.sections:
                del self._of[id_]
        self._next_batch = time.monotonic() + PAUSE
        if batches:
            try:
                live.publish(client, batches)
            except Exception as error:
                self._fail("untold_hits", error)

    def _fail(self, event: str, error: Exception) -> None:
        log.warning(event, error=str(error).strip())
        self.sections = frozenset()
        self._of.clear()
        self._next_look = time.monotonic() + TROUBLED


def _as_it_ended(work: Work, context: Context, outcome: Outcome) -> ToldHit:
    """A hit for trying out was dropped as such, with all that was wrong with it."""
    if work.trial is not None:
        return replace(work.trial, outcome=outcome, reason=Reason.TEST, due_at=None)
    hit = told(work, context, outcome)
    if outcome is Outcome.DUPLICATE:
        return replace(hit, reason=None, errors=(), more_errors=0)
    return hit
