"""Posts, merges and unmerges by API while two workers join the same people's identifiers."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import psycopg
from redis import Redis

from tests.worker.cast import Harbour, hit, track, working
from tracker.actions import merging, posting
from tracker.actions.refusals import RefusedError
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import database
from tracker.vault import Vault

VISITORS = [Identity(Keyspace.WEB, f"visitor-{n}") for n in range(6)]
MAILS = [Identity(Keyspace.EMAIL, f"{name}@example.com") for name in ("ann", "ben", "cleo")]
TURNS = 40


def test_everybody_ends_on_one_profile_and_every_event_counts(
    settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    booking, key = track(db, redis, "harbour")
    db.execute("UPDATE section SET trusts_pages = true")
    harbour = Harbour(settings, db, redis, booking, key)
    pairs = list(itertools.product(VISITORS, MAILS))
    item = msgspec.json.encode(
        {
            "event_time": "2026-11-23T09:30:00Z",
            "version_id": booking.versions[0].public_id,
            "data": {"reference": "B-1"},
        }
    )

    def act(seed: int) -> None:
        chance = random.Random(seed)
        about = Vault(settings), booking.section_id
        with database.connect(settings.database_url) as connection:
            for _ in range(TURNS):
                now, pair = datetime.now(UTC), chance.choice(pairs)
                posting.post(connection, *about, chance.choice(pair), [item], now)
                with suppress(RefusedError):
                    merging.merge(connection, *about, pair, "crm", now)
                with suppress(RefusedError):
                    merging.unmerge(connection, *about, chance.choice(pair), "crm", now)

    def send() -> None:
        for turn in range(TURNS):
            visitor, mail = pairs[turn % len(pairs)]
            claims = {"email": mail.key} if turn % 3 else None
            harbour.send(hit(visitor.key, claims=claims), to=VISITORS.index(visitor))

    with working(settings), working(settings), ThreadPoolExecutor(4) as threads:
        doing = [threads.submit(act, seed) for seed in range(3)]
        send()
        for one in doing:
            one.result()
        harbour.until_empty()
    assert harbour.balanced() == {"stored": 4 * TURNS}
    assert harbour.rows(
        "SELECT count(*), count(i.id), count(p.id) FROM event e"
        " LEFT JOIN identifier i ON i.id = e.identifier_id"
        " LEFT JOIN profile p ON p.id = i.profile_id"
    ) == [(4 * TURNS,) * 3]
    empty = (
        "SELECT FROM profile p WHERE NOT EXISTS (SELECT FROM identifier WHERE profile_id = p.id)"
    )
    assert harbour.rows(empty) == []
