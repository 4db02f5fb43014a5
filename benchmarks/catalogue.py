"""Definitions to send hits of: with any number of fields, and any number of them, tracked."""

import random
from collections.abc import Sequence

import msgspec

from benchmarks.stack import Site
from tracker.rules.fields import Field, FieldType
from tracker.snippets import publishing

_VALUES = {
    FieldType.TEXT: b'"Room with a view %d"',
    FieldType.INTEGER: b"%d",
    FieldType.DECIMAL: b"%d.50",
    FieldType.BOOLEAN: b"true",
    FieldType.DATE: b'"2026-11-23"',
    FieldType.TIMESTAMP: b'"2026-11-23T09:30:00+01:00"',
}
_TYPES = list(_VALUES)
_INSERT = """
WITH definitions AS (
    INSERT INTO definition
        (section_id, category, slug, name, discriminator, web_tracking, created_at)
    SELECT section_id, category, 'many-' || n, 'Many ' || n, discriminator || n, true, now()
    FROM definition, generate_series(1, %(count)s) n WHERE slug = 'booking' RETURNING id),
versions AS (
    INSERT INTO version (public_id, definition_id, number, fields, created_at, usable_from)
    SELECT 'many-' || id, id, 1, %(fields)s::jsonb, now(), now() FROM definitions RETURNING id)
INSERT INTO snippet (key, version_id, created_at)
SELECT 'many' || lpad(id::text, 16, '0'), id, now() FROM versions RETURNING key
"""


def fields_of(count: int) -> list[Field]:
    """So many required fields: `source`, then of every type in turn."""
    source = Field("fld_0", "source", "Source", FieldType.TEXT, True)
    types = [_TYPES[number % len(_TYPES)] for number in range(1, count)]
    return [
        source,
        *(
            Field(f"fld_{number}", f"field-{number}", f"Field {number}", type_, True)
            for number, type_ in enumerate(types, 1)
        ),
    ]


def data_of(fields: Sequence[Field]) -> bytes:
    """A hit's data with a valid value of each field, as JSON."""
    parts = (b'"%b":%b' % (field.key.encode(), _value(field.type)) for field in fields)
    return b"{%b}" % b",".join(parts)


def _value(type_: FieldType) -> bytes:
    template = _VALUES[type_]
    return template % random.getrandbits(16) if b"%" in template else template


def track(site: Site, count: int, fields: Sequence[Field]) -> list[str]:
    """Make so many definitions with these fields, all at once; returns their snippets' keys."""
    parts = {"count": count, "fields": msgspec.json.encode(fields).decode()}
    rows = site.database.execute(_INSERT.encode(), parts).fetchall()
    publishing.publish(site.database, site.redis)
    return [key for (key,) in rows]
