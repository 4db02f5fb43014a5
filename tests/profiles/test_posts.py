"""Posts: every item judged at once and told all that is wrong with it; stored exactly once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.profiles.cast import ANN, BEN, BEN_WEB, NOW, Harbour, edit, new_id
from tracker.actions.posting import TooEarlyError
from tracker.actions.refusals import ErasedError

SECOND = timedelta(seconds=1)


def test_a_missing_profile_is_made(harbour: Harbour) -> None:
    [answer] = harbour.post(ANN, harbour.item(data={"reference": "B-1", "amount": "12.50"}))
    assert (answer.index, answer.status, answer.errors) == (0, 201, [])
    [event] = harbour.show(ANN).events
    assert event.id == answer.id
    assert event.data["source"] == "API"
    assert str(event.data["amount"]) == "12.50"
    assert (event.event_time, event.received_at) == (NOW, NOW)
    assert (event.sent_at, event.clock_ms) == (None, None)
    assert harbour.balanced() == {"stored": 1}


def test_a_source_that_is_sent_stays(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item(harbour.poll, data={"source": "Till"}))
    assert harbour.show(ANN).events[0].data == {"source": "Till"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-23T10:30:00+01:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23T09:30:00.123456Z", datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)),
        ("2026-11-23t09:30:00,5z", datetime(2026, 11, 23, 9, 30, 0, 500000, tzinfo=UTC)),
        ("2026-11-23T09:30Z", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("2026-11-23 09:30:00+0000", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_event_times(harbour: Harbour, sent: str, kept: datetime) -> None:
    assert [answer.status for answer in harbour.post(ANN, harbour.item(event_time=sent))] == [201]
    assert harbour.show(ANN).events[0].event_time == kept


BAD_TIMES = [
    ("2026-11-23T09:30:00", "wrong_type"),
    ("2026-11-23", "wrong_type"),
    ("2026-W48-1T09:30:00Z", "wrong_type"),
    ("2026-02-30T09:30:00Z", "wrong_type"),
    ("2026-11-23T09:30:60Z", "wrong_type"),
    ("٢٠٢٦-11-23T09:30:00Z", "wrong_type"),
    ("0000-01-01T00:00:00Z", "wrong_type"),
    (1795422600, "wrong_type"),
    (None, "required"),
    ("0001-01-01T00:00:00+01:00", "out_of_range"),
    ("9999-12-31T23:59:59-00:01", "out_of_range"),
]
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        *(({"event_time": sent}, {("event_time", code)}) for sent, code in BAD_TIMES),
        ({"id": "7"}, {("id", "bad_format")}),
        ({"id": 7}, {("id", "wrong_type")}),
        ({"id": new_id(NOW - 30 * DAY - SECOND)}, {("id", "out_of_range")}),
        ({"id": new_id(NOW + DAY + SECOND)}, {("id", "out_of_range")}),
        ({"version_id": None}, {("version_id", "required")}),
        ({"data": {}}, {("data.reference", "required")}),
        ({"data": None}, {("data.reference", "required")}),
        ({"data": []}, {("data", "not_an_object")}),
        ({"data": {"reference": "\0"}}, {("data.reference", "nul")}),
        (
            {"event_time": "now", "id": "x", "data": {"amount": "a", "b": 1}, "extra": 1},
            {
                ("event_time", "wrong_type"),
                ("id", "bad_format"),
                ("data.reference", "required"),
                ("data.amount", "wrong_type"),
                ("data.b", "unknown_field"),
                ("extra", "unknown_field"),
            },
        ),
    ],
)
def test_all_that_is_wrong_with_an_item(
    harbour: Harbour, changes: dict[str, Any], errors: set[tuple[str, str]]
) -> None:
    [answer] = harbour.post(ANN, harbour.item(**changes))
    assert answer.status == 422
    assert {(error.field, error.code) for error in answer.errors} == errors
    assert all(error.message for error in answer.errors)
    assert harbour.rows("SELECT FROM identifier") == []


@pytest.mark.parametrize("ago", [-DAY, 30 * DAY], ids=str)
def test_ids_at_the_ends_of_their_span(harbour: Harbour, ago: timedelta) -> None:
    [answer] = harbour.post(ANN, harbour.item(id=new_id(NOW - ago)))
    assert answer.status == 201


@pytest.mark.parametrize(
    "raw", [b"[]", b"null", b'"x"', b'{"\xff": 1}', b"[" * 2000, b'{"data": {"source": "\xff"}}']
)
def test_items_that_are_none(harbour: Harbour, raw: bytes) -> None:
    bad, good = harbour.post(ANN, raw, harbour.item())
    assert (bad.status, good.status) == (422, 201)
    assert bad.errors


def test_half_an_emoji(harbour: Harbour) -> None:
    raw = json.dumps(harbour.item(data={"reference": "?"})).replace("?", "\\ud83d").encode()
    [answer] = harbour.post(ANN, raw)
    assert [(error.field, error.code) for error in answer.errors] == [("", "malformed")]


def test_each_item_is_told_its_own(harbour: Harbour) -> None:
    """One good among all that a version can say to it."""
    later = edit(harbour, NOW + SECOND)
    harbour.db.execute("UPDATE definition SET denied_operations = '{web:write}' WHERE id = 1")
    answers = harbour.post(
        BEN_WEB,
        harbour.item(),
        harbour.item(harbour.poll),
        harbour.item(version_id="ver_nowhere"),
        harbour.item(version_id="\0"),
    )
    assert [(answer.index, answer.status) for answer in answers] == [
        (0, 403),
        (1, 201),
        (2, 404),
        (3, 404),
    ]
    assert all(answer.detail for answer in answers if answer.status != 201)
    answers = harbour.post(BEN, harbour.item(later), harbour.item())
    assert [(answer.status, answer.usable_from) for answer in answers] == [
        (409, NOW + SECOND),
        (201, None),
    ]
    harbour.db.execute("UPDATE definition SET hidden_at = now() WHERE id = 1")
    assert [answer.status for answer in harbour.post(BEN, harbour.item())] == [410]
    assert harbour.balanced() == {"stored": 2}


def test_a_version_of_another_section_is_unknown(harbour: Harbour) -> None:
    harbour.db.execute("INSERT INTO section (slug, name) VALUES ('hotel', 'Hotel')")
    harbour.db.execute("UPDATE definition SET section_id = 2 WHERE name = 'Poll'")
    [answer] = harbour.post(ANN, harbour.item(harbour.poll))
    assert answer.status == 404


@pytest.mark.parametrize(
    ("at", "early"), [(NOW - SECOND, True), (NOW, False), (NOW + SECOND, False)], ids=str
)
def test_a_version_before_at_and_after_its_hour(
    harbour: Harbour, at: datetime, early: bool
) -> None:
    new = edit(harbour, NOW)
    if early:
        with pytest.raises(TooEarlyError, match="12:00:00") as raised:
            harbour.post(ANN, harbour.item(new), now=at)
        assert raised.value.usable_from == NOW
        assert harbour.rows("SELECT FROM identifier") == []
    else:
        assert [answer.status for answer in harbour.post(ANN, harbour.item(new), now=at)] == [201]


def test_a_deprecated_version_is_accepted_and_kept(harbour: Harbour) -> None:
    old = harbour.item()
    edit(harbour, NOW - SECOND)
    assert [answer.status for answer in harbour.post(ANN, old)] == [201]
    assert harbour.show(ANN).events[0].version_number == 1


def test_the_erased_are_not_posted_to(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item())
    harbour.db.execute("DELETE FROM event")
    harbour.erase(ANN)
    with pytest.raises(ErasedError, match="erased"):
        harbour.post(ANN, harbour.item())
    assert harbour.rows("SELECT FROM identifier") == harbour.rows("SELECT FROM event") == []
