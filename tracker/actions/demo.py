"""The demo section of `pintag up`: one definition of each category, tracked, and an API key."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import redis

from tracker.actions import saving
from tracker.rules.definitions import Category, Draft
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import database, definitions, hit_queue, sections

SECTION = "demo"
DRAFTS = (
    Draft(
        category=Category.TRANSACTIONS,
        name="Booking",
        description="Someone booked a room on the demo page.",
    ),
    Draft(
        category=Category.CONVERSIONS,
        name="Loyalty tier",
        description="Someone reached a higher loyalty tier.",
    ),
    Draft(
        category=Category.SIGNALS,
        name="Poll vote",
        description="Someone voted in the poll on the demo page.",
    ),
)


def ensure_demo(settings: Settings) -> dict[str, Any]:
    """Make the demo section where it is missing; returns what scripts need to use it.

    `{"section", "api_key", "definitions": [{"name", "slug", "discriminator", "snippet_key"}]}`
    """
    now = datetime.now(UTC)
    with (
        database.connect(settings.database_url) as connection,
        hit_queue.connect(settings.redis_url) as client,
    ):
        sections.create(connection, SECTION, "Demo", [], strict_origin=False)
        section = sections.choose(connection, SECTION)
        made = [_ensure(connection, client, section.id, draft, now) for draft in DRAFTS]
        return {
            "section": SECTION,
            "api_key": _ensure_api_key(connection, section.id, settings),
            "definitions": made,
        }


def _ensure(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int,
    draft: Draft,
    now: datetime,
) -> dict[str, str]:
    definition = definitions.find(connection, section_id, draft.name)
    # What its owner switched off since stays off.
    snippet = definition and definitions.snippet_of(connection, definition.versions[0].id)
    definition = definition or saving.create(connection, section_id, draft, now)
    key = snippet.key if snippet else tracking.switch_on(connection, client, definition, now)
    return {
        "name": definition.name,
        "slug": definition.slug,
        "discriminator": definition.discriminator,
        "snippet_key": key,
    }


def _ensure_api_key(connection: psycopg.Connection, section_id: int, settings: Settings) -> str:
    """The demo's API key. The database has its hash only, so the key itself is in a file."""
    path = Path(settings.data_dir) / "demo-api-key"
    if path.exists():
        key = path.read_text(encoding="ascii").strip()
        if sections.section_of_api_key(connection, key):
            return key
    key = f"ptk_{secrets.token_hex(20)}"
    path.touch(mode=0o600)
    path.write_text(key, encoding="ascii")
    sections.add_api_key(connection, section_id, "demo", key)
    return key
