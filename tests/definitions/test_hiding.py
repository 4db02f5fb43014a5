"""Hiding: for good, and nothing is deleted."""

import pytest
from redis import Redis

from tests.definitions.cast import EDIT, HOUR, MONDAY, SECOND, SOURCE, Inn
from tests.worker.cast import Harbour, drain, hit
from tracker.actions import governing, hiding
from tracker.actions.refusals import HiddenError
from tracker.snippets import tracking
from tracker.snippets.tracking import TrackingError
from tracker.stores import definitions, key_table


def states(redis: Redis) -> list[str]:
    table = redis.hvals(key_table.KEYS)
    return [value.decode().split('"')[1] for value in table]  # type: ignore[union-attr]


def test_hide_is_idempotent_and_keeps_the_first_time(inn: Inn) -> None:
    assert hiding.hide(inn.db, inn.redis, inn.stay, now=EDIT)
    assert not hiding.hide(inn.db, inn.redis, inn.stay, now=EDIT + HOUR)
    assert inn.stay.hidden_at == EDIT


@pytest.mark.parametrize("tracked", [True, False])
def test_every_snippet_is_refused_as_hidden(inn: Inn, redis: Redis, tracked: bool) -> None:
    inn.track()
    inn.edit(EDIT, fields=[SOURCE])
    if not tracked:
        tracking.switch_off(inn.db, redis, inn.stay)
    assert states(redis) == (["on"] if tracked else ["off"]) * 2
    hiding.hide(inn.db, redis, inn.stay, now=EDIT)
    assert states(redis) == ["hidden"] * 2


def test_it_vanishes_and_nothing_is_deleted(inn: Inn) -> None:
    inn.track()
    inn.visit(MONDAY)
    tables = ("event", "version", "snippet", "identifier", "profile")
    before = {table: inn.rows(f"SELECT * FROM {table}") for table in tables}
    hiding.hide(inn.db, inn.redis, inn.stay, now=EDIT)
    assert definitions.visible(inn.db, inn.section_id) == []
    assert {table: inn.rows(f"SELECT * FROM {table}") for table in tables} == before


def test_no_way_back(inn: Inn) -> None:
    read = inn.stay
    hiding.hide(inn.db, inn.redis, read, now=EDIT)
    for stay in (read, inn.stay):
        with pytest.raises(TrackingError):
            tracking.switch_on(inn.db, inn.redis, stay, EDIT)
        with pytest.raises(HiddenError):
            inn.edit(EDIT, stay, name="Trip")
        with pytest.raises(HiddenError):
            governing.set_operations(inn.db, stay, deny=["email:read"])
        with pytest.raises(HiddenError):
            governing.set_retention(inn.db, stay, 9)
    assert inn.stay.hidden_at == EDIT


@pytest.mark.parametrize("age", [0 * SECOND, SECOND, HOUR - SECOND, HOUR])
def test_an_edit_does_not_keep_it_from_being_hidden(inn: Inn, age: object) -> None:
    inn.edit(EDIT, fields=[SOURCE])
    assert hiding.hide(inn.db, inn.redis, inn.stay, now=EDIT + age)  # type: ignore[operator]


def test_what_was_queued_before_is_dropped(inn: Inn) -> None:
    harbour = Harbour(inn.settings, inn.db, inn.redis, inn.stay, inn.track())
    harbour.send(hit(data={}), hit(data={}))
    hiding.hide(inn.db, inn.redis, inn.stay, now=EDIT)
    drain(harbour)
    assert harbour.balanced() == {"dropped": 2}
    assert harbour.audit().reasons == {("dropped", "hidden"): 2}
