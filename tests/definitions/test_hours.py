"""The two hours, at the second before, at, and after each: what is locked, and what is current.

Stay is tracked. It is edited at noon, and again the moment the lock of that edit ends, at one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.definitions.cast import EDIT, GUESTS, HOUR, MONDAY, NIGHTS, SECOND, SOURCE, Inn
from tracker.actions import editing
from tracker.actions.refusals import LockedError
from tracker.actions.views import shown
from tracker.rules.definitions import current_version
from tracker.rules.edits import locked
from tracker.snippets import tracking

NOON, ONE, TWO, THREE = EDIT, EDIT + HOUR, EDIT + 2 * HOUR, EDIT + 3 * HOUR


@dataclass(frozen=True)
class Moment:
    """What must be true at a time: `order` of versions as the API has them, with deprecated_at."""

    now: datetime
    edits: int
    locked_until: datetime | None
    current: int
    order: Sequence[tuple[int, datetime | None]]

    def __str__(self) -> str:
        return f"{self.now:%T} after {self.edits} edits"


BEFORE = [(1, None)]
FIRST_SAVED = [(1, None), (2, None)]
FIRST_USABLE = [(2, None), (1, ONE)]
SECOND_SAVED = [(2, None), (3, None), (1, ONE)]
SECOND_USABLE = [(3, None), (2, TWO), (1, ONE)]
MOMENTS = [
    Moment(NOON - SECOND, 0, None, 1, BEFORE),
    Moment(NOON, 0, None, 1, BEFORE),
    Moment(NOON, 1, ONE, 1, FIRST_SAVED),
    Moment(NOON + SECOND, 1, ONE, 1, FIRST_SAVED),
    Moment(ONE - SECOND, 1, ONE, 1, FIRST_SAVED),
    Moment(ONE, 1, None, 2, FIRST_USABLE),
    Moment(ONE + SECOND, 1, None, 2, FIRST_USABLE),
    Moment(ONE, 2, TWO, 2, SECOND_SAVED),
    Moment(ONE + SECOND, 2, TWO, 2, SECOND_SAVED),
    Moment(TWO - SECOND, 2, TWO, 2, SECOND_SAVED),
    Moment(TWO, 2, None, 3, SECOND_USABLE),
    Moment(TWO + SECOND, 2, None, 3, SECOND_USABLE),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_each_moment(inn: Inn, moment: Moment) -> None:
    inn.track()
    if moment.edits >= 1:
        inn.edit(NOON, fields=[SOURCE, GUESTS, NIGHTS])
    if moment.edits >= 2:
        inn.edit(ONE, fields=[SOURCE, NIGHTS])
    now, stay = moment.now, inn.stay
    assert locked(stay.locked_until, now) == moment.locked_until
    current = current_version(stay.versions, now)
    assert current is not None
    assert current.number == moment.current
    versions = shown(stay, "com.pintag", now).versions
    assert [(v.number, v.deprecated_at) for v in versions] == list(moment.order)
    # Existing clients take the first version that is not deprecated.
    assert next(v.number for v in versions if v.deprecated_at is None) == moment.current
    config = tracking.snippet_config(inn.db, inn.settings, stay, now)
    assert config.version_number == moment.current
    assert_edit(inn, moment)


def assert_edit(inn: Inn, moment: Moment) -> None:
    """An edit at that moment is refused with the time at which it can be made, or makes a version.

    What is no edit goes through in any case.
    """
    before = inn.stay
    if moment.locked_until:
        for sent in ({"name": "Trip"}, {"description": "x"}, {"fields": [SOURCE]}):
            with pytest.raises(LockedError) as refused:
                inn.edit(moment.now, **sent)
            assert refused.value.until == moment.locked_until
        assert inn.stay == before
    else:
        edited = inn.edit(moment.now, fields=[SOURCE])
        assert edited.version is not None
        assert edited.version.number == len(before.versions) + 1
        assert edited.version.usable_from == moment.now + HOUR
        assert edited.definition.locked_until == moment.now + HOUR
    tracking.switch_off(inn.db, inn.redis, inn.stay)
    tracking.switch_on(inn.db, inn.redis, inn.stay, moment.now)


@pytest.mark.parametrize("sent", [{"name": "Trip"}, {"description": "x"}, {"fields": [SOURCE]}])
def test_every_kind_of_edit_locks(inn: Inn, sent: dict[str, Any]) -> None:
    inn.edit(NOON, **sent)
    with pytest.raises(LockedError):
        inn.edit(ONE - SECOND, name="Other")
    assert inn.edit(ONE, name="Other").definition.locked_until == TWO


@pytest.mark.parametrize("cooldown", [0, 1, 60, 7_200])
def test_the_hour_is_a_setting(inn: Inn, cooldown: int) -> None:
    def edit(now: datetime, name: str) -> editing.Edited:
        sent = {"name": name, "fields": [SOURCE, {**GUESTS, "label": name}]}
        return editing.edit(inn.db, inn.redis, inn.stay, sent, now=now, cooldown=cooldown)

    end = NOON + timedelta(seconds=cooldown)
    first = edit(NOON, "one")
    assert first.version is not None
    assert (first.definition.locked_until, first.version.usable_from) == (end, end)
    if cooldown:
        with pytest.raises(LockedError):
            edit(end - timedelta(microseconds=1), "two")
    assert edit(end, "two").definition.edits == 2


def test_the_first_version_can_be_used_at_once(inn: Inn) -> None:
    [version] = inn.stay.versions
    assert (version.number, version.usable_from) == (1, MONDAY)
    assert current_version([version], MONDAY) == version
