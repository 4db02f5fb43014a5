"""Rejected hits by the commands that ops use, with the jobs process of a running installation."""

import json
import time
import urllib.request
from uuid import uuid4

import pytest

from tests.embedded.waiting import until
from tests.whole.installation import Installation
from tracker.rules import ids
from tracker.stores import quarantine

pytestmark = pytest.mark.slow


@pytest.fixture
def rejected(pintag: Installation) -> int:
    """The quarantine's id of a booking whose amount is no number."""
    with pintag.database() as connection:
        before = len(quarantine.listed(connection))
        hit = {
            "id": str(ids.mint(time.time_ns() // 1_000_000, uuid4().bytes[:10])),
            "at": time.time_ns() // 1_000_000,
            "visitor": "bo",
            "data": {"amount": "a lot", "colour": "red", "\x1b[2J[bold]": "\x9b2J"},
        }
        send(pintag, hit)
        until(lambda: len(quarantine.listed(connection)) > before, "the hit is in quarantine")
        return quarantine.listed(connection)[0].id


def send(pintag: Installation, hit: dict[str, object]) -> None:
    address = f"{pintag.collector}/v1/{pintag.key('booking')}"
    body = json.dumps({"sent": hit["at"], "hits": [hit]}).encode()
    with urllib.request.urlopen(urllib.request.Request(address, body)) as answer:
        assert answer.status == 204


def test_list_and_show_say_all_that_is_wrong(pintag: Installation, rejected: int) -> None:
    listed = pintag.pintag("quarantine", "list")
    assert "invalid_data" in listed
    assert "Booking v1" in listed
    shown = pintag.pintag("quarantine", "show", str(rejected))
    for expected in ("invalid_data", "Booking, version 1", "amount: ", "colour: ", '"a lot"'):
        assert expected in shown


def test_a_terminal_shows_what_strangers_sent_and_does_not_obey(
    pintag: Installation, rejected: int
) -> None:
    shown = pintag.pintag("quarantine", "show", str(rejected))
    assert "\\x1b[2J[bold]" in shown
    for out in (shown, pintag.pintag("quarantine", "list")):
        assert not {"\x1b", "\x9b"} & set(out)


def test_what_still_fails_stays(pintag: Installation, rejected: int) -> None:
    for options in ((), ("--dry-run",)):
        out = pintag.pintag("quarantine", "replay", str(rejected), *options)
        assert "quarantined (invalid_data)" in out
    assert "a lot" in pintag.pintag("quarantine", "show", str(rejected))


def test_a_mended_hit_is_stored_by_a_replay(pintag: Installation, rejected: int) -> None:
    with pintag.database() as connection:
        good = b'{"amount": 7, "source": "Desk"}'
        connection.execute(
            "UPDATE quarantine SET raw = convert_to(jsonb_set(convert_from(raw, 'UTF8')::jsonb,"
            " '{data}', %s)::text, 'UTF8') WHERE id = %s",
            (good.decode(), rejected),
        )
    assert "1 would be stored" in pintag.pintag("quarantine", "replay", str(rejected), "--dry-run")
    assert "1 now stored" in pintag.pintag("quarantine", "replay", str(rejected))
    assert "amount=7" in pintag.pintag("profile", "show", "bo")
    pintag.pintag("quarantine", "show", str(rejected), code=2)
    assert pintag.audit().problems == []


def test_discard(pintag: Installation, rejected: int) -> None:
    assert "1 hit discarded" in pintag.pintag("quarantine", "discard", str(rejected), "--yes")
    pintag.pintag("quarantine", "show", str(rejected), code=2)
    audit = pintag.audit()
    assert audit.problems == []
    assert audit.states["discarded"] >= 1
