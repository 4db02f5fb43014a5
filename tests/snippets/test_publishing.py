"""The key table in Redis follows the database, and says when it is sure of it."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from tracker.actions import saving
from tracker.rules.definitions import Category, Draft
from tracker.settings import Settings
from tracker.snippets import publishing, tracking
from tracker.stores import catalog, key_table, sections
from tracker.stores.definitions import Definition

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def booking(db: psycopg.Connection) -> Definition:
    sections.create(db, "hotel", "Hotel", [], strict_origin=False)
    draft = Draft(category=Category.TRANSACTIONS, name="Booking")
    return saving.create(db, sections.choose(db, "hotel").id, draft, NOW)


def seen_by_collectors(settings: Settings) -> tuple[dict[str, str], bool]:
    """The keys with their states, and whether the table is known to be current."""

    async def look() -> tuple[dict[str, str], bool]:
        async with AsyncRedis.from_url(settings.redis_url, legacy_responses=False) as client:
            _, entries = await key_table.read_entries(client)
            _, current = await key_table.read_meta(client)
        return {key: entry.state for key, entry in entries.items()}, current

    return asyncio.run(look())


def test_a_worker_publishes_and_confirms(
    settings: Settings, db: psycopg.Connection, redis: Redis, booking: Definition
) -> None:
    assert seen_by_collectors(settings) == ({}, False)
    key = tracking.switch_on(db, redis, booking, NOW)
    assert seen_by_collectors(settings) == ({key: "on"}, False)
    publishing.keep_current(db, redis)
    assert seen_by_collectors(settings) == ({key: "on"}, True)


def test_what_nobody_published_is_published_by_the_next_worker(
    settings: Settings, db: psycopg.Connection, redis: Redis, booking: Definition
) -> None:
    key = tracking.switch_on(db, redis, booking, NOW)
    publishing.keep_current(db, redis)
    db.execute("UPDATE definition SET hidden_at = now()")
    publishing.keep_current(db, redis)
    assert seen_by_collectors(settings) == ({key: "hidden"}, True)


def test_an_older_table_never_replaces_a_newer_one(
    settings: Settings, db: psycopg.Connection, redis: Redis, booking: Definition
) -> None:
    older = catalog.key_table(db)
    key = tracking.switch_on(db, redis, booking, NOW)
    assert key_table.publish(redis, *older) is False
    assert seen_by_collectors(settings) == ({key: "on"}, False)


def test_a_confirmation_of_a_newer_revision_is_none_of_this_table(
    settings: Settings, db: psycopg.Connection, redis: Redis, booking: Definition
) -> None:
    tracking.switch_on(db, redis, booking, NOW)
    key_table.confirm(redis, catalog.revision(db) + 1)
    assert seen_by_collectors(settings)[1] is False


def test_a_database_that_was_restored_from_a_backup(
    settings: Settings, db: psycopg.Connection, redis: Redis, booking: Definition
) -> None:
    publishing.keep_current(db, redis)
    backup = catalog.revision(db)
    tracking.switch_on(db, redis, booking, NOW)
    publishing.keep_current(db, redis)
    db.execute("TRUNCATE snippet")
    db.execute("UPDATE installation SET revision = %s", (backup,))
    publishing.keep_current(db, redis)
    assert seen_by_collectors(settings) == ({}, True)
    assert key_table.published_revision(redis) == backup


def test_looking_at_a_snippet_is_no_news(db: psycopg.Connection, booking: Definition) -> None:
    tracking.keep_scripts(db)
    before = catalog.revision(db)
    tracking.keep_scripts(db)
    assert catalog.revision(db) == before
