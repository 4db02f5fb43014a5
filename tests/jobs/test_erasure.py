"""Erasure: every trace of a person goes, nothing of anybody else does, and the ledger balances."""

import itertools
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.embedded.waiting import until
from tests.jobs.people import (
    ANN_LAPTOP,
    ANN_MAIL,
    ANN_PHONE,
    BEN,
    BEN_MAIL,
    ann_comes,
    ben_lives_here,
    claim,
    kept,
    know,
)
from tests.jobs.planting import every, plant
from tests.worker.cast import Harbour, track
from tests.worker.processes import process
from tracker.actions import erasing
from tracker.rules.keyspaces import Identity
from tracker.rules.retention import first_kept
from tracker.rules.states import ERASED, EXPIRED
from tracker.stores import database, erasures, retention
from tracker.vault import Vault
from worker import erasure as job
from worker import progress

ANN = {"events": 12, "quarantined": 4, "held": 2, "claims": 8, "postings": 2, "exports": 1}


def ask(harbour: Harbour, identity: Identity = ANN_MAIL) -> str:
    asked = erasing.ask(
        harbour.db, harbour.redis, harbour.booking.section_id, identity, datetime.now(UTC)
    )
    assert asked is not None
    return asked.id


def get(harbour: Harbour, id_: str) -> erasures.Erasure:
    found = erasures.get(harbour.db, id_)
    assert found is not None
    return found


def erase(harbour: Harbour, identity: Identity = ANN_MAIL) -> erasures.Erasure:
    """Erase in this process."""
    id_ = ask(harbour, identity)
    job.run(harbour.db, Vault(harbour.settings), get(harbour, id_), datetime.now(UTC))
    return get(harbour, id_)


@pytest.fixture
def without_ann(harbour: Harbour) -> dict[str, set[str]]:
    """Ben lives here, and Ann comes; returns what was kept before she did."""
    ben_lives_here(harbour)
    before = kept(harbour)
    ann_comes(harbour)
    assert all(kept(harbour)[table] != rows for table, rows in before.items())
    return before


def assert_gone(harbour: Harbour, before: dict[str, set[str]]) -> None:
    """All is as before Ann came, but for an export that can't be fetched any more."""
    after = kept(harbour)
    assert len(after["export"] - before["export"]) == 1
    assert harbour.rows("SELECT expires_at <= now() FROM export WHERE id = 'ann''s'") == [(True,)]
    for table in before.keys() - {"export"}:
        assert after[table] == before[table], table
    assert harbour.rows("SELECT * FROM erasing") == []


@pytest.mark.parametrize("identity", [ANN_MAIL, ANN_PHONE, ANN_LAPTOP], ids=lambda one: one.key)
def test_as_if_she_had_never_come(
    harbour: Harbour, without_ann: dict[str, set[str]], identity: Identity
) -> None:
    before = Counter(harbour.balanced())
    erased = erase(harbour, identity)
    assert_gone(harbour, without_ann)
    assert (erased.state, erased.erased) == ("finished", ANN)
    after = Counter(harbour.balanced())
    assert after - before == {ERASED: 12 + 4 + 2}


def test_a_keyed_hash_of_each_identifier_remains(
    harbour: Harbour, without_ann: dict[str, set[str]]
) -> None:
    erase(harbour)
    vault, section_id = Vault(harbour.settings), harbour.booking.section_id
    rows = harbour.rows("SELECT section_id, hash FROM erased")
    assert set(rows) == {
        (section_id, vault.erased_hash(section_id, one))
        for one in (ANN_MAIL, ANN_PHONE, ANN_LAPTOP)
    }


def test_in_bounded_batches_the_ledger_balancing_at_every_step(
    harbour: Harbour, without_ann: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "BATCH", 5)
    id_ = ask(harbour)
    steps: list[int] = []

    def look(done: int, total: int) -> None:
        steps.append(done)
        assert harbour.audit().problems == []
        assert done <= total

    monkeypatch.setattr(progress, "show", look)
    job.run(harbour.db, Vault(harbour.settings), get(harbour, id_), datetime.now(UTC))
    assert [b - a for a, b in itertools.pairwise(steps)][:3] == [5, 5, 2]
    assert_gone(harbour, without_ann)


def test_another_sections_person_of_the_same_name_stays(harbour: Harbour) -> None:
    booking, key = track(harbour.db, harbour.redis, "quay")
    quay = Harbour(harbour.settings, harbour.db, harbour.redis, booking, key)
    ben_lives_here(quay)
    harbour.db.execute("DELETE FROM export; DELETE FROM posting; DELETE FROM api_client")
    before = kept(harbour)
    know(harbour, BEN)
    erase(harbour, BEN)
    assert kept(harbour) == before


def test_the_profile_at_the_moment_of_the_erasure_is_erased(
    harbour: Harbour, without_ann: dict[str, set[str]]
) -> None:
    """A merge and an unmerge between the request and the job."""
    id_ = ask(harbour, ANN_PHONE)
    [(ben,)] = harbour.rows("SELECT profile_id FROM identifier WHERE key = 'ben'")
    cleo = Identity(ANN_PHONE.keyspace, "cleo")
    know(harbour, cleo)
    harbour.db.execute(
        "UPDATE identifier SET profile_id = (SELECT profile_id FROM identifier WHERE key = %s)"
        " WHERE key = 'cleo'",
        (ANN_PHONE.key,),
    )
    with harbour.db.transaction():
        harbour.db.execute("INSERT INTO profile (id, section_id) VALUES (1000, 1)")
        harbour.db.execute(
            "UPDATE identifier SET profile_id = 1000 WHERE key = %s", (ANN_LAPTOP.key,)
        )
    job.run(harbour.db, Vault(harbour.settings), get(harbour, id_), datetime.now(UTC))
    left = harbour.rows("SELECT key FROM identifier WHERE profile_id <> %s", ben)
    assert left == [(ANN_LAPTOP.key,)]
    assert harbour.rows("SELECT count(*) FROM erased") == [(3,)]


def test_nobody_to_erase(harbour: Harbour) -> None:
    now, section_id = datetime.now(UTC), harbour.booking.section_id
    assert erasing.ask(harbour.db, harbour.redis, section_id, ANN_MAIL, now) is None
    know(harbour, ANN_MAIL)
    first, second = ask(harbour), ask(harbour)
    for id_ in (first, second, first):
        job.run(harbour.db, Vault(harbour.settings), get(harbour, id_), now)
        assert get(harbour, id_).state == "finished"
    assert harbour.rows("SELECT count(*) FROM erased") == [(1,)]


def test_a_batch_that_retention_deletes_first_is_not_the_last_one(harbour: Harbour) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    [id_] = know(harbour, ANN_MAIL).values()
    plant(harbour, *every(day, now - 20 * day, 3), identifier_id=id_)
    erasure = get(harbour, ask(harbour))
    kept_from = {harbour.booking.versions[0].id: first_kept(now, 10)}
    with (
        ThreadPoolExecutor() as threads,
        database.connect(harbour.settings.database_url) as one,
        database.connect(harbour.settings.database_url) as other,
    ):
        with other.transaction():
            retention.expire_window(other, kept_from, retention.FIRST)
            found = threads.submit(erasures.erase_events, one, erasure, [id_])
            harbour.until_one_waits()
        assert found.result(30) == 3
    assert harbour.balanced() == {EXPIRED: 3}
    assert erasures.erase_events(harbour.db, erasure, [id_]) == 0


def test_a_sections_erasures_wait_for_each_other(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event names both people: neither erasure brings back what the other took out."""
    monkeypatch.setattr(job, "load", lambda: harbour.settings)
    know(harbour, ANN_MAIL)
    know(harbour, BEN_MAIL)
    [cleo] = know(harbour, Identity(ANN_PHONE.keyspace, "cleo")).values()
    plant(harbour, datetime.now(UTC), identifier_id=cleo)
    names = {"email": ANN_MAIL.key, "com.pintag.keyspaces.email": BEN_MAIL.key}
    claim(harbour, cleo, names)
    one, other = ask(harbour, ANN_MAIL), ask(harbour, BEN_MAIL)
    change, begun = erasures.change_claims, list[Future[dict[str, int]]]()
    with ThreadPoolExecutor() as threads:

        def changing(*arguments: Any) -> int:
            if not begun:
                begun.append(threads.submit(job.erase, other))
                harbour.until_one_waits()
            return change(*arguments)

        monkeypatch.setattr(erasures, "change_claims", changing)
        assert job.erase(one) == begun[0].result(30) == {"claims": 1}
    assert harbour.rows("SELECT claims FROM event") == [(None,)]


def test_an_erasure_that_is_run_by_two_processes_waits_for_itself(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "load", lambda: harbour.settings)
    [id_] = know(harbour, ANN_MAIL).values()
    plant(harbour, datetime.now(UTC), identifier_id=id_)
    asked = ask(harbour)
    erase_events, begun = erasures.erase_events, list[Future[dict[str, int]]]()
    with ThreadPoolExecutor() as threads:

        def erasing_them(*arguments: Any) -> int:
            if not begun:
                begun.append(threads.submit(job.erase, asked))
                harbour.until_one_waits()
                assert get(harbour, asked).state == "running"
            return erase_events(*arguments)

        monkeypatch.setattr(erasures, "erase_events", erasing_them)
        assert job.erase(asked) == begun[0].result(30) == {"events": 1}
    assert harbour.balanced() == {ERASED: 1}


PLACES = [
    "begin",
    "erase_exports",
    "erase_postings",
    "erase_hits",
    "change_claims",
    "erase_events",
    "finish",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.slow
def test_killed_in_the_middle_the_next_process_finishes(
    harbour: Harbour, without_ann: dict[str, set[str]], place: str
) -> None:
    id_ = ask(harbour)
    with process(harbour, "tests.jobs.killed", "--after", place) as killed:
        assert killed.wait(60) == -9
    assert harbour.audit().problems == []
    assert get(harbour, id_).state == ("finished" if place == "finish" else "running")
    with process(harbour, "worker.jobs"):
        until(lambda: get(harbour, id_).state == "finished", "it is finished")
    assert_gone(harbour, without_ann)
    finished = get(harbour, id_)
    assert (finished.state, finished.erased) == ("finished", ANN)
    assert harbour.balanced()[ERASED] == 12 + 4 + 2
