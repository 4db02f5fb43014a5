"""What is kept of the sender, wherever a hit comes to lie, and whose hits are dropped."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.cast import BEN, Clock, Harbour, by_hand, drain, hit, next_version
from tracker.rules.hits import NOBODY, Sender
from tracker.stores import quarantine
from worker.context import Context
from worker.replay import replay_batch

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
VISITOR = Sender(address="192.0.2.7", agent=CHROME)
KEPT = ("192.0.2.7", "Chrome 142 on Windows")


def kept(harbour: Harbour, table: str) -> list[tuple[str | None, str | None]]:
    return [(a, b) for a, b in harbour.rows(f"SELECT address, agent FROM {table} ORDER BY id")]


def test_events_and_rejected_hits_say_who_sent_them(harbour: Harbour) -> None:
    harbour.send(hit(), hit(BEN, data={}), b"?", sender=VISITOR)
    drain(harbour)
    assert kept(harbour, "event") == [KEPT]
    assert kept(harbour, "quarantine") == [KEPT, KEPT]
    assert harbour.balanced() == {"stored": 1, "quarantined": 2}


def test_nothing_is_made_up(harbour: Harbour) -> None:
    harbour.send(hit(), hit(BEN, data={}), sender=NOBODY)
    drain(harbour)
    assert kept(harbour, "event") + kept(harbour, "quarantine") == [(None, None)] * 2


@pytest.mark.parametrize(
    "sender", [Sender(agent=GOOGLEBOT), Sender(agent=CHROME, prefetch=True), Sender(prefetch=True)]
)
def test_bots_and_pages_that_nobody_saw(harbour: Harbour, sender: Sender) -> None:
    harbour.send(hit(), hit(data={}), b"?", sender=sender)
    drain(harbour)
    assert harbour.audit().reasons == {("dropped", "bot"): 3}
    assert harbour.balanced() == {"dropped": 3}


def test_a_released_hit_still_has_its_sender(harbour: Harbour) -> None:
    clock = Clock(datetime.now(UTC))
    key = next_version(harbour, clock.now + timedelta(hours=1))
    with by_hand(harbour, clock=clock) as hand:
        harbour.send(hit(), key=key, sender=VISITOR)
        hand.turn()
        assert kept(harbour, "held") == [KEPT]
        clock.now += timedelta(hours=1)
        hand.turn()
    assert kept(harbour, "event") == [KEPT]
    assert harbour.balanced() == {"stored": 1}


def test_a_replayed_hit_still_has_its_sender(harbour: Harbour) -> None:
    harbour.send(hit(data={}), sender=VISITOR)
    harbour.send(hit(data={}))
    drain(harbour)
    harbour.db.execute(
        "UPDATE quarantine SET raw = convert_to(replace(convert_from(raw, 'UTF8'), '\"data\": {}',"
        ' \'"data": {"reference": "B-1"}\'), \'UTF8\')'
    )
    context = Context(harbour.settings)
    context.refresh(harbour.db)
    ids = quarantine.matching(harbour.db, [], None)
    assert replay_batch(harbour.db, context, ids, False) == {"stored": 2}
    assert sorted(kept(harbour, "event"), key=str) == [KEPT, (None, None)]


def test_what_no_store_takes_in_an_address(harbour: Harbour) -> None:
    """No collector writes it; whoever did has a hit in quarantine that is our bug."""
    harbour.send(hit(), sender=Sender(address="\0", agent="\0"))
    drain(harbour)
    assert harbour.quarantined() == ["internal_error"]
