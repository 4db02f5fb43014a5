"""Live hits: who watches a section is told what became of its hits, once that is committed."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import redis
from redis.client import PubSub

from tests.embedded.waiting import until
from tests.worker.cast import ANN, BEN, Hand, Harbour, by_hand, hit, next_version, track
from tests.worker.test_senders import GOOGLEBOT
from tests.worker.test_trying import TEST
from tracker.rules.hits import Sender
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.told import ToldHit
from tracker.stores import live
from tracker.stores.live import LiveBatch
from tracker.vault import Vault
from worker import watching
from worker.context import Context
from worker.steps import Work


class Watcher:
    """Somebody who watches the harbour, and a worker that was told so."""

    def __init__(self, hand: Hand, listener: PubSub) -> None:
        self.hand, self._listener = hand, listener
        self.watching = hand.worker._watching
        self.watching.look(hand.client)

    def batches(self) -> list[LiveBatch]:
        """All that was published until now."""
        self.watching._next_batch = 0.0
        self.watching.publish(self.hand.client)
        found: list[LiveBatch] = []
        # Asked on the same server after what was published there: it is all under way.
        self._listener.ping()
        while True:
            message: Any = self._listener.get_message(timeout=10)
            if message and message["type"] == "pong":
                return found
            if message:
                found.append(msgspec.json.decode(message["data"], type=LiveBatch))

    def told(self) -> list[ToldHit]:
        """One turn, and the hits that it told of."""
        self.hand.turn()
        return [hit for batch in self.batches() for hit in batch.hits]


@contextmanager
def listening(harbour: Harbour) -> Iterator[PubSub]:
    with PubSub(harbour.redis.connection_pool, ignore_subscribe_messages=True) as listener:
        listener.subscribe(live.channel(harbour.booking.section_id))
        listener.get_message(timeout=10)
        yield listener


@pytest.fixture
def watcher(harbour: Harbour) -> Iterator[Watcher]:
    with by_hand(harbour) as hand, listening(harbour) as listener:
        hand.worker._context.refresh(hand.connection)
        yield Watcher(hand, listener)


def test_what_became_of_each_hit_is_told(harbour: Harbour, watcher: Watcher) -> None:
    later = next_version(harbour, datetime.now(UTC) + timedelta(hours=1))
    again = hit(page="https://shop.example/")
    harbour.send(again, again, hit(data={"amount": "dear"}), hit(visitor=None))
    harbour.send(hit(BEN), key=later)
    harbour.send(hit(), sender=Sender(agent=GOOGLEBOT))
    stored, duplicate, bad, nobodys, held, bot = watcher.told()
    assert (stored.outcome, stored.page, stored.whose, stored.data) == (
        "stored",
        "https://shop.example/",
        [f"web:{ANN}"],
        '{"source":"Website","reference":"B-1"}',
    )
    assert (duplicate.outcome, duplicate.reason, duplicate.id) == ("duplicate", None, again["id"])
    assert (bad.outcome, bad.reason) == ("quarantined", "invalid_data")
    assert [(error.field, error.code) for error in bad.errors] == [
        ("reference", "required"),
        ("amount", "wrong_type"),
    ]
    assert (nobodys.outcome, nobodys.reason) == ("dropped", "no_identifier")
    assert (held.outcome, held.whose, held.key) == ("held", [f"web:{BEN}"], later)
    assert held.due_at is not None
    assert (bot.outcome, bot.reason, bot.data) == ("dropped", "bot", '{"reference": "B-1"}')


def test_a_hit_for_trying_out_is_dropped_with_its_errors(
    harbour: Harbour, watcher: Watcher
) -> None:
    harbour.send(hit(data={}), sender=TEST)
    [told] = watcher.told()
    assert (told.outcome, told.reason) == ("dropped", "test")
    assert [error.field for error in told.errors] == ["reference"]


def test_of_others_nothing_is_told(harbour: Harbour, watcher: Watcher) -> None:
    """Of another section, of no section, and of an event that was hidden."""
    _, key = track(harbour.db, harbour.redis, "hotel")
    harbour.db.execute(
        "UPDATE definition SET hidden_at = now() WHERE id = %s", (harbour.booking.id,)
    )
    watcher.hand.worker._context.refresh(watcher.hand.connection)
    harbour.send(hit(), key=key)
    harbour.send(hit(), key="nobodys")
    harbour.send(hit())
    harbour.send(hit(), sender=Sender(agent=GOOGLEBOT))
    assert watcher.told() == []
    assert harbour.balanced() == {"stored": 1, "quarantined": 1, "dropped": 2}


def test_of_erased_people_only_the_outcome_is_told(harbour: Harbour, watcher: Watcher) -> None:
    section_id, who = harbour.booking.section_id, Identity(Keyspace.WEB, ANN)
    hash_ = Vault(harbour.settings).erased_hash(section_id, who)
    harbour.db.execute("INSERT INTO erased VALUES (%s, %s, now())", (section_id, hash_))
    harbour.db.execute("UPDATE installation SET revision = revision + 1")
    harbour.send(hit(), hit(BEN, claims={"web": ANN}), hit(BEN))
    harbour.send(hit(), sender=Sender(agent=GOOGLEBOT))
    harbour.send(hit(), sender=TEST)
    erased, naming, other, bot, trial = watcher.told()
    assert [told.outcome for told in (erased, naming, other, bot, trial)] == [
        "dropped",
        "stored",
        "stored",
        "dropped",
        "dropped",
    ]
    assert [told.reason for told in (erased, bot, trial)] == ["erased", "bot", "test"]
    assert other.whose == [f"web:{BEN}"]
    for told in (erased, naming, bot, trial):
        assert (told.id, told.whose, told.data, told.page, told.agent) == ("", (), "", None, None)


def test_while_nobody_watches_no_hit_is_looked_at(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(*_: object) -> None:
        raise AssertionError("nobody watches")

    monkeypatch.setattr(watching.Watching, "note", looked)
    monkeypatch.setattr(live, "publish", looked)
    with by_hand(harbour) as hand:
        hand.worker._watching.look(hand.client)
        harbour.send(hit())
        hand.turn()
        hand.worker._watching.publish(hand.client)
    assert harbour.balanced() == {"stored": 1}


def test_a_worker_says_each_second_that_it_is_there(watcher: Watcher) -> None:
    assert watcher.batches() == [LiveBatch()]
    watcher.watching.look(watcher.hand.client)
    assert watcher.batches() == [LiveBatch()]


def test_a_busy_event_leaves_room_for_what_is_rare(
    harbour: Harbour, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_ALIKE", 3)
    watcher.batches()
    harbour.send(*(hit() for _ in range(8)), hit(data={}))
    watcher.hand.turn()
    [batch] = watcher.batches()
    assert [told.outcome for told in batch.hits] == ["stored"] * 3 + ["quarantined"]
    assert batch.more == {"stored": 5}
    harbour.send(hit())
    assert watcher.told() == []  # within the same second
    watcher.watching.look(watcher.hand.client)
    harbour.send(hit())
    assert [told.outcome for told in watcher.told()] == ["stored"]


@pytest.mark.parametrize(("limit", "value"), [("MOST", 4), ("MOST_BYTES", 4 * 900)])
def test_so_many_a_second_are_told(
    harbour: Harbour, watcher: Watcher, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(watching, limit, value)
    watcher.batches()
    big = {"reference": "x" * 800}
    harbour.send(*(hit(data=big) for _ in range(6)), hit(data={"nights": "n" * 800}))
    watcher.hand.turn()
    [batch] = watcher.batches()
    assert len(batch.hits) == 4
    assert batch.more == {"stored": 2, "quarantined": 1}


def test_what_is_not_committed_is_not_told(harbour: Harbour, watcher: Watcher) -> None:
    watcher.batches()
    harbour.db.execute("UPDATE hit_partition SET last_id = '1-1'")  # as if it were another's
    harbour.send(hit())
    assert watcher.told() == []


def test_redis_that_refuses_is_left_alone_for_a_while(
    harbour: Harbour, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise redis.ResponseError("NOPERM")

    harbour.send(hit())
    watcher.hand.turn()
    monkeypatch.setattr(live, "publish", refused)
    watcher.batches()
    assert watcher.watching.sections == frozenset()
    monkeypatch.setattr(live, "watched", refused)
    watcher.watching.look(watcher.hand.client)
    harbour.send(hit())
    assert watcher.told() == []
    assert harbour.balanced() == {"stored": 2}


def test_a_bug_in_the_telling_undoes_nothing(
    harbour: Harbour, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(work: Work, context: Context, outcome: object) -> ToldHit:
        raise RuntimeError("a bug")

    monkeypatch.setattr(watching, "told", broken)
    harbour.send(hit(), hit(BEN))
    assert watcher.told() == []
    harbour.send(hit(BEN))
    assert watcher.told() == []
    assert harbour.balanced() == {"stored": 3}


def test_following_hears_what_is_published_and_ends_at_once(harbour: Harbour) -> None:
    section_id = harbour.booking.section_id

    async def one() -> LiveBatch:
        async with aclosing(live.follow(harbour.settings.redis_url, section_id, 0.05)) as batches:
            async for batch in batches:
                if batch:
                    return batch
                live.publish(harbour.redis, {section_id: LiveBatch()})
        raise AssertionError("it ended")

    assert asyncio.run(one()) == LiveBatch()
    until(lambda: not live.watched(harbour.redis), "nobody watches")


def test_channels_of_others_are_no_sections(harbour: Harbour) -> None:
    with PubSub(harbour.redis.connection_pool) as listener:
        listener.subscribe("pintag:live:x", "pintag:live:7", "other:3")
        until(lambda: live.watched(harbour.redis) == {7}, "both are subscribed")
