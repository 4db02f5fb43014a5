"""Sections that want signed tags: what they let in, also after holding and replaying."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.cast import BEN, Clock, Harbour, by_hand, drain, hit, next_version
from tests.worker.test_replay import replayed
from tracker.rules.hits import NOBODY, Sender
from tracker.rules.tags import sign
from tracker.stores import quarantine
from tracker.vault import Vault

SECRET = "only the harbour's servers know it"


@pytest.fixture(autouse=True)
def signing(harbour: Harbour) -> None:
    """Harbour wants signed tags."""
    set_secret(harbour, SECRET)
    harbour.db.execute("UPDATE section SET signed_tags = true")


def set_secret(harbour: Harbour, secret: str) -> None:
    encrypted = Vault(harbour.settings).encrypt(secret)
    harbour.db.execute("UPDATE section SET signing_secret = %s", (encrypted,))


def tagged(harbour: Harbour, seconds: int = 3600, key: str = "") -> Sender:
    expires = int(time.time()) + seconds
    return Sender(tag=sign(SECRET, "harbour", key or harbour.key, expires))


def test_hits_with_a_tag_are_stored(harbour: Harbour) -> None:
    harbour.send(hit(), hit(BEN), sender=tagged(harbour))
    drain(harbour)
    assert harbour.balanced() == {"stored": 2}


def test_hits_without_a_good_one_are_kept_whole(harbour: Harbour) -> None:
    senders = [NOBODY, tagged(harbour, -60), tagged(harbour, key="another"), Sender(tag="\0")]
    hits = [hit() for _ in senders]
    for one, sender in zip(hits, senders, strict=True):
        harbour.send(one, sender=sender)
    drain(harbour)
    rows = quarantine.listed(harbour.db)[::-1]
    assert [row.reason for row in rows[:3]] == ["bad_tag"] * 3
    codes = [error["code"] for row in rows[:3] for error in row.errors]
    assert codes == ["required", "expired", "bad_signature"]
    assert [str(row.hit_id) for row in rows[:3]] == [one["id"] for one in hits[:3]]
    assert {(row.event, row.version_number) for row in rows[:3]} == {("Booking", 1)}
    assert harbour.balanced() == {"quarantined": 4}


def test_other_sections_mind_no_tags(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE section SET signed_tags = false")
    harbour.send(hit(), sender=Sender(tag="whatever"))
    drain(harbour)
    assert harbour.balanced() == {"stored": 1}


def test_a_held_hit_keeps_its_tag_even_while_it_expires(harbour: Harbour) -> None:
    clock = Clock(datetime.now(UTC))
    key = next_version(harbour, clock.now + timedelta(hours=1))
    with by_hand(harbour, clock=clock) as hand:
        harbour.send(hit(), key=key, sender=tagged(harbour, 60, key))
        harbour.send(hit(BEN), key=key)
        hand.turn()
        assert harbour.rows("SELECT count(*) FROM held") == [(1,)]
        clock.now += timedelta(hours=1)
        hand.turn()
    assert harbour.quarantined() == ["bad_tag"]
    assert harbour.balanced() == {"stored": 1, "quarantined": 1}


def test_a_replay_looks_at_the_tag_that_came_with_the_hit(harbour: Harbour) -> None:
    set_secret(harbour, "not the one that the pages have")
    harbour.send(hit(), sender=tagged(harbour))
    harbour.send(hit(BEN))
    drain(harbour)
    assert replayed(harbour) == {"quarantined (bad_tag)": 2}
    set_secret(harbour, SECRET)
    assert replayed(harbour) == {"stored": 1, "quarantined (bad_tag)": 1}
    harbour.db.execute("UPDATE section SET signed_tags = false")
    assert replayed(harbour) == {"stored": 1}
    assert harbour.balanced() == {"stored": 2}
