"""Hits of somebody who was erased, sent before, while and after it was done: nothing is kept."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.embedded.waiting import until
from tests.jobs.people import ANN_MAIL, ANN_PHONE, BEN, know
from tests.jobs.test_erasure import ask, erase
from tests.worker.cast import Harbour, drain, hit, next_version, working
from tests.worker.processes import process
from tests.worker.test_rejected import buried
from tests.worker.test_replay import replayed
from tests.worker.test_senders import GOOGLEBOT
from tracker.rules.hits import Sender
from tracker.rules.states import ERASED
from tracker.stores import kept_hits, trials
from tracker.stores.kept_hits import STATES

pytestmark = pytest.mark.slow

TABLES = ("identifier", "event", "quarantine", "held", "erasing")


def mentions(harbour: Harbour, *texts: str) -> list[str]:
    """Rows in which one of the texts stands."""
    raws = [
        hit.raw.decode(errors="replace")
        for state in STATES
        for hits in kept_hits.chunks(harbour.db, state, harbour.booking.section_id)
        for hit in hits
    ]
    rows = [row for table in TABLES for (row,) in harbour.rows(f"SELECT t::text FROM {table} t")]
    return [row for row in raws + rows if any(text in row for text in texts)]


@pytest.fixture
def erased(harbour: Harbour) -> Harbour:
    """Ann was erased."""
    know(harbour, ANN_PHONE, ANN_MAIL)
    erase(harbour)
    return harbour


def test_a_late_hit_is_dropped(erased: Harbour) -> None:
    erased.send(hit(ANN_PHONE.key), hit(BEN.key))
    drain(erased)
    assert erased.audit().reasons == {("dropped", "erased"): 1}
    assert erased.balanced() == {"dropped": 1, "stored": 1}
    assert mentions(erased, ANN_PHONE.key) == []


@pytest.mark.parametrize(
    "late",
    [
        hit(ANN_PHONE.key, data={}),
        hit(ANN_PHONE.key, id="7"),
        hit(ANN_PHONE.key, at=-1),
        hit(ANN_PHONE.key, id="01000000-0000-7000-8000-000000000000"),
        hit(BEN.key, data={}, claims={"email": "Ann@Example.com"}),
        hit(BEN.key, claims={"email": {"key": "ann@example.com", "expires": 1, "signature": ""}}),
        b'{"visitor": "ann\'s phone", oops',
    ],
    ids=range(7),
)
def test_a_late_hit_that_would_be_rejected_is_dropped_too(
    erased: Harbour, late: dict[str, object] | bytes
) -> None:
    erased.send(late)
    drain(erased)
    assert erased.audit().reasons == {("dropped", "erased"): 1}
    assert erased.balanced() == {"dropped": 1}


def test_a_late_hit_that_would_be_held_is_dropped(erased: Harbour) -> None:
    later = next_version(erased, datetime.now(UTC) + timedelta(hours=1))
    claims = {"email": "ann@example.com"}
    erased.send(hit(ANN_PHONE.key), hit(BEN.key, claims=claims), hit(BEN.key), key=later)
    drain(erased)
    assert erased.audit().reasons == {("dropped", "erased"): 2}
    assert erased.balanced() == {"dropped": 2, "held": 1}
    assert mentions(erased, ANN_PHONE.key, "ann@example.com") == []


def test_a_late_hit_that_killed_workers_is_dropped(erased: Harbour) -> None:
    buried(erased, hit(ANN_PHONE.key), b'{"visitor": "ann\'s phone", oops', hit(BEN.key))
    assert erased.balanced() == {"dropped": 2, "quarantined": 1}
    assert mentions(erased, ANN_PHONE.key) == []


def test_a_late_hit_that_postgresql_refuses_is_dropped(erased: Harbour) -> None:
    """Ben's hit would leave Ann's name out; kept whole, as our bug, it would have it."""
    erased.db.execute("ALTER TABLE event ADD CHECK (data ->> 'reference' <> 'no')")
    claims, data = {"email": "ann@example.com"}, {"reference": "no"}
    erased.send(hit(BEN.key, data=data, claims=claims), hit(BEN.key, data=data), hit(BEN.key))
    drain(erased)
    assert erased.balanced() == {"dropped": 1, "quarantined": 1, "stored": 1}
    assert mentions(erased, "ann@example.com") == []


def test_a_replayed_hit_that_postgresql_refuses_is_dropped(erased: Harbour) -> None:
    claims, data = {"email": "ben@example.com"}, {"reference": "no"}
    erased.send(hit(BEN.key, data={**data, "nights": "?"}, claims=claims))
    drain(erased)
    # As if Ann's erasure had not yet come to this row.
    erased.db.execute(
        "UPDATE quarantine SET raw = convert_to(replace(replace(convert_from(raw, 'UTF8'),"
        " 'ben@', 'ann@'), '\"?\"', '1'), 'UTF8')"
    )
    erased.db.execute("ALTER TABLE event ADD CHECK (data ->> 'reference' <> 'no')")
    assert replayed(erased) == {"dropped (erased)": 1}
    assert mentions(erased, "ann@example.com") == []
    assert erased.balanced() == {"dropped": 1}


def test_a_late_hit_for_trying_out_tells_nothing(erased: Harbour) -> None:
    erased.send(hit(ANN_PHONE.key), sender=Sender(test=True))
    erased.send(hit(ANN_PHONE.key), sender=Sender(test=True, agent=GOOGLEBOT))
    drain(erased)
    found = trials.read(erased.redis, trials.OLDEST)[0]
    assert [(trial.outcome, trial.reason) for trial in found] == [
        ("dropped", "erased"),
        ("dropped", "bot"),
    ]
    for trial in found:
        assert (trial.whose, trial.data, trial.id) == ((), "", "")


def test_trials_go_with_a_person(harbour: Harbour) -> None:
    know(harbour, ANN_PHONE, ANN_MAIL)
    harbour.send(hit(ANN_PHONE.key), sender=Sender(test=True))
    drain(harbour)
    assert len(trials.read(harbour.redis, trials.OLDEST)[0]) == 1
    with process(harbour, "worker.jobs"):
        ask(harbour)
        until(lambda: not trials.read(harbour.redis, trials.OLDEST)[0], "the trials are gone")


def test_hits_while_it_is_done(harbour: Harbour) -> None:
    know(harbour, ANN_PHONE, ANN_MAIL)
    sent, stop = [0], threading.Event()

    def send() -> None:
        while not stop.is_set() and sent[0] < 3_000:
            claims = {"email": "ann@example.com"}
            harbour.send(
                hit(ANN_PHONE.key),
                hit(BEN.key, claims=claims),
                hit(BEN.key, data={}, claims=claims),
                to=sent[0] % 8,
            )
            sent[0] += 3

    sender = threading.Thread(target=send)
    with working(harbour.settings), working(harbour.settings):
        sender.start()
        while not harbour.rows("SELECT FROM event LIMIT 1"):
            pass
        erase(harbour)
        stop.set()
        sender.join()
        harbour.until_empty()
    assert mentions(harbour, ANN_PHONE.key, "ann@example.com") == []
    states = harbour.balanced()
    assert sum(states.values()) == sent[0]
    assert states[ERASED] > 0
    assert harbour.rows("SELECT count(*) FROM event") == [(sent[0] // 3,)]  # Ben's
