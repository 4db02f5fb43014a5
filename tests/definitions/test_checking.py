"""New fields tried on stored events before they are published; nothing is saved."""

from datetime import timedelta
from typing import Any

import pytest

from tests.definitions.cast import EDIT, GUESTS, NIGHTS, SECOND, SOURCE, Inn
from tracker.actions import checking
from tracker.actions.checking import WINDOW, Check
from tracker.actions.refusals import InvalidDraftError

COUNTS = ('"guests":2', '"guests":7', "")


def check(inn: Inn, *fields: dict[str, Any], **options: Any) -> Check:
    return checking.check(inn.db, inn.stay, list(fields), now=EDIT, **options)


@pytest.fixture
def visits(inn: Inn) -> None:
    """Three events of Stay, a second apart: two with guests, the newest one without."""
    for number, guests in enumerate(COUNTS):
        data = '{"source":"Website"' + (f",{guests}" if guests else "") + "}"
        inn.visit(EDIT - (10 - number) * SECOND, data)


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("fields", "rejected", "complaints"),
    [
        ([SOURCE, GUESTS], 0, []),
        ([SOURCE, GUESTS, {**NIGHTS, "required": False}], 0, []),
        ([SOURCE, {**GUESTS, "type": "decimal"}], 0, []),
        ([SOURCE, GUESTS, NIGHTS], 3, [("nights", "required", 3)]),
        ([SOURCE], 2, [("guests", "unknown_field", 2)]),
        ([SOURCE, {**GUESTS, "type": "text"}], 2, [("guests", "wrong_type", 2)]),
        ([SOURCE, {**GUESTS, "required": True}], 1, [("guests", "required", 1)]),
        ([SOURCE, NIGHTS], 3, [("nights", "required", 3), ("guests", "unknown_field", 2)]),
    ],
)
def test_what_would_have_been_rejected(
    inn: Inn, fields: list[dict[str, Any]], rejected: int, complaints: list[tuple[str, str, int]]
) -> None:
    found = check(inn, *fields)
    assert (found.checked, found.rejected, found.whole) == (3, rejected, True)
    assert [(c.field, c.code, c.events) for c in found.complaints] == complaints
    assert (inn.stay.edits, len(inn.stay.versions)) == (0, 1)


def test_three_examples_the_newest_ones(inn: Inn) -> None:
    ids = [inn.visit(EDIT - n * SECOND, f'{{"source":"Website","guests":{n}}}') for n in range(9)]
    [complaint] = check(inn, SOURCE, {**GUESTS, "type": "boolean"}).complaints
    assert [(e.event_id, e.version, e.value) for e in complaint.examples] == [
        (ids[0], 1, "0"), (ids[1], 1, "1"), (ids[2], 1, "2"),
    ]  # fmt: skip
    assert complaint.events == 9
    assert "true or false" in complaint.examples[0].message


@pytest.mark.parametrize("value", ["3", '"3"', "12.50", "9" * 5_000, '"größer"', "true"])
def test_an_example_shows_the_value_as_it_was_stored(inn: Inn, value: str) -> None:
    inn.visit(EDIT - SECOND, f'{{"source":"Website","guests":{value}}}')
    [complaint] = check(inn, SOURCE, {**GUESTS, "type": "date"}).complaints
    assert complaint.examples[0].value == value[:100]


def test_events_of_every_version_and_of_no_other_definition(inn: Inn) -> None:
    inn.visit(EDIT - 2 * SECOND, '{"source":"Website","guests":1}')
    inn.edit(EDIT - SECOND, fields=[SOURCE])
    inn.visit(EDIT, '{"source":"Website"}')
    inn.rows("UPDATE event SET version_id = version_id RETURNING id")
    stranger = inn.visit(EDIT, '{"source":"Website","guests":1}')
    inn.rows("UPDATE event SET version_id = 9 WHERE id = %s RETURNING id", stranger)
    found = check(inn, SOURCE)
    assert (found.checked, found.rejected) == (2, 1)
    assert found.complaints[0].examples[0].version == 1


@pytest.mark.usefixtures("visits")
def test_no_more_than_asked_for(inn: Inn) -> None:
    found = check(inn, SOURCE, hits=2)
    assert (found.checked, found.rejected, found.whole) == (2, 1, True)


@pytest.mark.parametrize(("age", "checked"), [(WINDOW + SECOND, 0), (WINDOW, 1), (timedelta(0), 1)])
def test_the_last_30_days(inn: Inn, age: timedelta, checked: int) -> None:
    inn.visit(EDIT - age)
    assert check(inn, SOURCE).checked == checked


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(("most", "checked", "whole"), [(2, 2, False), (3, 3, True)])
def test_the_bound_is_admitted(inn: Inn, most: int, checked: int, whole: bool) -> None:
    found = check(inn, SOURCE, most=most)
    assert (found.checked, found.whole) == (checked, whole)
    assert found.since == (EDIT - WINDOW if whole else EDIT - 9 * SECOND)


@pytest.mark.parametrize(
    ("fields", "hits", "wrong"),
    [
        ([GUESTS], 9, ["fields"]),
        (None, 9, ["fields"]),
        ([{"key": "x"}, SOURCE], 9, ["fields[0].type"]),
        ([SOURCE], 0, ["hits"]),
        ([SOURCE], 100_001, ["hits"]),
    ],
)
def test_wrong_questions(inn: Inn, fields: object, hits: int, wrong: list[str]) -> None:
    with pytest.raises(InvalidDraftError) as refused:
        checking.check(inn.db, inn.stay, fields, now=EDIT, hits=hits)
    assert [error.field for error in refused.value.errors] == wrong
