"""What a batch leaves behind: events on profiles, rejected hits, and books that balance."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.worker.cast import ANN, BEN, GOOD, Harbour, by_hand, drain, hit, new_id, track
from tracker.rules.hits import MAX_TIME_MS
from worker import batch
from worker.context import Context
from worker.steps import STEPS, Verdict, Work

DIGITS = "0.1234567890123456789012345678901234567"


def on_marked(mark: bytes, what: bytes | Exception) -> Any:
    """A step that spoils the hits that hold a mark: their data becomes `what`, or it raises."""

    def spoil(work: Work, context: Context) -> Verdict | None:
        if mark in work.queued.raw:
            if isinstance(what, Exception):
                raise what
            work.data = what
        return None

    return spoil


def test_an_event_has_all_that_came_with_its_hit(harbour: Harbour) -> None:
    sent = hit(
        data={"amount": msgspec.Raw(DIGITS.encode()), "reference": "B-1"},
        page="https://harbour.example/?a=1",
        referrer="https://search.example/",
        claims={"email": "ann@example.com", "x": [1.0]},
    )
    harbour.send(msgspec.json.encode(sent))
    drain(harbour)
    ((id_, at, page, referrer, claims, data),) = harbour.rows(
        "SELECT id::text, event_time, page, referrer, claims, data::text FROM event"
    )
    assert (id_, page, referrer) == (sent["id"], sent["page"], sent["referrer"])
    assert at == datetime.fromtimestamp(sent["at"] // 1000, UTC).replace(
        microsecond=sent["at"] % 1000 * 1000
    )
    assert claims == '{"email":"ann@example.com","x":[1.0]}'
    assert f'"amount": {DIGITS}' in data
    assert '"source": "Website"' in data


@pytest.mark.parametrize("at", [0, 1, 1_795_422_600_001, 9_999_999_999_999, MAX_TIME_MS])
def test_times_are_exact_to_the_millisecond(harbour: Harbour, at: int) -> None:
    harbour.send(hit(at=at))
    drain(harbour)
    assert harbour.rows("SELECT extract(epoch FROM event_time) * 1000 FROM event") == [(at,)]


def test_events_are_on_the_right_profiles_in_order(harbour: Harbour) -> None:
    _, elsewhere = track(harbour.db, harbour.redis, "elsewhere")
    for number in range(20):
        for visitor in (ANN, BEN):
            data = {"reference": f"{visitor} {number:02}"}
            harbour.send(hit(visitor, data=data), to=number % 2)
        harbour.send(hit(ANN, data={"reference": "elsewhere"}), key=elsewhere)
    drain(harbour)
    assert harbour.balanced() == {"stored": 60}
    rows = harbour.rows(
        "SELECT c.slug, i.key, count(*), count(DISTINCT i.profile_id),"
        " array_agg(DISTINCT left(e.data ->> 'reference', 11))"
        " FROM event e JOIN identifier i ON i.id = e.identifier_id AND i.section_id = e.section_id"
        " JOIN profile p ON p.id = i.profile_id AND p.section_id = i.section_id"
        " JOIN section c ON c.id = e.section_id GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert rows == [
        ("elsewhere", ANN, 20, 1, ["elsewhere"]),
        ("harbour", ANN, 20, 1, [ANN]),
        ("harbour", BEN, 20, 1, [BEN]),
    ]
    assert harbour.rows("SELECT count(*) FROM profile") == [(3,)]


def test_every_outcome_in_one_batch(harbour: Harbour) -> None:
    again = hit()
    harbour.send(again, again, hit(None), hit(data={}), b"?", hit(id=new_id(0)))
    harbour.send(hit(), key="a\tb")
    drain(harbour)
    assert harbour.balanced() == {"stored": 1, "duplicate": 1, "dropped": 1, "quarantined": 4}
    assert harbour.audit().reasons == {
        ("dropped", "no_identifier"): 1,
        ("quarantined", "invalid_data"): 1,
        ("quarantined", "malformed"): 1,
        ("quarantined", "id_time"): 1,
        ("quarantined", "unknown_snippet"): 1,
    }
    rows = harbour.rows("SELECT hit_id::text, section_id, raw FROM quarantine WHERE raw = '?'")
    assert rows == [(None, harbour.booking.section_id, b"?")]


@pytest.mark.parametrize("what", [ValueError("no"), b"{nonsense", b'{"reference":"\\u0000"}'])
def test_a_hit_that_we_fail_on_ends_alone(harbour: Harbour, what: bytes | Exception) -> None:
    marked = hit(data={"reference": "marked"})
    harbour.send(*(hit(data={"reference": f"{n}"}) for n in range(5)), marked, b"?")
    harbour.send(hit(data={"reference": "last"}), to=1)
    drain(harbour, (*STEPS, on_marked(b"marked", what)))
    assert sorted(harbour.references()) == ["0", "1", "2", "3", "4", "last"]
    assert sorted(harbour.quarantined()) == ["internal_error", "malformed"]
    assert harbour.balanced() == {"stored": 6, "quarantined": 2}


def test_large_hits_are_committed_in_portions(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "PORTION_BYTES", 10_000)
    harbour.send(*(hit(page="p" * 3_000) for _ in range(10)))
    harbour.send(*(hit(page="p" * 3_000) for _ in range(10)), to=1)
    with by_hand(harbour) as hand:
        hand.turn()
    assert harbour.balanced() == {"stored": 20}


def test_what_exceeds_a_limit_of_postgresql_is_not_waited_for(harbour: Harbour) -> None:
    def too_long(work: Work, context: Context) -> Verdict | None:
        if work.hit and work.hit.visitor == BEN:
            noise = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(20_000))
            work.hit.visitor = noise  # more than an index entry can hold
        return None

    harbour.send(hit(BEN), hit(ANN))
    drain(harbour, (*STEPS, too_long))
    assert (harbour.quarantined(), harbour.references()) == (
        ["internal_error"],
        [GOOD["reference"]],
    )


def test_a_definition_hidden_while_its_hits_are_queued(harbour: Harbour) -> None:
    with by_hand(harbour) as hand:
        harbour.send(hit())
        hand.turn()
        harbour.send(hit(), hit())
        harbour.db.execute("UPDATE definition SET hidden_at = now()")
        hand.turn()
    assert harbour.balanced() == {"stored": 1, "dropped": 2}
