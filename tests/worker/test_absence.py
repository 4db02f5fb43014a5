"""PostgreSQL or Valkey killed with -9 in the middle of load, and back again: nothing is lost."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.embedded.waiting import kill, until
from tests.worker.cast import Harbour, hit, track, working
from tracker import embedded
from tracker.embedded import Servers
from tracker.settings import Settings
from tracker.stores import database

HITS = 2_000


@contextmanager
def harbour_on(servers: Servers, *, new: bool) -> Iterator[Harbour]:
    settings = Settings(database_url=servers.database_url, redis_url=servers.redis_url)
    if new:
        database.migrate(settings)
    with (
        database.connect(settings.database_url) as db,
        Redis.from_url(settings.redis_url, legacy_responses=False) as client,
    ):
        slug = "harbour" if new else "spare"
        booking, key = track(db, client, slug)
        yield Harbour(settings, db, client, booking, key)


def load(harbour: Harbour) -> None:
    for number in range(HITS):
        data = {"reference": f"B-{number:05}"}
        harbour.send(hit(f"visitor-{number % 30}", data=data), to=number % 8)


@pytest.mark.slow
@pytest.mark.parametrize("victims", [("postgres",), ("valkey",), ("postgres", "valkey")])
def test_servers_killed_under_load(data_dir: Path, victims: tuple[str, ...]) -> None:
    with ExitStack() as stack:
        with embedded.servers(data_dir) as first, harbour_on(first, new=True) as harbour:
            load(harbour)
            settings = Settings(harbour.settings.database_url, harbour.settings.redis_url, batch=10)
            stack.enter_context(working(settings))
            until(lambda: harbour.rows("SELECT FROM event LIMIT 1"), "it works")
            kill(*(first.pids[victim] for victim in victims))
        second = stack.enter_context(embedded.servers(data_dir))
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
        with harbour_on(second, new=False) as again:
            again.until_empty(120)
            assert again.balanced() == {"stored": HITS}
            assert sorted(again.references()) == [f"B-{n:05}" for n in range(HITS)]
            tries = again.rows("SELECT DISTINCT tries, suspect_id FROM hit_partition")
            assert tries == [(0, None)]
