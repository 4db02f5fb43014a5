"""Retention where clocks were wrong: what an id says of an event's age is corrected."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.jobs.planting import every, left, ms_of, plant
from tests.jobs.test_retention import DAY, MS, NOW, SECOND, expire, live_for
from tests.worker.cast import Harbour, drain, hit, new_id, track
from tracker.rules.states import EXPIRED
from tracker.stores import event_tables, retention

pytestmark = pytest.mark.slow

WRONG = [-30 * DAY, -5 * DAY, -2 * timedelta(minutes=1), 10 * DAY, 30 * DAY]


@pytest.mark.parametrize("behind", WRONG, ids=str)
def test_a_week_to_live(harbour: Harbour, behind: timedelta) -> None:
    live_for(harbour, 7)
    plant(harbour, NOW - 7 * DAY - MS, NOW - 7 * DAY, NOW, behind=behind)
    assert expire(harbour) == {"events": 1}
    assert left(harbour) == [NOW - 7 * DAY, NOW]
    assert expire(harbour) == {}
    assert harbour.balanced() == {"stored": 2, EXPIRED: 1}


@pytest.mark.parametrize("behind", WRONG, ids=str)
def test_each_definition_has_its_own(harbour: Harbour, behind: timedelta) -> None:
    quay, _ = track(harbour.db, harbour.redis, "quay")
    pier, _ = track(harbour.db, harbour.redis, "pier")
    live_for(harbour, 2)
    harbour.db.execute("UPDATE definition SET ttl_days = 5 WHERE id = %s", (quay.id,))
    days = [NOW - n * DAY - SECOND for n in range(8)]
    for definition in (harbour.booking, quay, pier):
        plant(harbour, *days, version_id=definition.versions[0].id, behind=behind)
    assert expire(harbour) == {"events": 6 + 3}
    counts = dict(harbour.rows("SELECT version_id, count(*) FROM event GROUP BY 1"))
    assert [counts[d.versions[0].id] for d in (harbour.booking, quay, pier)] == [2, 5, 8]
    # The sooner of both limits: four days of age, or what is left of the definition's own.
    assert expire(harbour, 4)["events"] == 1 + 4
    assert harbour.balanced() == {"stored": 10, EXPIRED: 14}


def test_they_go_in_batches(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    live_for(harbour, 1)
    plant(harbour, *every(SECOND, NOW - 3 * DAY, 35), NOW, behind=-5 * DAY)
    first_kept = UUID(new_id(ms_of(NOW - DAY)))
    kept = {harbour.booking.versions[0].id: first_kept}
    assert retention.expire_corrected(harbour.db, kept) == 10
    assert expire(harbour) == {"events": 25}
    assert left(harbour) == [NOW]
    assert harbour.balanced() == {"stored": 1, EXPIRED: 35}


def test_what_is_younger_than_its_week_outlives_it(harbour: Harbour) -> None:
    """Day after day, until it is too old itself."""
    event_tables.ensure(harbour.db, NOW - 30 * DAY)
    made = NOW - 2 * DAY
    plant(harbour, made - 25 * DAY)
    plant(harbour, made, behind=25 * DAY)
    assert expire(harbour, 10)["events"] == 1
    for days in range(9):
        now = NOW + days * DAY
        assert left(harbour) == [made]
        event_tables.ensure(harbour.db, now)
        assert expire(harbour, 10, now)["events"] == 0
    assert expire(harbour, 10, made + 10 * DAY)["events"] == 0
    assert expire(harbour, 10, made + 10 * DAY + MS)["events"] == 1
    assert harbour.balanced() == {EXPIRED: 2}


def test_ids_of_the_future_have_the_maximum_age_too(harbour: Harbour) -> None:
    event_tables.ensure(harbour.db, NOW)
    plant(harbour, NOW - 10 * DAY - MS, NOW - 10 * DAY, behind=-30 * DAY)
    assert expire(harbour, 10)["events"] == 1
    assert left(harbour) == [NOW - 10 * DAY]
    assert harbour.balanced() == {"stored": 1, EXPIRED: 1}


@pytest.mark.parametrize("limit", ["definition", "installation"])
@pytest.mark.parametrize("behind", WRONG, ids=str)
def test_a_hit_that_came_just_now_stays(harbour: Harbour, behind: timedelta, limit: str) -> None:
    live_for(harbour, 3 if limit == "definition" else None)
    now = datetime.now(UTC)
    # A minute less, so that a slow machine does not make it more than 30 days.
    at = ms_of(now - behind + timedelta(minutes=1) * (behind > DAY))
    harbour.send(hit(id=new_id(at), at=at), sent=at)
    drain(harbour)
    days = 3 if limit == "installation" else 0
    assert Counter(expire(harbour, days, now + DAY))["events"] == 0
    assert len(left(harbour)) == 1
    assert expire(harbour, days, now + 3 * DAY + timedelta(hours=1))["events"] == 1
    assert harbour.balanced() == {EXPIRED: 1}
