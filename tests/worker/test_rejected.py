"""Rejected hits that are odd in themselves: none of them is lost, and none stops the worker."""

import json
from typing import Any

import pytest

from tests.worker.cast import Harbour, by_hand, drain, hit, new_id
from tests.worker.test_replay import replayed
from tracker.rules.hits import MAX_TIME_MS
from tracker.stores import hit_queue, quarantine
from worker import batch
from worker.context import Context
from worker.steps import STEPS, Verdict, Work

SENDER = '["192.0.2.1","agent","tag",false,false,false,'
"""A sender as this release writes it, and the beginning of what a later one may write besides."""


def buried(harbour: Harbour, *raws: dict[str, object] | bytes) -> None:
    """Send hits that are taken for the ones that killed a worker."""
    for raw in raws:
        harbour.send(raw)
        reply: Any = harbour.redis.xrange(hit_queue.stream(0), count=1)
        [(stream_id, _)] = reply
        harbour.db.execute(
            "UPDATE hit_partition SET suspect_id = %s, tries = 3 WHERE number = 0",
            (stream_id.decode(),),
        )
        with by_hand(harbour) as hand:
            hand.turn()


def test_a_dead_letter_has_its_version_and_id(harbour: Harbour) -> None:
    fatal = hit()
    buried(harbour, fatal, fatal, b"{")
    rows = quarantine.listed(harbour.db)
    assert {row.reason for row in rows} == {"dead_letter"}
    assert {(row.event, row.version_number) for row in rows} == {("Booking", 1)}
    assert [str(row.hit_id) for row in rows] == ["None", fatal["id"]]
    assert harbour.balanced() == {"quarantined": 2, "duplicate": 1}


def test_a_hit_of_an_unknown_snippet_that_is_sent_again(harbour: Harbour) -> None:
    one, other = hit(), hit()
    harbour.send(one, one, other, b"?", b"?", key="nobodys")
    drain(harbour)
    harbour.send(one, other, key="nobodys")
    harbour.send(one, key="nobodys-either")
    drain(harbour)
    rows = harbour.rows("SELECT snippet_key, hit_id::text FROM quarantine ORDER BY id")
    assert rows == [
        ("nobodys", one["id"]),
        ("nobodys", other["id"]),
        ("nobodys", None),
        ("nobodys", None),
        ("nobodys-either", one["id"]),
    ]
    assert harbour.balanced() == {"quarantined": 5, "duplicate": 3}


def test_a_hit_that_turns_out_to_be_in_quarantine_twice(harbour: Harbour) -> None:
    bad = hit(data={})
    harbour.send(bad, key="unknown-yet")
    harbour.send(bad)
    drain(harbour)
    harbour.db.execute("UPDATE quarantine SET snippet_key = %s", (harbour.key,))
    assert replayed(harbour) == {"duplicate": 1, "quarantined (invalid_data)": 1}
    assert harbour.balanced() == {"duplicate": 1, "quarantined": 1}


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"hello": "world"}, {"hello": "world"}),
        ({"k": "key", "s": "soon", "h": "{}"}, {"k": "key", "s": "soon", "h": "{}"}),
        ({"k": "key", "s": f"{MAX_TIME_MS + 1}", "h": ""}, {"s": f"{MAX_TIME_MS + 1}"}),
        ({"k": b"\xff\0", "s": "1", "h": b"\xff"}, {"k": "\\xff\0", "h": "\\xff"}),
        ({"k": "key", "s": "1", "i": f"{SENDER}{'[' * 100_000}", "h": "{}"}, {"k": "key"}),
    ],
)
def test_an_entry_that_somebody_appended_by_hand(
    harbour: Harbour, entry: Any, kept: dict[str, str]
) -> None:
    harbour.send(hit())
    harbour.redis.xadd(hit_queue.stream(0), entry)
    harbour.send(hit())
    drain(harbour)
    assert harbour.balanced() == {"stored": 2, "quarantined": 1}
    [row] = quarantine.listed(harbour.db)
    assert row.reason == "malformed"
    assert json.loads(row.raw)["entry"].items() >= kept.items()
    assert replayed(harbour) == {"quarantined (malformed)": 1}


def test_an_entry_of_the_far_future(harbour: Harbour) -> None:
    harbour.redis.xadd(hit_queue.stream(0), {"hello": "world"}, id=f"{2**64 - 1}-5")
    drain(harbour)
    [row] = quarantine.listed(harbour.db)
    assert (row.reason, row.received_at.year) == ("malformed", 9999)


def test_a_key_that_postgresql_refuses(harbour: Harbour) -> None:
    harbour.send(hit(), b"?")
    harbour.send(hit(), key="a\0b")
    drain(harbour)
    assert harbour.balanced() == {"stored": 1, "quarantined": 2}
    rows = {row.reason: row for row in quarantine.listed(harbour.db)}
    assert rows.keys() == {"malformed", "internal_error"}
    bare = rows["internal_error"]
    assert bare.snippet_key == "a\N{REPLACEMENT CHARACTER}b"
    assert json.loads(bare.raw)["visitor"]
    assert "can't be stored" in bare.errors[0]["message"]


def test_only_what_is_refused_becomes_bare(harbour: Harbour) -> None:
    harbour.db.execute("ALTER TABLE quarantine ADD CHECK (errors::text NOT LIKE '%reference%')")
    harbour.send(*(hit() for _ in range(5)), hit(data={}), *(hit(at=-1) for _ in range(5)))
    harbour.send(hit(data={}), hit(), to=3)
    drain(harbour)
    assert harbour.balanced() == {"stored": 6, "quarantined": 7}
    assert sorted(harbour.quarantined()) == 2 * ["internal_error"] + 5 * ["malformed"]


def test_what_is_too_much_only_together_is_committed_in_parts(harbour: Harbour) -> None:
    harbour.db.execute(
        "CREATE FUNCTION few() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF (SELECT count(*) FROM new) > 3 THEN RAISE program_limit_exceeded; END IF;"
        " RETURN NULL; END $$;"
        "CREATE TRIGGER few AFTER INSERT ON quarantine REFERENCING NEW TABLE AS new"
        " EXECUTE FUNCTION few()"
    )
    for partition in (0, 1):
        harbour.send(*(hit(data={}) for _ in range(10)), hit(), to=partition)
    drain(harbour)
    assert harbour.balanced() == {"stored": 2, "quarantined": 20}
    assert set(harbour.quarantined()) == {"invalid_data"}


def test_text_of_ours_that_is_none(harbour: Harbour) -> None:
    def broken(work: Work, context: Context) -> Verdict | None:
        if b"marked" in work.queued.raw:
            work.data = b'{"reference":"\xff"}'
        return None

    harbour.send(hit(), hit(data={"reference": "marked"}))
    drain(harbour, (*STEPS, broken))
    assert harbour.quarantined() == ["internal_error"]
    assert harbour.balanced() == {"stored": 1, "quarantined": 1}


def test_a_database_that_takes_nothing_is_no_fault_of_a_hit(harbour: Harbour) -> None:
    harbour.db.execute("ALTER TABLE ledger ADD CHECK (hits < 0)")
    harbour.send(hit(id=new_id()), b"?")
    with by_hand(harbour) as hand, pytest.raises(Exception, match="ledger"):
        hand.turn()
    harbour.db.execute("ALTER TABLE ledger DROP CONSTRAINT ledger_hits_check")
    drain(harbour)
    assert harbour.balanced() == {"stored": 1, "quarantined": 1}
    assert batch.MOST_RAW > 100_000
