"""Saving a new definition: the draft that was checked, with the names that are minted for it."""

from datetime import datetime

import psycopg

from tracker.actions import minting
from tracker.rules import definitions as rules
from tracker.rules.definitions import Draft
from tracker.rules.drafts import complete_fields
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition, SlugTakenError


def create(
    connection: psycopg.Connection, section_id: int, draft: Draft, now: datetime
) -> Definition:
    """Save a checked draft as a new definition. Raises NameTakenError."""
    while True:
        try:
            return _create(connection, section_id, draft, now)
        except SlugTakenError:
            continue  # it is among the taken ones now


def _create(
    connection: psycopg.Connection, section_id: int, draft: Draft, now: datetime
) -> Definition:
    wanted = rules.slugify(draft.name, draft.category.singular)
    slug = rules.free_slug(wanted, definitions.slugs(connection, section_id))
    prefix = sections.installation(connection).prefix
    return definitions.create(
        connection,
        section_id,
        draft,
        complete_fields(draft, minting.field_id),
        slug=slug,
        discriminator=rules.discriminator(
            prefix, draft.category, slug, minting.discriminator_end()
        ),
        version_public_id=minting.version_id(),
        now=now,
    )
