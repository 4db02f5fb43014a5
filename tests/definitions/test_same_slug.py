"""Two events that are saved at the same moment, and whose names make the same slug."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg

from tests.embedded.waiting import until
from tracker.actions import saving
from tracker.rules.definitions import Category, Draft
from tracker.settings import Settings
from tracker.stores import database, sections

NOW = datetime.now(UTC)


def test_both_are_saved(settings: Settings, db: psycopg.Connection) -> None:
    sections.create(db, "shop", "Shop", [], strict_origin=False)
    shop = sections.choose(db, "shop").id
    asked, told = (Draft(category=Category.SIGNALS, name=name) for name in ("Poll?", "Poll!"))

    with database.connect(settings.database_url) as other, ThreadPoolExecutor(1) as pool:
        with db.transaction():
            first = saving.create(db, shop, asked, NOW)
            second = pool.submit(saving.create, other, shop, told, NOW)
            until(lambda: _waits(settings, other.info.backend_pid) or second.done())
        assert (first.slug, second.result().slug) == ("poll", "poll-2")


def _waits(settings: Settings, pid: int) -> bool:
    with database.connect(settings.database_url) as watching:
        query = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        row = watching.execute(query, (pid,)).fetchone()
    return bool(row and row[0])
