"""The demo section, which every `pintag up` makes sure of."""

import dataclasses
from pathlib import Path

import psycopg
from redis import Redis

from tracker.actions.demo import ensure_demo
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import definitions, sections


def test_what_was_switched_off_stays_off(
    settings: Settings, db: psycopg.Connection, redis: Redis, tmp_path: Path
) -> None:
    settings = dataclasses.replace(settings, data_dir=str(tmp_path))
    first = ensure_demo(settings)
    section = sections.choose(db, "demo")
    booking = definitions.find(db, section.id, "booking")
    assert booking is not None
    assert booking.web_tracking
    tracking.switch_off(db, redis, booking)
    assert ensure_demo(settings) == first
    tracked = {one.slug: one.web_tracking for one in definitions.visible(db, section.id)}
    assert tracked == {"booking": False, "loyalty-tier": True, "poll-vote": True}
