"""A definition that is read while somebody saves an edit of it: it is as it was, or as it is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.definitions.cast import EDIT, GUESTS, NIGHTS, SOURCE, Inn
from tests.embedded.waiting import until
from tracker.actions.refusals import EditConflictError
from tracker.stores import database, definitions
from tracker.stores.definitions import Definition


def test_the_one_who_read_it_is_told_what_changed(inn: Inn) -> None:
    stay = _read_while_edited(inn, stay=inn.stay)
    assert (stay.edits, [version.number for version in stay.versions]) == (0, [1])
    with pytest.raises(EditConflictError) as told:
        inn.edit(EDIT, stay, description="Mine")
    assert [change.field for change in told.value.changes.fields] == ["nights"]


def _read_while_edited(inn: Inn, stay: Definition) -> Definition:
    """Read with the row as it was before an edit, and the versions as they are after it."""
    url = inn.settings.database_url
    with database.connect(url) as other, ThreadPoolExecutor(1) as pool:
        with inn.db.transaction():
            inn.db.execute("LOCK TABLE version IN ACCESS EXCLUSIVE MODE")
            read = pool.submit(definitions.get, other, stay.id)
            until(lambda: _waits(url, other.info.backend_pid))
            inn.edit(EDIT, fields=[SOURCE, GUESTS, NIGHTS])
        return read.result()


def _waits(url: str, pid: int) -> bool:
    with database.connect(url) as watching:
        query = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        row = watching.execute(query, (pid,)).fetchone()
    return bool(row and row[0])
