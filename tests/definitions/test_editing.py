"""Edits: what they change, what makes a version, and how they are refused."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.definitions.cast import COOLDOWN, EDIT, GUESTS, HOUR, MONDAY, NIGHTS, SECOND, SOURCE, Inn
from tests.embedded.waiting import until
from tracker.actions import editing, hiding, saving
from tracker.actions.editing import Edited
from tracker.actions.refusals import (
    EditConflictError,
    HiddenError,
    InvalidDraftError,
    LockedError,
)
from tracker.rules.definitions import Category, Draft
from tracker.rules.diffs import ChangeKind
from tracker.stores import catalog, database
from tracker.stores.definitions import NameTakenError

LABELLED = {**GUESTS, "label": "How many"}


@pytest.mark.parametrize(
    ("sent", "changed", "makes_version"),
    [
        ({"name": "Long stay"}, {"name"}, False),
        ({"description": "Nights spent"}, {"description"}, False),
        ({"name": "Long stay", "description": "x"}, {"name", "description"}, False),
        ({"fields": [SOURCE, GUESTS, NIGHTS]}, {"added"}, True),
        ({"fields": [SOURCE]}, {"removed"}, True),
        ({"fields": [SOURCE, {**GUESTS, "type": "decimal"}]}, {"retyped"}, True),
        ({"fields": [SOURCE, {**GUESTS, "required": True}]}, {"required"}, True),
        ({"fields": [SOURCE, LABELLED]}, {"relabelled"}, True),
        ({"fields": [SOURCE, {**GUESTS, "description": "x"}]}, {"redescribed"}, True),
        ({"fields": [GUESTS, SOURCE]}, {"reordered"}, True),
        ({"name": "Rest", "fields": [SOURCE, GUESTS, NIGHTS]}, {"name", "added"}, True),
        ({}, set(), False),
        ({"name": "Stay", "description": "", "fields": [SOURCE, GUESTS]}, set(), False),
        ({"name": "  Stay "}, set(), False),
    ],
)
def test_what_an_edit_changes(
    inn: Inn, sent: dict[str, Any], changed: set[str], makes_version: bool
) -> None:
    edited = inn.edit(EDIT, **sent)
    kinds: set[str] = {change.kind for change in edited.changes.fields}
    kinds |= {name for name in ("name", "description") if getattr(edited.changes, name)}
    assert kinds == changed
    assert [v.number for v in edited.definition.versions] == ([2, 1] if makes_version else [1])
    assert (edited.version is not None) is makes_version
    locked = (EDIT + HOUR, 1) if changed else (None, 0)
    assert (edited.definition.locked_until, edited.definition.edits) == locked
    assert edited.definition == inn.stay


def test_creation_is_no_edit(inn: Inn) -> None:
    assert inn.stay.locked_until is None
    assert inn.edit(MONDAY, name="At once").definition.edits == 1


def test_category_slug_and_discriminator_never_change(inn: Inn) -> None:
    before = inn.stay
    with pytest.raises(InvalidDraftError, match="category"):
        inn.edit(EDIT, category="signals")
    after = inn.edit(EDIT, name="Other").definition
    assert (after.category, after.slug, after.discriminator) == (
        before.category, before.slug, before.discriminator,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"name": " "}, ["name"]),
        ({"name": 3, "foo": 1}, ["foo", "name"]),
        ({"fields": [GUESTS]}, ["fields"]),
        ({"fields": [SOURCE, {**GUESTS, "id": "fld_other"}]}, ["fields[1].id"]),
        ({"fields": []}, ["fields"]),
        ({"based_on": "1"}, ["based_on"]),
        ({"based_on": 1}, ["based_on"]),
        ({"based_on": -1}, ["based_on"]),
    ],
)
def test_wrong_edits_say_where(inn: Inn, sent: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidDraftError) as refused:
        inn.edit(EDIT, **sent)
    assert [error.field for error in refused.value.errors] == fields
    assert inn.stay.edits == 0


def test_a_field_keeps_its_id_when_it_is_renamed(inn: Inn) -> None:
    source, guests = inn.stay.versions[0].fields
    renamed = {**GUESTS, "key": "people", "label": "guests", "id": guests.id}
    [change] = inn.edit(EDIT, fields=[SOURCE, renamed]).changes.fields
    assert (change.kind, change.before, change.after) == (ChangeKind.RENAMED, "guests", "people")
    assert [field.id for field in inn.stay.versions[0].fields] == [source.id, guests.id]


def test_locked(inn: Inn) -> None:
    inn.edit(EDIT, name="Visit")
    with pytest.raises(LockedError) as refused:
        inn.edit(EDIT + 48 * 60 * SECOND, fields=[SOURCE])
    assert refused.value.until == EDIT + HOUR
    assert "'Visit' can be edited again at 13:00:00Z (in 12 minutes)" in str(refused.value)
    assert inn.edit(EDIT + 60 * SECOND, name="Visit").changes.name is None


def test_based_on_what_somebody_else_changed(inn: Inn) -> None:
    inn.edit(EDIT, name="Visit", fields=[SOURCE, GUESTS, NIGHTS])
    with pytest.raises(EditConflictError) as refused:
        inn.edit(EDIT + HOUR, name="Trip", based_on=0)
    conflict = refused.value
    assert conflict.changes.name is not None
    assert (conflict.changes.name.before, conflict.changes.name.after) == ("Stay", "Visit")
    assert [change.sentence for change in conflict.changes.fields] == [
        "`nights` is new and required: hits without it would be rejected."
    ]
    assert (conflict.edits, conflict.until) == (1, None)
    assert inn.edit(EDIT + HOUR, name="Trip", based_on=1).definition.name == "Trip"
    with pytest.raises(EditConflictError) as refused:
        inn.edit(EDIT + HOUR, description="x", based_on=1)
    assert refused.value.changes.name is not None
    assert refused.value.changes.name.before == "Visit"
    assert refused.value.changes.fields == []
    assert refused.value.until == EDIT + 2 * HOUR


def test_a_hidden_one_can_not_be_edited(inn: Inn) -> None:
    read = inn.stay
    hiding.hide(inn.db, inn.redis, read, now=EDIT)
    for stay in (read, inn.stay):
        with pytest.raises(HiddenError):
            inn.edit(EDIT, stay, name="Visit")


@pytest.mark.parametrize("hidden", [False, True])
def test_a_name_that_is_taken(inn: Inn, hidden: bool) -> None:
    other = saving.create(
        inn.db, inn.section_id, Draft(category=Category.SIGNALS, name="Bark"), MONDAY
    )
    if hidden:
        hiding.hide(inn.db, inn.redis, other, now=MONDAY)
    with pytest.raises(NameTakenError, match="'Bark' already, or a hidden one"):
        inn.edit(EDIT, name="Bark", fields=[SOURCE])
    assert (inn.stay.edits, len(inn.stay.versions)) == (0, 1)


@pytest.mark.parametrize("tracked", [True, False])
def test_a_tracked_one_gets_a_snippet_with_its_version(inn: Inn, tracked: bool) -> None:
    if tracked:
        inn.track()
    inn.edit(EDIT, fields=[SOURCE])
    inn.edit(EDIT + HOUR, name="No new version")
    snippets = inn.rows(
        "SELECT v.number, s.retires_at FROM snippet s JOIN version v ON v.id = s.version_id"
        " ORDER BY 1"
    )
    assert snippets == ([(1, None), (2, None)] if tracked else [])
    assert len(catalog.key_table(inn.db)[1]) == len(snippets)


def test_two_edits_at_the_same_moment(inn: Inn) -> None:
    """Each on a connection of its own, both having read the same; the first waits to commit."""
    read = inn.stay
    results: dict[str, Edited | Exception] = {}

    def edit(who: str, sent: dict[str, Any], commit: Callable[[], object]) -> None:
        with database.connect(inn.settings.database_url) as own:
            try:
                with own.transaction():
                    results[who] = editing.edit(
                        own, inn.redis, read, sent, now=EDIT, cooldown=COOLDOWN
                    )
                    commit()
            except EditConflictError as error:
                results[who] = error

    ben = threading.Thread(target=edit, args=("ben", {"name": "Ben's"}, lambda: None))

    def commit_once_ben_waits() -> None:
        ben.start()
        waiting = "SELECT FROM pg_locks WHERE NOT granted"
        until(lambda: inn.rows(waiting), "the other edit waits")

    edit("ann", {"name": "Ann's", "fields": [SOURCE, NIGHTS]}, commit_once_ben_waits)
    ben.join(30)
    won, lost = results["ann"], results["ben"]
    assert isinstance(won, Edited)
    assert isinstance(lost, EditConflictError)
    assert lost.changes == won.changes
    assert str(lost).splitlines()[:2] == [
        '"Ann\'s" was edited meanwhile: nothing was saved. It can be edited again at 13:00:00Z'
        " (in 60 minutes).",
        "The name was 'Stay' and is \"Ann's\" now.",
    ]
    assert (inn.stay.name, inn.stay.edits, len(inn.stay.versions)) == ("Ann's", 1, 2)
