"""Hits for trying out: what they would have become is told, and nothing of them is kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import redis

from tests.worker.cast import ANN, BEN, Harbour, drain, hit, next_version, working
from tests.worker.test_senders import CHROME, GOOGLEBOT
from tracker.rules import told
from tracker.rules.hits import Sender
from tracker.rules.outcomes import Outcome
from tracker.rules.told import ToldHit
from tracker.stores import hit_queue, trials
from tracker.stores.trials import OLDEST
from worker.context import Context
from worker.steps import STEPS, Verdict, Work

TEST = Sender(agent=CHROME, test=True)
TABLES = ("event", "held", "quarantine", "identifier", "profile")


def published(harbour: Harbour) -> list[ToldHit]:
    return trials.read(harbour.redis, OLDEST)[0]


def errors(trial: ToldHit) -> list[tuple[str, str]]:
    assert all(error.message for error in trial.errors)
    return [(error.field, str(error.code)) for error in trial.errors]


def test_a_good_hit(harbour: Harbour) -> None:
    sent = hit(page="https://shop.example/", claims={"email": "ann@example.com"})
    harbour.send(sent, sender=TEST)
    drain(harbour)
    [trial] = published(harbour)
    assert (trial.outcome, trial.reason, errors(trial)) == ("stored", None, [])
    assert json.loads(trial.data) == {"source": "Website", "reference": "B-1"}
    assert (trial.key, trial.id, trial.at) == (harbour.key, sent["id"], sent["at"])
    assert (trial.page, trial.whose) == ("https://shop.example/", [f"web:{ANN}"])
    assert trial.agent == "Chrome 142 on Windows"


def test_whatever_it_is_nothing_is_kept(harbour: Harbour) -> None:
    later = next_version(harbour, datetime.now(UTC) + timedelta(hours=1))
    harbour.send(hit(), hit(data={}), hit(visitor=None), b"?", hit(id="7"), sender=TEST)
    harbour.send(hit(), key=later, sender=TEST)
    harbour.send(hit(), key="nobodys", sender=TEST)
    harbour.send(hit(), sender=Sender(agent=GOOGLEBOT, test=True))
    drain(harbour)
    assert [(trial.outcome, trial.reason) for trial in published(harbour)] == [
        ("stored", None),
        ("quarantined", "invalid_data"),
        ("dropped", "no_identifier"),
        ("quarantined", "malformed"),
        ("quarantined", "malformed"),
        ("held", None),
        ("quarantined", "unknown_snippet"),
        ("dropped", "bot"),
    ]
    assert harbour.audit().reasons == {("dropped", "test"): 8}
    assert harbour.balanced() == {"dropped": 8}
    assert [harbour.rows(f"SELECT count(*) FROM {table}") for table in TABLES] == [[(0,)]] * 5


def test_every_wrong_field_is_told(harbour: Harbour) -> None:
    harbour.send(hit(data={"amount": "dear", "nights": 1.5, "colour": "red"}), sender=TEST)
    drain(harbour)
    [trial] = published(harbour)
    assert errors(trial) == [
        ("reference", "required"),
        ("amount", "wrong_type"),
        ("nights", "wrong_type"),
        ("colour", "unknown_field"),
    ]
    assert json.loads(trial.data) == {"amount": "dear", "nights": 1.5, "colour": "red"}


def test_a_version_of_tomorrow_is_validated_today(harbour: Harbour) -> None:
    due_at = datetime.now(UTC) + timedelta(hours=1)
    later = next_version(harbour, due_at)
    harbour.send(hit(data={}), key=later, sender=TEST)
    drain(harbour)
    [trial] = published(harbour)
    assert (trial.outcome, trial.due_at, trial.reason) == ("held", due_at, "invalid_data")
    assert errors(trial) == [("reference", "required")]


def test_other_hits_are_not_told_of(harbour: Harbour) -> None:
    harbour.send(hit(), hit(BEN, data={}))
    drain(harbour)
    assert published(harbour) == []


def test_what_is_large_is_cut(harbour: Harbour) -> None:
    data = {f"field {number} " + "x" * 400: "y" * 50 for number in range(150)}
    harbour.send(hit(data=data, page="p" * 5_000), sender=TEST)
    drain(harbour)
    [trial] = published(harbour)
    assert (len(trial.errors), trial.more_errors) == (told.MOST_ERRORS, 2)
    assert (len(trial.data), len(trial.page or "")) == (told.MOST_DATA, told.MOST_TEXT)


def test_only_the_newest_of_a_day_are_kept(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MOST", 3)
    one = ToldHit("key", 1, Outcome.STORED)
    trials.publish(harbour.redis, [one] * 5)
    trials.publish(harbour.redis, [one, one])
    assert len(published(harbour)) == 3
    assert 0 < int(harbour.redis.ttl(trials.STREAM)) <= trials.SECONDS
    harbour.redis.delete(trials.STREAM)
    harbour.redis.xadd(trials.STREAM, {b"t": b"from the day before yesterday"}, id="1-1")
    trials.publish(harbour.redis, [one])
    assert published(harbour) == [one]


def test_a_worker_that_can_t_publish_goes_on(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(trials, "publish", away)
    with working(harbour.settings):
        for visitor in (ANN, BEN):
            harbour.send(hit(visitor), sender=TEST)
            harbour.send(hit(visitor))
            harbour.until_empty()
    assert harbour.balanced() == {"dropped": 2, "stored": 2}


def test_a_bug_of_ours_is_told_too(harbour: Harbour) -> None:
    def broken(work: Work, context: Context) -> Verdict | None:
        raise RuntimeError("a bug")

    harbour.send(hit(), sender=TEST)
    drain(harbour, (*STEPS[:3], broken, *STEPS[3:]))
    [trial] = published(harbour)
    assert (trial.outcome, trial.reason) == ("quarantined", "internal_error")
    assert harbour.balanced() == {"dropped": 1}


def test_one_that_kills_the_worker_can_t_be_replayed(harbour: Harbour) -> None:
    harbour.send(hit(data={"reference": "fatal"}), sender=TEST)
    [[fatal]] = hit_queue.read(harbour.redis, {0: "0-0"}, 9, 1).values()
    harbour.db.execute(
        "UPDATE hit_partition SET tries = 3, suspect_id = %s WHERE number = 0", (fatal.mark,)
    )
    drain(harbour)
    [trial] = published(harbour)
    assert (trial.outcome, trial.reason) == ("quarantined", "dead_letter")
    assert harbour.audit().reasons == {("dropped", "test"): 1}
    assert harbour.quarantined() == []
