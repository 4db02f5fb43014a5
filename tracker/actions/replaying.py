"""Replays of quarantined hits, as jobs: against their own version, or a later one of theirs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg
import redis
from rq.job import Job

from tracker.actions.refusals import RefusedError
from tracker.rules import replays
from tracker.stores import jobs, quarantine
from tracker.stores.quarantine import Offered, Pin


class NotReplayableError(RefusedError):
    """The hits can't be replayed against this version."""


def later(
    connection: psycopg.Connection, pins: Iterable[Pin | None], now: datetime
) -> dict[Pin | None, list[int]]:
    """The numbers of the versions to offer beside their own, the newest first, by hits' pins."""
    known = {pin for pin in pins if pin}
    versions = quarantine.versions(connection, list({definition_id for definition_id, _ in known}))
    return {
        pin: [
            one.number
            for one in replays.replayable([pin[1]], versions[pin[0]], now)
            if one.number != pin[1]
        ]
        for pin in known
    }


def choose(
    connection: psycopg.Connection, ids: Sequence[int], number: int, now: datetime
) -> Offered:
    """The version of a number, if hits may be replayed against it. Raises NotReplayableError."""
    pins = quarantine.pins(connection, ids)
    if pins.pop(None, None):
        raise NotReplayableError(
            "Hits of no known snippet have no version, and no later one: replay them as they are."
        )
    if len(pins) != 1:
        raise NotReplayableError(
            "These hits are of several events, whose versions are not the same: choose one event's."
        )
    ((definition_id, owns),) = pins.items()
    assert definition_id is not None
    versions = quarantine.versions(connection, [definition_id])[definition_id]
    if why := replays.refusal(owns, number, versions, now):
        raise NotReplayableError(why)
    return next(one for one in versions if one.number == number)


def replay(
    client: redis.Redis,
    ids: Sequence[int],
    *,
    dry_run: bool,
    version: Offered | None = None,
    **notes: Any,
) -> Job:
    """Replay hits as a job; the notes say whose it is to who follows it."""
    version_id = version.id if version else None
    notes["version"] = version.number if version else None
    return jobs.enqueue(client, jobs.REPLAY, list(ids), dry_run, version_id, notes=notes)
