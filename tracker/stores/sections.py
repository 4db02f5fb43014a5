"""The installation and its sections, in PostgreSQL."""

import msgspec
import psycopg
from psycopg.rows import class_row


class NoSuchSectionError(Exception):
    """There is no section of this name; the message says which there are."""


class Section(msgspec.Struct, frozen=True):
    """A tenant's slice. No allowed origins: every origin may send hits.

    consent_required: its snippets wait for the visitor's consent; honour_signals: they take Do Not
    Track and Global Privacy Control for a no; visitor_days: how long a visitor id is good;
    addresses: `whole`, `truncated` or `none`; signed_tags: hits need a signed tag; trusts_pages:
    claims need no signature; has_secret: claims and tags can be signed.
    """

    id: int
    slug: str
    name: str
    allowed_origins: list[str]
    strict_origin: bool
    consent_required: bool
    honour_signals: bool
    visitor_days: int
    addresses: str
    signed_tags: bool
    trusts_pages: bool
    has_secret: bool


class SectionChanges(msgspec.Struct, frozen=True):
    """What to change of a section's rules; None stays as it is."""

    allowed_origins: list[str] | None = None
    strict_origin: bool | None = None
    consent_required: bool | None = None
    honour_signals: bool | None = None
    visitor_days: int | None = None
    addresses: str | None = None
    signed_tags: bool | None = None
    trusts_pages: bool | None = None


class Installation(msgspec.Struct, frozen=True):
    """What was chosen before the first definition, and the database's revision."""

    prefix: str
    partitions: int
    revision: int
    queue_epoch: str


_COLUMNS = (
    "id, slug, name, allowed_origins, strict_origin, consent_required, honour_signals,"
    " visitor_days, addresses, signed_tags, trusts_pages,"
    " signing_secret IS NOT NULL AS has_secret"
)


def installation(connection: psycopg.Connection) -> Installation:
    """The installation's row; a database that was never migrated has none."""
    with connection.cursor(row_factory=class_row(Installation)) as cursor:
        return cursor.execute(
            "SELECT prefix, partitions, revision, queue_epoch FROM installation"
        ).fetchall()[0]


def create(
    connection: psycopg.Connection,
    slug: str,
    name: str,
    allowed_origins: list[str],
    strict_origin: bool,
) -> bool:
    """Make a section; False when there is one with this slug already."""
    made = connection.execute(
        "INSERT INTO section (slug, name, allowed_origins, strict_origin)"
        " SELECT %s, %s, %s, %s WHERE NOT EXISTS (SELECT FROM section WHERE slug = %s)"
        " ON CONFLICT DO NOTHING",
        (slug, name, allowed_origins, strict_origin, slug),
    )
    return made.rowcount == 1


def every(connection: psycopg.Connection) -> list[Section]:
    """All sections, by slug."""
    with connection.cursor(row_factory=class_row(Section)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM section ORDER BY slug".encode()).fetchall()  # noqa: S608


def choose(connection: psycopg.Connection, slug: str | None) -> Section:
    """The section of this slug, or the only one there is. Raises NoSuchSectionError."""
    sections = every(connection)
    wanted = [section for section in sections if slug in (None, section.slug)]
    if len(wanted) == 1:
        return wanted[0]
    there_are = ", ".join(section.slug for section in sections) or "none"
    unsaid = "Say which section you mean, by --section."
    problem = f"There is no section {slug!r}." if slug else unsaid
    raise NoSuchSectionError(f"{problem} The sections are: {there_are}.")


def option(connection: psycopg.Connection, section_id: int) -> str:
    """What a command about a section ends with: ` --section SLUG`, or "" if it is the only one."""
    slugs = {section.id: section.slug for section in every(connection)}
    return f" --section {slugs[section_id]}" if len(slugs) > 1 else ""


def of_id(connection: psycopg.Connection, section_id: int) -> Section:
    """The section of this id, which is known to be there: sections are never deleted."""
    with connection.cursor(row_factory=class_row(Section)) as cursor:
        query = f"SELECT {_COLUMNS} FROM section WHERE id = %s"  # noqa: S608
        return cursor.execute(query.encode(), (section_id,)).fetchall()[0]


def locked(connection: psycopg.Connection, section_id: int) -> Section:
    """A section as it is now, and stays until the caller's transaction ends."""
    with connection.cursor(row_factory=class_row(Section)) as cursor:
        query = f"SELECT {_COLUMNS} FROM section WHERE id = %s FOR UPDATE"  # noqa: S608
        return cursor.execute(query.encode(), (section_id,)).fetchall()[0]


def change(connection: psycopg.Connection, section_id: int, changes: SectionChanges) -> bool:
    """Change a section's rules, all or none; False when tags are to be signed without a secret."""
    changed = connection.execute(
        "UPDATE section SET"
        " allowed_origins = COALESCE(%(allowed_origins)s::text[], allowed_origins),"
        " strict_origin = COALESCE(%(strict_origin)s, strict_origin),"
        " consent_required = COALESCE(%(consent_required)s, consent_required),"
        " honour_signals = COALESCE(%(honour_signals)s, honour_signals),"
        " visitor_days = COALESCE(%(visitor_days)s, visitor_days),"
        " addresses = COALESCE(%(addresses)s, addresses),"
        " signed_tags = COALESCE(%(signed_tags)s, signed_tags),"
        " trusts_pages = COALESCE(%(trusts_pages)s, trusts_pages)"
        " WHERE id = %(id)s"
        " AND (signing_secret IS NOT NULL OR NOT COALESCE(%(signed_tags)s, false))",
        {"id": section_id, **msgspec.structs.asdict(changes)},
    )
    return changed.rowcount == 1


def lock_signing_secret(connection: psycopg.Connection, section_id: int) -> bytes | None:
    """What was set as the signing secret, None for nothing; it stays so in this transaction."""
    query = "SELECT signing_secret FROM section WHERE id = %s FOR UPDATE"
    row = connection.execute(query, (section_id,)).fetchone()
    return row[0] if row else None


def set_signing_secret(connection: psycopg.Connection, section_id: int, encrypted: bytes) -> None:
    """Let claims be signed with what this holds, encrypted."""
    connection.execute(
        "UPDATE section SET signing_secret = %s WHERE id = %s", (encrypted, section_id)
    )
