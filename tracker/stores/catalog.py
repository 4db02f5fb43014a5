"""What collectors and workers know of every snippet, read from PostgreSQL as of one revision."""

from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.fields import Field
from tracker.stores.key_table import KeyEntry, TableMeta


class PinnedVersion(msgspec.Struct, frozen=True):
    """The version that a snippet is pinned to, with what decides over its hits."""

    version_id: int
    section_id: int
    hidden: bool
    fields: bytes
    usable_from: datetime

    def read_fields(self) -> list[Field]:
        """The fields; they are read when the first hit needs them, as there can be many."""
        return msgspec.json.decode(self.fields, type=list[Field])


def revision(connection: psycopg.Connection) -> int:
    """The database's revision: it goes up with every change that the catalogue would show."""
    return int(connection.execute("SELECT revision FROM installation").fetchall()[0][0])


def pinned_versions(connection: psycopg.Connection) -> dict[str, PinnedVersion]:
    """Every snippet key with the version that it is pinned to."""
    rows = connection.execute(
        "SELECT s.key, v.id, d.section_id, d.hidden_at IS NOT NULL, v.fields::text,"
        " v.usable_from FROM snippet s JOIN version v ON v.id = s.version_id"
        " JOIN definition d ON d.id = v.definition_id"
    )
    return {
        key: PinnedVersion(version_id, section_id, hidden, fields.encode(), usable_from)
        for key, version_id, section_id, hidden, fields, usable_from in rows
    }


def version(connection: psycopg.Connection, version_id: int) -> PinnedVersion:
    """One version, as if a snippet were pinned to it."""
    row = connection.execute(
        "SELECT v.id, d.section_id, d.hidden_at IS NOT NULL, v.fields::text, v.usable_from"
        " FROM version v JOIN definition d ON d.id = v.definition_id WHERE v.id = %s",
        (version_id,),
    ).fetchall()[0]
    id_, section_id, hidden, fields, usable_from = row
    return PinnedVersion(id_, section_id, hidden, fields.encode(), usable_from)


class SectionRow(msgspec.Struct, frozen=True):
    """Whom a section believes; its signing secret is encrypted."""

    id: int
    slug: str
    signing_secret: bytes | None
    trusts_pages: bool
    signed_tags: bool


def sections(connection: psycopg.Connection) -> list[SectionRow]:
    """What decides over the claims and tags of a section's hits, of all sections."""
    with connection.cursor(row_factory=class_row(SectionRow)) as cursor:
        return cursor.execute(
            "SELECT id, slug, signing_secret, trusts_pages, signed_tags FROM section"
        ).fetchall()


def erased(connection: psycopg.Connection) -> dict[int, set[bytes]]:
    """The hashes of erased identifiers, by section; sections without any are left out."""
    hashes: dict[int, set[bytes]] = {}
    for section_id, hash_ in connection.execute("SELECT section_id, hash FROM erased"):
        hashes.setdefault(section_id, set()).add(hash_)
    return hashes


def key_table(
    connection: psycopg.Connection,
) -> tuple[TableMeta, dict[str, KeyEntry], dict[str, str]]:
    """What the key table in Redis must show: its meta, the keys and the hosted scripts."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        number, partitions = connection.execute(
            "SELECT revision, partitions FROM installation"
        ).fetchall()[0]
        rows = connection.execute(
            "SELECT s.key, CASE WHEN d.hidden_at IS NOT NULL THEN 'hidden'"
            " WHEN d.web_tracking THEN 'on' ELSE 'off' END, c.allowed_origins, c.strict_origin,"
            " COALESCE(floor(extract(epoch FROM s.retires_at) * 1000), 0)::bigint, c.addresses"
            " FROM snippet s JOIN version v ON v.id = s.version_id"
            " JOIN definition d ON d.id = v.definition_id JOIN section c ON c.id = d.section_id"
        )
        entries = {key: KeyEntry(*rest) for key, *rest in rows}
        scripts: dict[str, str] = dict(
            connection.execute("SELECT hash, body FROM script").fetchall()
        )
    return TableMeta(number, partitions), entries, scripts
