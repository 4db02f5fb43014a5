"""Regenerating snippets: what is lacking is made, keys are replaced, and old ones end."""

import threading
from datetime import timedelta

import pytest

from tests.definitions.cast import EDIT, GUESTS, HOUR, MONDAY, NIGHTS, SECOND, SOURCE, Inn
from tracker.actions import regenerating
from tracker.actions.refusals import InvalidDraftError
from tracker.snippets import render, tracking
from tracker.snippets.tracking import TrackingError
from tracker.stores import catalog, database, snippets
from tracker.stores.snippets import PinnedSnippet

MONTH, NOTHING = timedelta(days=30), timedelta(0)


def regenerate(
    inn: Inn, grace: timedelta | None = None, key: str | None = None
) -> list[PinnedSnippet]:
    return regenerating.regenerate(inn.db, inn.redis, inn.stay, now=EDIT, grace=grace, key=key)


def test_without_rotation_keys_stay_and_the_releases_scripts_are_kept(inn: Inn) -> None:
    key = inn.track()
    inn.rows("DELETE FROM script RETURNING hash")
    assert [one.key for one in regenerate(inn)] == [key]
    kept = {name for (name,) in inn.rows("SELECT hash FROM script")}
    assert kept == {script.hash for script in render.hosted_scripts()}


def test_what_is_lacking_is_made(inn: Inn) -> None:
    key = inn.track()
    inn.rows("DELETE FROM snippet RETURNING key")
    [made] = regenerate(inn)
    assert made.key != key
    assert made.key in catalog.key_table(inn.db)[1]


def test_a_rotation_replaces_the_keys_of_the_current_and_the_upcoming_version(inn: Inn) -> None:
    first = inn.track()
    inn.edit(MONDAY + HOUR, fields=[SOURCE, GUESTS, NIGHTS])
    inn.edit(EDIT, fields=[SOURCE, NIGHTS])
    before = {one.key: one.version_number for one in snippets.every(inn.db, inn.stay.id)}
    made = regenerate(inn, MONTH)
    in_use = {one.version_number: one.key for one in made if one.retires_at is None}
    retired = {one.version_number: one.key for one in made if one.retires_at is not None}
    assert sorted(in_use) == [1, 2, 3]
    assert in_use[1] == first
    assert retired == {number: key for key, number in before.items() if number > 1}
    assert {one.retires_at for one in made} == {None, EDIT + MONTH}


def test_collectors_hear_until_when_and_workers_keep_every_key(inn: Inn) -> None:
    old = inn.track()
    [new] = [one.key for one in regenerate(inn, MONTH) if one.retires_at is None]
    _, entries, _ = catalog.key_table(inn.db)
    end_ms = round((EDIT + MONTH).timestamp() * 1000)
    assert {key: entry.until for key, entry in entries.items()} == {old: end_ms, new: 0}
    pinned = catalog.pinned_versions(inn.db)
    assert pinned[old].version_id == pinned[new].version_id


def test_an_end_is_not_put_off_by_the_next_rotation(inn: Inn) -> None:
    old = inn.track()
    regenerate(inn, SECOND)
    ends = {one.key: one.retires_at for one in regenerate(inn, MONTH)}
    assert ends[old] == EDIT + SECOND
    assert sorted(end for end in ends.values() if end) == [EDIT + SECOND, EDIT + MONTH]
    assert tracking.switch_on(inn.db, inn.redis, inn.stay, EDIT) not in {old}


def test_a_later_end_is_brought_forward_by_the_next_rotation(inn: Inn) -> None:
    old = inn.track()
    [replaced] = [one.key for one in regenerate(inn, MONTH) if one.retires_at is None]
    ends = {one.key: one.retires_at for one in regenerate(inn, SECOND)}
    assert (ends.pop(old), ends.pop(replaced)) == (EDIT + SECOND, EDIT + SECOND)
    assert list(ends.values()) == [None]


def test_one_key_of_an_earlier_version_is_ended_alone(inn: Inn) -> None:
    first = inn.track()
    inn.edit(MONDAY + HOUR, fields=[SOURCE, GUESTS, NIGHTS])
    before = snippets.every(inn.db, inn.stay.id)
    made = regenerate(inn, NOTHING, first)
    assert {one.key for one in made} == {one.key for one in before}
    assert {one.key: one.retires_at for one in made if one.retires_at} == {first: EDIT}


def test_one_key_in_use_is_replaced_alone(inn: Inn) -> None:
    inn.track()
    inn.edit(MONDAY + HOUR, fields=[SOURCE, GUESTS, NIGHTS])
    inn.edit(EDIT, fields=[SOURCE, NIGHTS])
    before = {one.version_number: one.key for one in snippets.every(inn.db, inn.stay.id)}
    made = regenerate(inn, MONTH, before[2])
    after = {one.version_number: one.key for one in made if one.retires_at is None}
    assert {n for n in before if after[n] != before[n]} == {2}
    assert {one.key: one.retires_at for one in made if one.retires_at} == {before[2]: EDIT + MONTH}


def test_one_key_that_was_replaced_is_ended_and_none_is_made(inn: Inn) -> None:
    old = inn.track()
    [new] = [one.key for one in regenerate(inn, MONTH) if one.retires_at is None]
    for grace in (SECOND, MONTH):
        ends = {one.key: one.retires_at for one in regenerate(inn, grace, old)}
        assert ends == {new: None, old: EDIT + SECOND}


def test_a_key_of_no_snippet_of_the_event_changes_nothing(inn: Inn) -> None:
    key = inn.track()
    with pytest.raises(InvalidDraftError, match="No snippet of 'Stay' has this key"):
        regenerate(inn, NOTHING, "k" * 20)
    [only] = snippets.every(inn.db, inn.stay.id)
    assert (only.key, only.retires_at) == (key, None)


@pytest.mark.parametrize("grace", [None, MONTH])
def test_what_is_not_tracked_stays_so(inn: Inn, grace: timedelta | None) -> None:
    with pytest.raises(TrackingError, match="pintag event track stay"):
        regenerate(inn, grace)
    key = inn.track()
    tracking.switch_off(inn.db, inn.redis, inn.stay)
    with pytest.raises(TrackingError):
        regenerate(inn, grace)
    [only] = snippets.every(inn.db, inn.stay.id)
    assert (only.key, only.retires_at, inn.stay.web_tracking) == (key, None, False)


def test_of_two_who_rotate_the_same_key_one_does(inn: Inn) -> None:
    """Both have read the same key before either of them replaces it; the earlier end holds."""
    inn.track()
    [seen] = [one.key for one in snippets.every(inn.db, inn.stay.id)]
    stay = inn.stay
    start = threading.Barrier(2)

    def rotate(grace: timedelta) -> None:
        with database.connect(inn.settings.database_url) as connection:
            start.wait()
            snippets.regenerate(
                connection,
                stay.id,
                stay.versions[0].id,
                tracking.mint_key,
                EDIT,
                retiring=[seen],
                retires_at=EDIT + grace,
            )

    threads = [threading.Thread(target=rotate, args=[one]) for one in (MONTH, SECOND)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ends = [one.retires_at for one in snippets.every(inn.db, stay.id)]
    assert ends == [None, EDIT + SECOND]


def test_all_of_a_section(inn: Inn) -> None:
    assert regenerating.regenerate_all(inn.db, inn.redis, inn.section_id, now=EDIT) == []
    inn.track()
    shown: list[tuple[int, int]] = []
    done = regenerating.regenerate_all(
        inn.db,
        inn.redis,
        inn.section_id,
        now=EDIT,
        grace=MONTH,
        show=lambda done, total: shown.append((done, total)),
    )
    assert (done, shown) == (["stay"], [(1, 1)])
    assert len(snippets.every(inn.db, inn.stay.id)) == 2
