"""Hits of a version that can't be used yet wait, and go through all steps once it can."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.embedded.waiting import until
from tests.worker.cast import (
    Clock,
    Harbour,
    by_hand,
    drain,
    hit,
    next_version,
    working,
)
from tests.worker.test_replay import replayed
from tracker.rules.states import Move
from tracker.stores import held
from worker import held as worker_held
from worker.context import Context
from worker.loop import utc_now
from worker.steps import STEPS, Step, Verdict, Work

NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BEFORE, AFTER = NOON - SECOND, NOON + SECOND


@pytest.fixture
def key(harbour: Harbour) -> str:
    """The key of a snippet whose version can be used from noon on."""
    return next_version(harbour, NOON)


def named(*names: str) -> list[dict[str, object]]:
    return [hit(data={"reference": name}) for name in names]


def noting(seen: list[str]) -> Step:
    """A last step that notes which hits came so far, in which order."""

    def note(work: Work, context: Context) -> Verdict | None:
        seen.append(work.data.decode().split('"reference":"')[1].split('"')[0])
        return None

    return note


def hold(harbour: Harbour, key: str, *hits: dict[str, object], to: int = 0) -> None:
    """Send hits that a worker, which ends then, takes before noon."""
    harbour.send(*hits, to=to, key=key)
    with by_hand(harbour, clock=Clock(BEFORE)) as hand:
        hand.turn()


@pytest.mark.parametrize(("now", "state"), [(BEFORE, "held"), (NOON, "stored"), (AFTER, "stored")])
def test_a_hit_that_comes_around_noon(
    harbour: Harbour, key: str, now: datetime, state: str
) -> None:
    harbour.send(hit(), key=key)
    with by_hand(harbour, clock=Clock(now)) as hand:
        hand.turn()
    assert harbour.balanced() == {state: 1}


@pytest.mark.parametrize(("now", "state"), [(BEFORE, "held"), (NOON, "stored"), (AFTER, "stored")])
def test_when_a_held_hit_goes_on(harbour: Harbour, key: str, now: datetime, state: str) -> None:
    harbour.send(hit(), key=key)
    clock = Clock(NOON - 2 * SECOND)
    with by_hand(harbour, clock=clock) as hand:
        hand.turn()
        assert harbour.balanced() == {"held": 1}
        clock.now = now
        hand.turn()
    assert harbour.balanced() == {state: 1}


def test_the_version_before_is_not_held_up(harbour: Harbour, key: str) -> None:
    harbour.send(hit())
    hold(harbour, key, hit())
    assert harbour.balanced() == {"stored": 1, "held": 1}


def test_a_worker_that_was_away_at_noon(harbour: Harbour, key: str) -> None:
    sent = hit(page="https://harbour.example/")
    hold(harbour, key, sent)
    before = harbour.rows("SELECT hit_id, received_at FROM held")
    with by_hand(harbour, clock=Clock(NOON + timedelta(days=3))) as hand:
        hand.turn()
    assert harbour.rows("SELECT id, received_at FROM event") == before
    assert harbour.rows("SELECT number FROM event e JOIN version v ON v.id = version_id") == [(2,)]
    assert harbour.balanced() == {"stored": 1}


def test_held_hits_go_first_in_order_of_arrival(
    harbour: Harbour, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: new hits of their partition wait, those of others don't."""
    monkeypatch.setattr(worker_held, "PORTION", 3)
    hold(harbour, key, *named("a", "b"))
    hold(harbour, key, *named("c", "d", "e"))
    seen: list[str] = []
    clock = Clock(BEFORE)
    with by_hand(harbour, (*STEPS, noting(seen)), clock) as hand:
        harbour.send(*named("f"), key=key)
        hand.turn()
        clock.now = NOON
        harbour.send(*named("new"), key=key)
        harbour.send(*named("other"), to=5)
        hand.turn()
        assert seen == ["a", "b", "c", "other"]
        hand.turn()
        assert seen == ["a", "b", "c", "other", "d", "e", "f", "new"]
    assert harbour.balanced() == {"stored": 8}


def test_a_clock_that_steps_back_while_hits_are_due(
    harbour: Harbour, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are left wait for noon again, in their order."""
    monkeypatch.setattr(worker_held, "PORTION", 2)
    hold(harbour, key, *named("a", "b", "c", "d", "e"))
    seen: list[str] = []
    clock = Clock(NOON)
    with by_hand(harbour, (*STEPS, noting(seen)), clock) as hand:
        hand.turn()
        clock.now = BEFORE
        hand.turn()
        assert seen == ["a", "b"]
        clock.now = NOON
        hand.turn()
        hand.turn()
    assert seen == ["a", "b", "c", "d", "e"]
    assert harbour.balanced() == {"stored": 5}


def test_a_hit_that_is_read_as_noon_strikes_overtakes_nobody(harbour: Harbour, key: str) -> None:
    """The turn began before noon: what it reads after is held, like those before it."""
    hold(harbour, key, *named("first"))
    seen: list[str] = []
    clock = Clock(BEFORE)

    def strike(work: Work, context: Context) -> Verdict | None:
        clock.now = AFTER
        return None

    with by_hand(harbour, (strike, *STEPS, noting(seen)), clock) as hand:
        harbour.send(*named("second"), key=key)
        hand.turn()
        assert seen == []
        hand.turn()
    assert seen == ["first", "second"]


@pytest.mark.parametrize(
    ("statement", "states"),
    [
        ("SELECT", {"stored": 1, "quarantined": 1, "dropped": 1}),
        ("UPDATE definition SET hidden_at = now()", {"dropped": 3}),
        ("DELETE FROM snippet WHERE key = 'key-2'", {"quarantined": 3}),
    ],
)
def test_rules_as_they_are_then(
    harbour: Harbour, key: str, statement: str, states: dict[str, int]
) -> None:
    hold(harbour, key, hit(), hit(data={}), hit(None))
    harbour.db.execute(statement.encode())
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
    assert harbour.balanced() == states
    assert harbour.rows("SELECT to_state FROM ledger WHERE from_state = 'queued'") == [("held",)]


def test_sent_again(harbour: Harbour, key: str) -> None:
    one, bad = hit(), hit(data={})
    harbour.send(one)
    hold(harbour, key, one, one, bad)
    hold(harbour, key, one, bad)
    assert harbour.balanced() == {"stored": 1, "held": 2, "duplicate": 3}
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
        harbour.send(one, bad, key=key)
        hand.turn()
    # The first one was stored, by the version before, while its copy was held.
    assert harbour.balanced() == {"stored": 1, "quarantined": 1, "duplicate": 6}


def test_a_turn_asks_the_database_only_when_hits_are_due(
    harbour: Harbour, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(harbour, key, hit())
    clock = Clock(BEFORE)
    with by_hand(harbour, clock=clock) as hand:
        asked: list[str] = []
        for name in ("due", "next_due", "read"):
            function = getattr(held, name)

            def noted(*arguments: object, name: str = name, function=function) -> object:  # type: ignore[no-untyped-def]
                asked.append(name)
                return function(*arguments)

            monkeypatch.setattr(held, name, noted)
        for _ in range(3):
            hand.turn()
        assert asked == []
        clock.now = NOON
        hand.turn()
    assert asked == ["due", "next_due", "read"]


def test_a_running_worker_knows_the_hour(harbour: Harbour) -> None:
    key = next_version(harbour, utc_now() + 2 * SECOND)
    harbour.send(*(hit() for _ in range(5)), key=key)
    with working(harbour.settings):
        until(lambda: harbour.audit().states["held"] == 5, "they are held")
        until(lambda: harbour.audit().states["stored"] == 5, "they are stored")
    assert harbour.balanced() == {"stored": 5}


def test_a_replay_that_holds_hits_tells_the_worker(harbour: Harbour) -> None:
    harbour.send(*named("bad"), key="unknown-yet")
    drain(harbour)
    key = next_version(harbour, utc_now() + timedelta(hours=1))
    harbour.db.execute("UPDATE quarantine SET snippet_key = %s", (key,))
    clock = Clock(utc_now())
    with by_hand(harbour, clock=clock) as hand:
        assert replayed(harbour, dry_run=True) == {"held": 1}
        assert replayed(harbour) == {"held": 1}
        assert harbour.balanced() == {"held": 1}
        hand.upkeep.run()  # hears of it
        hand.turn()
        assert harbour.balanced() == {"held": 1}
        clock.now += timedelta(hours=2)
        hand.turn()
    assert harbour.balanced() == {"stored": 1}


def test_what_postgresql_refuses_when_it_is_released(harbour: Harbour, key: str) -> None:
    hold(harbour, key, *named("1", "2", "bad", "4", "5"))
    harbour.db.execute("ALTER TABLE event ADD CHECK (data ->> 'reference' <> 'bad')")
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
    assert sorted(harbour.references()) == ["1", "2", "4", "5"]
    assert harbour.quarantined() == ["internal_error"]
    assert harbour.balanced() == {"stored": 4, "quarantined": 1}


def test_what_postgresql_refuses_to_hold(harbour: Harbour, key: str) -> None:
    harbour.db.execute("ALTER TABLE held ADD CHECK (position('bad' in encode(raw, 'escape')) = 0)")
    hold(harbour, key, *named("1", "bad", "3"))
    assert harbour.quarantined() == ["internal_error"]
    assert harbour.balanced() == {"held": 2, "quarantined": 1}


def test_two_workers_that_both_believe_a_partition_is_theirs(harbour: Harbour, key: str) -> None:
    hold(harbour, key, hit(), hit(), to=3)
    noon = Clock(NOON)
    with by_hand(harbour, clock=noon) as first, by_hand(harbour, clock=noon) as second:
        second.partitions.owned.update(first.partitions.owned)
        for number in first.partitions.owned:
            second.partitions.held.follow(number)
        taken = second.partitions.held.take(NOON)
        first.turn()
        assert not second.worker._see_through(second.connection, second.partitions, taken)
    assert harbour.balanced() == {"stored": 2}


def test_hits_that_are_erased_while_they_are_due(
    harbour: Harbour, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_held, "PORTION", 1)
    hold(harbour, key, hit(), hit())
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
        harbour.db.execute("DELETE FROM held")
        harbour.db.execute("UPDATE ledger SET to_state = 'erased' WHERE to_state = 'held'")
        hand.turn()
        hand.turn()
    assert harbour.audit().states["stored"] == 1


def test_the_audit_counts_the_rows(harbour: Harbour, key: str) -> None:
    hold(harbour, key, hit(), hit())
    harbour.db.execute("DELETE FROM held WHERE id = 1")
    problem = "held: the ledger says 2, the table has 1 rows: 1 too few"
    assert harbour.audit().problems == [problem]


def test_every_move_of_a_held_hit_is_in_the_ledger(harbour: Harbour, key: str) -> None:
    hold(harbour, key, hit(), hit(data={}), to=2)
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
    moves = harbour.rows("SELECT * FROM ledger ORDER BY from_state, to_state")
    assert [Move(*move) for *move, _ in moves] == [
        Move(2, "held", "quarantined", "invalid_data"),
        Move(2, "held", "stored"),
        Move(2, "queued", "held"),
    ]
