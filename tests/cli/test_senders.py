"""Who sent a hit, as the commands show it."""

import json
from datetime import datetime

import psycopg
import pytest
from redis import Redis

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.worker.cast import ANN, Harbour, drain, hit, now_ms, track
from tracker.rules.hits import Sender
from tracker.settings import Settings

SENDER = Sender(
    address="192.0.2.7",
    agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """A booking of Ann's, and one that was rejected."""
    booking, key = track(db, redis, "harbour")
    harbour = Harbour(settings, db, redis, booking, key)
    harbour.send(hit(), hit(data={}), sender=SENDER)
    drain(harbour)
    return harbour


def test_an_event(harbour: Harbour, pintag: Run) -> None:
    assert "reference=B-1  (Firefox 145 on Linux)" in pintag("profile", "show", ANN)
    [event] = json.loads(pintag("profile", "show", ANN, "--json"))["events"]
    assert (event["address"], event["agent"]) == ("192.0.2.7", "Firefox 145 on Linux")


def test_an_event_of_a_device_whose_clock_is_wrong(harbour: Harbour, pintag: Run) -> None:
    at = now_ms() + 3 * 3_600_000
    harbour.send(hit(at=at, data={"reference": "B-2"}), sent=at)
    drain(harbour)
    [shown] = [line for line in pintag("profile", "show", ANN).splitlines() if "B-2" in line]
    assert shown.endswith("  (clock was 3 h ahead)")
    late, right = json.loads(pintag("profile", "show", ANN, "--json"))["events"]
    assert late["clock_ms"] < 0
    assert datetime.fromisoformat(late["sent_at"]) > datetime.fromisoformat(late["event_time"])
    assert right["clock_ms"] is None
    assert datetime.fromisoformat(right["sent_at"]) >= datetime.fromisoformat(right["event_time"])


def test_a_rejected_hit(harbour: Harbour, pintag: Run) -> None:
    ((id_,),) = harbour.rows("SELECT id FROM quarantine")
    assert "sent by Firefox 145 on Linux, 192.0.2.7" in pintag("quarantine", "show", str(id_))
    harbour.db.execute("UPDATE quarantine SET agent = 'Netsc\x1bape'")
    assert r"sent by Netsc\x1bape, 192" in pintag("quarantine", "show", str(id_))
    shown = json.loads(pintag("quarantine", "show", str(id_), "--json"))
    assert shown["address"] == "192.0.2.7"
