"""Versions: hits go by the version of their snippet, and events keep it."""

import dataclasses
from datetime import datetime

import pytest
from redis import Redis

from tests.definitions.cast import COOLDOWN, EDIT, GUESTS, HOUR, MONDAY, NIGHTS, SECOND, SOURCE, Inn
from tests.worker.cast import Harbour, drain, hit
from tracker.actions import comparing, editing
from tracker.actions.refusals import InvalidDraftError, NoSuchVersionError
from tracker.rules.definitions import current_version
from tracker.snippets import tracking
from tracker.stores import definitions, key_table

OLD, NEW = {"guests": 2}, {"nights": 3}


@pytest.fixture
def harbour(inn: Inn) -> Harbour:
    """Stay, tracked, with a second version that could be used at once; key is the old snippet's."""
    key = inn.track()
    fields = [SOURCE, NIGHTS]
    editing.edit(inn.db, inn.redis, inn.stay, {"fields": fields}, now=MONDAY, cooldown=0)
    return Harbour(inn.settings, inn.db, inn.redis, inn.stay, key)


def new_key(harbour: Harbour) -> str:
    snippet = definitions.snippet_of(harbour.db, harbour.booking.versions[0].id)
    assert snippet is not None
    return snippet.key


def test_old_snippets_go_on_with_their_version(harbour: Harbour) -> None:
    new = new_key(harbour)
    harbour.send(hit(data=OLD), hit(data=NEW))
    harbour.send(hit(data=OLD), hit(data=NEW), key=new)
    drain(harbour)
    stored = harbour.rows(
        "SELECT v.number, e.data - 'source' FROM event e JOIN version v ON v.id = e.version_id"
        " ORDER BY 1"
    )
    assert stored == [(1, OLD), (2, NEW)]
    assert harbour.quarantined() == ["invalid_data", "invalid_data"]


def test_the_collectors_know_the_new_key_before_it_is_offered(inn: Inn, redis: Redis) -> None:
    old = inn.track()
    inn.edit(EDIT, fields=[SOURCE])
    snippet = definitions.snippet_of(inn.db, inn.stay.versions[0].id)
    assert snippet is not None
    assert set(redis.hkeys(key_table.KEYS)) == {old.encode(), snippet.key.encode()}


@pytest.mark.parametrize("since", [EDIT, EDIT + HOUR - SECOND])
def test_tracked_between_an_edit_and_its_hour(inn: Inn, since: datetime) -> None:
    """Then both versions have a snippet, and each is offered in its time."""
    inn.edit(EDIT, fields=[SOURCE])
    for _ in "twice":
        key = inn.track(since)
    offered = [
        tracking.snippet_config(inn.db, inn.settings, inn.stay, now).version_number
        for now in (since, EDIT + HOUR - SECOND, EDIT + HOUR)
    ]
    assert offered == [1, 1, 2]
    snippets = inn.rows(
        "SELECT v.number, s.key FROM snippet s JOIN version v ON v.id = s.version_id ORDER BY 1"
    )
    assert [number for number, _ in snippets] == [1, 2]
    assert snippets[0][1] == key


def test_events_keep_their_version(inn: Inn) -> None:
    inn.visit(MONDAY)
    before = inn.rows("SELECT * FROM event")
    inn.edit(EDIT, name="Trip", fields=[SOURCE, GUESTS, NIGHTS])
    inn.edit(EDIT + HOUR, fields=[SOURCE])
    assert inn.rows("SELECT * FROM event") == before


def test_versions_never_change(inn: Inn) -> None:
    first = inn.stay.versions[0]
    inn.edit(EDIT, name="Trip", fields=[SOURCE, GUESTS, NIGHTS])
    second = inn.stay.versions[0]
    inn.edit(EDIT + HOUR, fields=[SOURCE])
    assert inn.stay.versions[1:] == [second, first]
    assert len({version.public_id for version in inn.stay.versions}) == 3
    assert [version.edit for version in inn.stay.versions] == [2, 1, 0]


def test_up_to_100_fields(inn: Inn) -> None:
    fields = [SOURCE, *({"key": f"k{n}", "type": "text"} for n in range(100))]
    with pytest.raises(InvalidDraftError, match="at most 100 fields, this one has 101"):
        inn.edit(EDIT, fields=fields)
    edited = inn.edit(EDIT, fields=fields[:100])
    assert edited.version is not None
    assert len(edited.version.fields) == 100


def test_the_current_one_is_always_one(inn: Inn) -> None:
    """Also when the setting was lowered, and a later version can be used earlier."""
    inn.edit(EDIT, fields=[SOURCE, NIGHTS])
    lowered = EDIT + HOUR
    editing.edit(
        inn.db, inn.redis, inn.stay, {"fields": [SOURCE]}, now=lowered, cooldown=COOLDOWN // 60
    )
    for minutes in range(-10, 130):
        now = EDIT + minutes * HOUR / 60
        current = current_version(inn.stay.versions, now)
        assert current is not None
        assert current.number == 1 + (now >= EDIT + HOUR) + (now >= lowered + HOUR / 60)


@pytest.mark.parametrize(
    ("old", "new", "pair"),
    [
        (None, None, (2, 3)),
        ("1", None, (1, 3)),
        (None, "2", (1, 2)),
        ("3", "1", (3, 1)),
        ("2", "2", (2, 2)),
        (None, "1", None),
        ("4", None, None),
        ("ver_x", "1", None),
        ("01", "2", None),
    ],
)
def test_which_versions_are_compared(
    inn: Inn, old: str | None, new: str | None, pair: tuple[int, int] | None
) -> None:
    inn.edit(EDIT, fields=[SOURCE, GUESTS, NIGHTS])
    inn.edit(EDIT + HOUR, fields=[SOURCE])
    if pair is None:
        with pytest.raises(NoSuchVersionError):
            comparing.diff(inn.stay, old, new)
        return
    found = comparing.diff(inn.stay, old, new)
    assert (found.old.number, found.new.number) == pair
    ids = {version.number: version.public_id for version in inn.stay.versions}
    assert dataclasses.astuple(comparing.diff(inn.stay, ids[pair[0]], ids[pair[1]])) == (
        dataclasses.astuple(found)
    )
