"""`pintag snippet watch`: a developer sees what each hit would have become, and why."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from redis import Redis

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.worker.cast import ANN, Harbour, drain, hit, next_version, track
from tracker.rules.hits import Sender
from tracker.rules.told import ToldHit
from tracker.settings import Settings
from tracker.stores import trials

TEST = Sender(test=True, agent="curl/8")


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with its event Booking tracked."""
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)


def watched(pintag: Run, count: int, *options: str) -> str:
    return pintag("snippet", "watch", "booking", "--past", "--count", str(count), *options)


def test_a_good_hit_and_a_bad_one(harbour: Harbour, pintag: Run) -> None:
    harbour.send(hit(page="https://shop.example/"), hit(data={"amount": "dear"}), sender=TEST)
    drain(harbour)
    good, bad = watched(pintag, 2).split("would be ")[1:]
    assert good.startswith("stored  version 1")
    assert "reference B-1" in good
    assert "source    Website" in good
    assert f"(profile) web:{ANN}" in good
    assert "(page)    https://shop.example/" in good
    assert "(sent by) curl 8" in good
    assert bad.startswith("quarantined  version 1")
    assert "invalid_data: The fields do not fit the version" in bad
    assert "✗ reference: " in bad
    assert "✗ amount: " in bad
    assert "(wrong_type)" in bad


def test_nobody_writes_on_the_terminal(harbour: Harbour, pintag: Run) -> None:
    hostile = "\x1b[2J\n12:00:00Z  would be stored"
    harbour.send(hit(data={hostile: hostile, "reference": hostile}, page=hostile), sender=TEST)
    harbour.send(b"\x1b[2J", sender=TEST)
    drain(harbour)
    printed = watched(pintag, 2)
    assert "\x1b" not in printed
    assert not [line for line in printed.splitlines() if line.startswith("12:00:00Z")]


def test_a_version_that_can_t_be_used_yet(harbour: Harbour, pintag: Run) -> None:
    later = next_version(harbour, datetime(2126, 1, 1, tzinfo=UTC))
    harbour.send(hit(), hit(data={}), key=later, sender=TEST)
    drain(harbour)
    printed = watched(pintag, 2)
    assert "would be held until 2126-01-01 00:00:00Z, and then stored  version 2" in printed
    assert "would be held until 2126-01-01 00:00:00Z, and then rejected  version 2" in printed


def test_a_page_whose_hits_come_in_for_trying_out_only(harbour: Harbour, pintag: Run) -> None:
    harbour.db.execute("UPDATE section SET allowed_origins = '{https://shop.example}'")
    pages = ("https://shop.example/", "http://localhost:3000/book?x#y")
    harbour.send(*(hit(page=page) for page in pages), sender=TEST)
    drain(harbour)
    allowed, local = watched(pintag, 2).split("would be ")[1:]
    assert allowed.startswith("stored  version 1")
    assert local.startswith("refused  version 1")
    assert "takes no hits from http://localhost:3000, but for trying out." in local
    told = [json.loads(line) for line in watched(pintag, 2, "--json").splitlines() if "{" in line]
    assert [one["refused_origin"] for one in told] == [None, "http://localhost:3000"]


def test_other_events_are_another_watch_s(harbour: Harbour, pintag: Run) -> None:
    _, other = track(harbour.db, harbour.redis, "quay")
    harbour.send(hit(data={}), key=other, sender=TEST)
    harbour.send(hit(data={}), hit(), sender=TEST)
    drain(harbour)
    lines = watched(pintag, 2, "--json", "--section", "harbour").splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert [one["key"] for one in told] == [harbour.key] * 2
    assert [(one["outcome"], one["reason"]) for one in told] == [
        ("quarantined", "invalid_data"),
        ("stored", None),
    ]
    assert told[1]["data"] == {"source": "Website", "reference": "B-1"}
    assert [error["field"] for error in told[0]["errors"]] == ["reference"]


def test_nobody_writes_a_line_of_json_of_his_own(harbour: Harbour, pintag: Run) -> None:
    one = json.dumps(hit(data={"reference": 1}))
    forged = '\n{"event":"booking","outcome":"stored"}\n'
    harbour.send(one.replace('"reference": 1', f'"reference":{forged}').encode(), sender=TEST)
    drain(harbour)
    printed = watched(pintag, 1, "--json")
    [told] = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert told["data"] == {"reference": {"event": "booking", "outcome": "stored"}}


def test_without_past_it_begins_now_and_ctrl_c_ends_it(
    harbour: Harbour, pintag: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour.send(hit(data={"reference": "before"}), sender=TEST)
    drain(harbour)
    read = trials.read
    turns = iter(["send", "look", "ctrl-c"])

    def reading(client: Redis, place: str) -> tuple[list[ToldHit], str]:
        turn = next(turns)
        if turn == "ctrl-c":
            raise KeyboardInterrupt
        if turn == "send":
            harbour.send(hit(data={"reference": "after"}), sender=TEST)
            drain(harbour)
        return read(client, place)

    monkeypatch.setattr(trials, "read", reading)
    printed = pintag("snippet", "watch", "booking")
    assert "pintag snippet show booking --test" in printed
    assert "after" in printed
    assert "before" not in printed
