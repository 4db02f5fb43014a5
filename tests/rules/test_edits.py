"""Locked until when; and drafts of edits, of which parts may be left out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from tests.rules.test_drafts import JSON, PREVIOUS, SOURCE
from tracker.rules.definitions import Edit
from tracker.rules.drafts import parse_edit
from tracker.rules.edits import Snapshot, apply, changes, locked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta.resolution


@pytest.mark.parametrize(
    ("locked_until", "until"),
    [
        (None, None),
        (NOON - TICK, None),
        (NOON, None),
        (NOON + TICK, NOON + TICK),
        (NOON + timedelta(hours=1), NOON + timedelta(hours=1)),
    ],
)
def test_locked(locked_until: datetime | None, until: datetime | None) -> None:
    assert locked(locked_until, NOON) == until


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": None, "description": None, "fields": None, "based_on": None},
        {"name": " Poll "},
        {"description": ""},
        {"based_on": 0},
        {"fields": [SOURCE]},
        b'{"name": "Poll"}',
    ],
)
def test_parts_may_be_left_out(sent: object) -> None:
    edit = parse_edit(sent, PREVIOUS)
    assert isinstance(edit, Edit)
    assert edit.name in (None, "Poll")
    assert edit.description in (None, "")


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        (b"{", [("", "malformed")]),
        (b"[" * 5_000, [("", "too_deep")]),
        (b"[]", [("", "not_an_object")]),
        ({"category": "signals"}, [("category", "unknown_field")]),
        ({"name": " "}, [("name", "required")]),
        ({"description": "x\0"}, [("description", "control_character")]),
        ({"name": 1, "based_on": 1.5}, [("name", "wrong_type"), ("based_on", "wrong_type")]),
        ({"based_on": True}, [("based_on", "wrong_type")]),
        ({"fields": []}, [("fields", "source")]),
        ({"fields": [SOURCE, {"key": "a", "type": "x"}]}, [("fields[1].type", "wrong_type")]),
        ({"fields": [{**SOURCE, "id": "fld_x"}]}, [("fields[0].id", "unknown_id")]),
    ],
)  # fmt: skip
def test_errors(sent: object, errors: list[tuple[str, str]]) -> None:
    found = parse_edit(sent, PREVIOUS)
    assert isinstance(found, list)
    assert [(error.field, error.code) for error in found] == errors


@settings(max_examples=200)
@given(JSON)
def test_an_edit_changes_what_it_says_and_nothing_else(sent: object) -> None:
    before = Snapshot("Vote", "All of it", PREVIOUS)
    edit = parse_edit(sent, PREVIOUS)
    if isinstance(edit, Edit):
        after = apply(before, edit, lambda: "fld_new")
        assert after.name == (edit.name or before.name)
        assert (edit.fields is None) <= (after.fields == before.fields)
        assert bool(changes(before, after)) is (after != before)
