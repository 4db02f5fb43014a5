"""Saving a new definition: the draft that was checked, with the names that are minted for it."""

import secrets
from datetime import datetime

import psycopg

from tracker.rules import definitions as rules
from tracker.rules.definitions import Draft, random_base36
from tracker.rules.drafts import complete_fields
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition

RANDOM_PART = 10


def create(
    connection: psycopg.Connection, section_id: int, draft: Draft, now: datetime
) -> Definition:
    """Save a checked draft as a new definition. Raises NameTakenError."""
    wanted = rules.slugify(draft.name, draft.category.singular)
    slug = rules.free_slug(wanted, definitions.slugs(connection, section_id))
    prefix = sections.installation(connection).prefix
    return definitions.create(
        connection,
        section_id,
        draft,
        complete_fields(draft, lambda: _mint("fld_")),
        slug=slug,
        discriminator=rules.discriminator(prefix, draft.category, slug, _mint("")),
        version_public_id=_mint("ver_"),
        now=now,
    )


def _mint(prefix: str) -> str:
    return prefix + random_base36(RANDOM_PART, secrets.randbelow)
