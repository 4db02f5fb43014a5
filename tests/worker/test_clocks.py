"""Devices whose clocks are wrong: what their hits' events say of when it was."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.worker.cast import (
    ANN,
    BEN,
    Clock,
    Harbour,
    by_hand,
    drain,
    hit,
    new_id,
    next_version,
    now_ms,
)
from tracker.stores import quarantine, recent_events, timelines
from tracker.stores.timelines import Filters
from worker.context import Context
from worker.loop import utc_now
from worker.replay import replay_batch

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
SLACK = MINUTE
"""Between the making of a hit and its receipt a slow machine may be busy."""
TIMES = (
    "(extract(epoch FROM event_time) * 1000)::bigint, (extract(epoch FROM received_at) * 1000)"
    "::bigint, (extract(epoch FROM sent_at) * 1000)::bigint, clock_ms"
)


class Device:
    """A visitor's device, whose clock is ahead; without latencies."""

    def __init__(self, harbour: Harbour, ahead: int, visitor: str = ANN) -> None:
        self.harbour, self.ahead, self.visitor = harbour, ahead, visitor

    @property
    def now(self) -> int:
        return now_ms() + self.ahead

    def hit(self, name: str, ago: int = 0, **changes: Any) -> dict[str, Any]:
        at = self.now - ago
        data = {"reference": name}
        return hit(self.visitor, id=new_id(at), at=at, data=data, **changes)

    def send(self, *hits: dict[str, Any], latency: int = 0, to: int = 0) -> None:
        self.harbour.send(*hits, sent=self.now - latency, to=to)


def in_order(harbour: Harbour) -> list[str]:
    rows = harbour.rows("SELECT data ->> 'reference' FROM event ORDER BY event_time, id")
    return [name for (name,) in rows]


def clocks(harbour: Harbour) -> dict[str, int | None]:
    return dict(harbour.rows("SELECT key, clock_ms FROM identifier"))


@pytest.mark.parametrize(
    "ahead",
    [3 * HOUR, 5 * DAY, 30 * DAY, -10 * DAY, -30 * DAY + SLACK, 2 * MINUTE, -2 * MINUTE],
)
def test_a_clock_that_is_wrong(harbour: Harbour, ahead: int) -> None:
    device = Device(harbour, ahead)
    device.send(device.hit("first", ago=9000), device.hit("second", ago=5000))
    device.send(device.hit("third"))
    drain(harbour)
    assert harbour.balanced() == {"stored": 3}
    assert in_order(harbour) == ["first", "second", "third"]
    rows = harbour.rows(f"SELECT {TIMES} FROM event")
    assert len({clock_ms for *_, clock_ms in rows}) == 1
    for event, received, sent, clock_ms in rows:
        assert abs(event - received) < SLACK
        assert abs(sent - received - ahead) < SLACK
        assert abs(clock_ms + ahead) < SLACK
    assert clocks(harbour) == {ANN: clock_ms}


def test_what_was_sent_can_be_read(harbour: Harbour) -> None:
    device = Device(harbour, 3 * HOUR)
    sent = [device.hit("first", ago=5000), device.hit("second")]
    device.send(*sent)
    drain(harbour)
    raw = "((extract(epoch FROM event_time) * 1000) - clock_ms)::bigint"
    assert harbour.rows(f"SELECT id::text, {raw} FROM event ORDER BY event_time") == [
        (one["id"], one["at"]) for one in sent
    ]


@pytest.mark.parametrize("ahead", [2 * SECOND, -2 * SECOND])
def test_a_clock_that_is_two_seconds_off_is_left_alone(harbour: Harbour, ahead: int) -> None:
    device = Device(harbour, ahead)
    hits = [device.hit("first", ago=500), device.hit("second")]
    device.send(*hits)
    with by_hand(harbour) as hand:
        hand.turn()
    rows = harbour.rows(f"SELECT {TIMES} FROM event ORDER BY event_time")
    assert [event for event, *_ in rows] == [one["at"] for one in hits]
    assert {clock_ms for *_, clock_ms in rows} == {None}
    assert clocks(harbour) == {ANN: None}


@pytest.mark.parametrize("together", [True, False])
def test_latencies_do_not_change_the_order(harbour: Harbour, together: bool) -> None:
    """The second request was faster by more than what lies between the hits."""
    device = Device(harbour, 3 * HOUR)
    with by_hand(harbour) as hand:
        for name, latency in (("1", 25 * SECOND), ("2", 0), ("3", 29 * SECOND), ("4", 0)):
            device.send(device.hit(name, ago=latency), latency=latency)
            if not together:
                hand.turn()
        hand.turn()
    assert harbour.rows("SELECT count(DISTINCT clock_ms) FROM event") == [(1,)]
    ids = harbour.rows("SELECT data ->> 'reference' FROM event ORDER BY id")
    assert in_order(harbour) == [name for (name,) in ids]


def test_a_clock_that_is_set_in_between(harbour: Harbour) -> None:
    with by_hand(harbour) as hand:
        for name, ago, ahead in (("1", 9, 5 * DAY), ("2", 6, 0), ("3", 3, -HOUR), ("4", 0, 0)):
            device = Device(harbour, ahead)
            device.send(device.hit(name, ago=ago * SECOND))
            hand.turn()
    assert in_order(harbour) == ["1", "2", "3", "4"]


def test_a_clock_that_is_set_within_a_batch(harbour: Harbour) -> None:
    for name, ago, ahead in (("1", 9, 5 * DAY), ("2", 6, 0), ("3", 3, -HOUR), ("4", 0, -HOUR)):
        device = Device(harbour, ahead)
        device.send(device.hit(name, ago=ago * SECOND))
    drain(harbour)
    assert in_order(harbour) == ["1", "2", "3", "4"]
    (kept,) = clocks(harbour).values()
    assert kept is not None
    assert abs(kept - HOUR) < SLACK


def test_each_visitor_has_a_clock(harbour: Harbour) -> None:
    ann, ben = Device(harbour, 3 * HOUR), Device(harbour, -3 * HOUR, BEN)
    ann.send(ann.hit("a"))
    ben.send(ben.hit("b"))
    drain(harbour)
    kept = {visitor: (clock or 0) // HOUR for visitor, clock in clocks(harbour).items()}
    assert kept == {ANN: -3, BEN: 3}


def test_a_person_with_two_devices(harbour: Harbour) -> None:
    """It is the visitors that have clocks, not the person whose events they are."""
    harbour.db.execute("UPDATE section SET trusts_pages = true")
    claims = {"email": "ann@example.com"}
    phone, laptop = Device(harbour, 3 * HOUR, "phone"), Device(harbour, -2 * HOUR, "laptop")
    with by_hand(harbour) as hand:
        for name, device, latency in (
            ("1", phone, 20 * SECOND),
            ("2", laptop, 20 * SECOND),
            ("3", phone, 0),
            ("4", laptop, 0),
        ):
            device.send(device.hit(name, claims=claims), latency=latency)
            hand.turn()
    assert harbour.rows("SELECT count(DISTINCT clock_ms), count(*) FROM event") == [(2, 4)]
    kept = clocks(harbour)
    assert kept["phone"] is not None
    assert kept["laptop"] is not None
    assert [one for name, one in kept.items() if name not in ("phone", "laptop")] == [None]


def test_a_sender_that_does_not_say_when_it_sent(harbour: Harbour) -> None:
    at = now_ms() - 5 * HOUR
    harbour.send(hit(at=at), sent=0)
    drain(harbour)
    [(event, _, sent, clock_ms)] = harbour.rows(f"SELECT {TIMES} FROM event")
    assert (event, sent, clock_ms) == (at, None, None)


def test_hits_that_waited_for_days_keep_their_times(harbour: Harbour) -> None:
    device = Device(harbour, 3 * HOUR)
    device.send(device.hit("old", ago=20 * DAY), device.hit("new"))
    drain(harbour)
    (old, new) = harbour.rows(f"SELECT {TIMES} FROM event ORDER BY event_time")
    assert abs(new[0] - old[0] - 20 * DAY) < SLACK
    assert abs(new[0] - new[1]) < SLACK


@pytest.mark.parametrize(
    ("ahead", "ago", "state"),
    [
        (5 * DAY, 0, "stored"),
        (-10 * DAY, 29 * DAY, "stored"),
        (-10 * DAY, 31 * DAY, "quarantined"),
        (30 * DAY, -DAY + SLACK, "stored"),
        (5 * DAY, -2 * DAY, "quarantined"),
        (31 * DAY, 0, "quarantined"),
        (-31 * DAY, 0, "quarantined"),
    ],
)
def test_ids_that_are_near_by_the_senders_clock(
    harbour: Harbour, ahead: int, ago: int, state: str
) -> None:
    device = Device(harbour, ahead)
    device.send(device.hit("a", ago=ago))
    drain(harbour)
    assert harbour.balanced() == {state: 1}
    # What comes ahead of its time must not lie in the way when its week is made.
    early = "SELECT count(*) FROM event_other WHERE id > %s"
    assert harbour.rows(early, new_id()) == [(0,)]


@pytest.mark.parametrize("ahead", [5 * DAY, -10 * DAY])
def test_hits_that_were_held_count_from_their_receipt(harbour: Harbour, ahead: int) -> None:
    """Not from when they go on, days later; and they stay in order with those that came before."""
    clock = Clock(utc_now())
    key = next_version(harbour, clock.now + timedelta(hours=1))
    device = Device(harbour, ahead)
    with by_hand(harbour, clock=clock) as hand:
        device.send(device.hit("1", ago=2 * SECOND), latency=20 * SECOND)
        harbour.send(device.hit("2", ago=SECOND), sent=device.now, key=key)
        hand.turn()
        device.send(device.hit("3"))
        hand.turn()
        assert harbour.balanced() == {"stored": 2, "held": 1}
        clock.now += timedelta(days=3)
        hand.turn()
    assert harbour.balanced() == {"stored": 3}
    assert in_order(harbour) == ["1", "2", "3"]
    assert harbour.rows("SELECT count(DISTINCT clock_ms), count(*) FROM event") == [(1, 3)]


@pytest.mark.parametrize("ahead", [5 * DAY, -10 * DAY])
def test_hits_that_are_replayed_count_from_their_receipt(harbour: Harbour, ahead: int) -> None:
    device = Device(harbour, ahead)
    device.send(device.hit("1", ago=2 * SECOND), latency=20 * SECOND)
    harbour.send(device.hit("2", ago=SECOND), sent=device.now, key="unknown-yet")
    device.send(device.hit("3"))
    drain(harbour)
    assert harbour.balanced() == {"stored": 2, "quarantined": 1}
    harbour.db.execute("UPDATE quarantine SET snippet_key = %s", (harbour.key,))
    context = Context(harbour.settings)
    ids = quarantine.matching(harbour.db, [], None)
    assert replay_batch(harbour.db, context, ids, False) == {"stored": 1}
    assert in_order(harbour) == ["1", "2", "3"]
    assert harbour.rows("SELECT count(DISTINCT clock_ms), count(*) FROM event") == [(1, 3)]


def test_timelines_and_what_is_recent(harbour: Harbour) -> None:
    """A timeline goes by the corrected times; what is recent goes by ids, and sees the future."""
    for name, ahead, ago in (("1", 5 * DAY, 9), ("2", 0, 6), ("3", -10 * DAY, 3), ("4", HOUR, 0)):
        device = Device(harbour, ahead, name)
        device.send(device.hit(name, ago=ago * SECOND))
    drain(harbour)
    ids = [id_ for (id_,) in harbour.rows("SELECT id FROM identifier")]
    now, section_id = datetime.now(UTC), harbour.booking.section_id
    for since, found in ((now - timedelta(minutes=1), "4321"), (now + timedelta(minutes=1), "")):
        page = timelines.read(harbour.db, section_id, ids, filters=Filters(since=since))
        assert "".join(event.data["reference"] for event in page.events) == found
    version_id = harbour.booking.versions[0].id
    newest = recent_events.newest(harbour.db, [version_id], now - timedelta(days=1), 10, 10)
    assert [json.loads(event.data)["reference"] for event in newest] == ["1", "4", "2"]
    assert recent_events.reach(harbour.db, now, 10) == now


def test_a_time_that_can_not_be_corrected_stays(harbour: Harbour) -> None:
    device = Device(harbour, 3 * HOUR)
    device.send({**device.hit("long ago"), "at": 5})
    drain(harbour)
    assert harbour.rows("SELECT extract(epoch FROM event_time) * 1000, clock_ms FROM event") == [
        (5, None)
    ]


def test_a_hit_that_is_sent_again_is_one_event(harbour: Harbour) -> None:
    """Each try says anew when it was sent."""
    device = Device(harbour, 5 * DAY)
    one = device.hit("one")
    device.send(one, latency=20 * SECOND)
    device.send(one)
    with by_hand(harbour) as hand:
        hand.turn()
        before = harbour.rows("SELECT * FROM event")
        device.send(one, to=3)
        Device(harbour, 0).send(one)  # its clock was set before the third try
        hand.turn()
    assert harbour.balanced() == {"stored": 1, "duplicate": 2, "quarantined": 1}
    assert harbour.rows("SELECT * FROM event") == before


def test_a_merge_that_moves_the_visitor_meanwhile_is_not_waited_for(
    harbour: Harbour,
) -> None:
    with by_hand(harbour) as hand:
        harbour.send(hit())
        hand.turn()
        device = Device(harbour, HOUR)
        device.send(device.hit("a"))
        with harbour.db.transaction():
            harbour.db.execute("UPDATE identifier SET profile_id = profile_id")
            hand.turn()
        assert clocks(harbour) == {ANN: None}
        device.send(device.hit("b"))
        hand.turn()
    assert harbour.balanced() == {"stored": 3}
    assert clocks(harbour)[ANN] is not None
