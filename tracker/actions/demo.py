"""The demo section of `pintag up`: one definition of each category, tracked, and an API client."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import redis

from tracker.actions import clients as making
from tracker.actions import saving
from tracker.rules.definitions import Category, Draft, slugify
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import clients, database, definitions, hit_queue, sections
from tracker.stores.definitions import Definition

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

    `{"section", "client_id", "client_secret", "definitions": [{"name", "slug", "discriminator",
    "snippet_key"}]}`
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
            **_ensure_client(connection, section.id, settings, now),
            "definitions": made,
        }


def _ensure(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int,
    draft: Draft,
    now: datetime,
) -> dict[str, str]:
    # By its slug: the owner may have given it another name since.
    definition = definitions.by_slug(connection, section_id, slugify(draft.name))
    key = definition and _key_in_use(connection, definition, now)
    definition = definition or saving.create(connection, section_id, draft, now)
    # What its owner switched off, or hid, since stays so.
    key = key or tracking.switch_on(connection, client, definition, now)
    return {
        "name": definition.name,
        "slug": definition.slug,
        "discriminator": definition.discriminator,
        "snippet_key": key,
    }


def _key_in_use(
    connection: psycopg.Connection, definition: Definition, now: datetime
) -> str | None:
    """The key of the newest snippet that can be used; none where nobody ever tracked it."""
    usable = (version for version in definition.versions if version.usable_from <= now)
    snippets = (definitions.snippet_of(connection, version.id) for version in usable)
    return next((snippet.key for snippet in snippets if snippet), None)


def _ensure_client(
    connection: psycopg.Connection, section_id: int, settings: Settings, now: datetime
) -> dict[str, str]:
    """The demo's API client. The database has its secret's hash only, so a file keeps it."""
    path = Path(settings.data_dir) / "demo-client.json"
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
        client = clients.find(connection, kept["client_id"])
        if client and clients.has_secret(connection, client, kept["client_secret"]):
            return kept
    made = making.create(connection, section_id, SECTION, now)
    kept = {"client_id": made.client.public_id, "client_secret": made.secret}
    path.touch(mode=0o600)
    path.write_text(json.dumps(kept), encoding="ascii")
    return kept
