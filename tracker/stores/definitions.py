"""Definitions, their versions and snippets, in PostgreSQL."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from tracker.rules.definitions import Category, Draft
from tracker.rules.edits import Snapshot
from tracker.rules.fields import Field
from tracker.stores import snippets


class NameTakenError(Exception):
    """Another definition of the section, maybe a hidden one, has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is an event named {name!r} already, or a hidden one: choose another name."
        )
        self.name = name


class SlugTakenError(Exception):
    """Another definition of the section got this slug a moment ago: choose the next free one."""


class Version(msgspec.Struct, frozen=True):
    """An immutable snapshot of a definition's fields; `public_id` is what API clients see.

    edit: the number of the edit that made it, 0 for the first save.
    """

    id: int
    public_id: str
    definition_id: int
    number: int
    fields: list[Field]
    created_at: datetime
    usable_from: datetime
    edit: int = 0


class Definition(msgspec.Struct, frozen=True):
    """A saved Custom Event with its versions, the newest first.

    edits: how often it was edited; locked_until: from when it can be edited again, None if it
    never was; denied_operations: such as `email:read`; ttl_days: days until its events are
    deleted, None for never.
    """

    id: int
    section_id: int
    category: Category
    slug: str
    name: str
    description: str
    discriminator: str
    web_tracking: bool
    hidden_at: datetime | None
    created_at: datetime
    edits: int = 0
    locked_until: datetime | None = None
    denied_operations: list[str] = []
    ttl_days: int | None = None
    versions: list[Version] = []


class AmbiguousWordError(Exception):
    """A word is the slug of one visible definition and the name of another."""

    def __init__(self, word: str, by_slug: Definition, by_name: Definition) -> None:
        super().__init__(
            f"{word!r} is the slug of {by_slug.name!r} and the name of another event: say which by"
            f" its discriminator, {by_slug.discriminator} or {by_name.discriminator}."
        )


class Snippet(msgspec.Struct, frozen=True):
    """A snippet's public, write-only key, and the version that the snippet is pinned to."""

    key: str
    version_id: int
    created_at: datetime


class NewVersion(msgspec.Struct, frozen=True):
    """The names of a version that an edit makes; the key is for its snippet, if it gets one."""

    public_id: str
    snippet_key: str


_COLUMNS = (
    "id, section_id, category, slug, name, description, discriminator, "
    "web_tracking, hidden_at, created_at, edits, locked_until, denied_operations, ttl_days"
)


def slugs(connection: psycopg.Connection, section_id: int) -> set[str]:
    """The slugs that are taken in a section, by hidden definitions too."""
    rows = connection.execute("SELECT slug FROM definition WHERE section_id = %s", (section_id,))
    return {slug for (slug,) in rows}


def create(
    connection: psycopg.Connection,
    section_id: int,
    draft: Draft,
    fields: Iterable[Field],
    *,
    slug: str,
    discriminator: str,
    version_public_id: str,
    now: datetime,
) -> Definition:
    """Save a new definition and its version 1, usable at once.

    Raises NameTakenError and SlugTakenError.
    """
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO definition (section_id, category, slug, name, description,"
            " discriminator, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING id",
            (section_id, draft.category, slug, draft.name, draft.description, discriminator, now),
        ).fetchone()
        if row is None:
            same = "SELECT FROM definition WHERE section_id = %s AND name = %s"
            named = connection.execute(same, (section_id, draft.name)).fetchone()
            raise NameTakenError(draft.name) if named is not None else SlugTakenError
        connection.execute(
            "INSERT INTO version (public_id, definition_id, number, fields, created_at,"
            " usable_from) VALUES (%s, %s, 1, %s, %s, %s)",
            (version_public_id, row[0], Jsonb(msgspec.to_builtins(list(fields))), now, now),
        )
    return get(connection, row[0])


def visible(connection: psycopg.Connection, section_id: int) -> list[Definition]:
    """The section's definitions that are not hidden, by category and name."""
    return _whole(connection, "section_id = %s AND hidden_at IS NULL", section_id)


def numbers(connection: psycopg.Connection, section_id: int) -> dict[Category, int]:
    """How many of `visible` there are in each category that has any."""
    rows = connection.execute(
        "SELECT category, count(*) FROM definition"
        " WHERE section_id = %s AND hidden_at IS NULL GROUP BY category",
        (section_id,),
    )
    return {msgspec.convert(category, Category): count for category, count in rows}


def numbers_of_sections(connection: psycopg.Connection) -> dict[int, int]:
    """How many of `visible` each section has that has any."""
    return dict(
        connection.execute(
            "SELECT section_id, count(*) FROM definition WHERE hidden_at IS NULL GROUP BY 1"
        ).fetchall()
    )


def named_after(
    connection: psycopg.Connection, section_id: int, category: Category, name: str, limit: int
) -> list[Definition]:
    """Of `visible`, the next ones of a category after a name; after "" the first."""
    condition = "section_id = %s AND hidden_at IS NULL AND category = %s AND name > %s"
    return _whole(connection, condition, section_id, category, name, limit=limit)


def find(connection: psycopg.Connection, section_id: int, word: str) -> Definition | None:
    """A section's definition by its discriminator, else by its slug or name.

    A visible one comes before a hidden one, and of two hidden ones that of this slug.
    Raises AmbiguousWordError.
    """
    if found := _whole(connection, "section_id = %s AND discriminator = %s", section_id, word):
        return found[0]
    found = _whole(connection, "section_id = %s AND %s IN (slug, name)", section_id, word)
    found.sort(key=lambda one: one.slug != word)
    listed = [one for one in found if one.hidden_at is None]
    if len(listed) > 1:
        raise AmbiguousWordError(word, *listed)
    return next(iter(listed or found), None)


def by_slug(connection: psycopg.Connection, section_id: int, slug: str) -> Definition | None:
    """A section's definition, hidden or not, by its slug alone."""
    found = _whole(connection, "section_id = %s AND slug = %s", section_id, slug)
    return found[0] if found else None


def get(connection: psycopg.Connection, definition_id: int) -> Definition:
    """The definition of this id, which there must be: none is ever deleted."""
    return _whole(connection, "id = %s", definition_id)[0]


def _whole(
    connection: psycopg.Connection, condition: str, *values: Any, limit: int | None = None
) -> list[Definition]:
    with connection.cursor(row_factory=class_row(Definition)) as cursor:
        query = (
            f"SELECT {_COLUMNS} FROM definition WHERE {condition} ORDER BY category, name LIMIT %s"  # noqa: S608
        )
        rows = cursor.execute(query.encode(), (*values, limit)).fetchall()
    versions = _versions(connection, [row.id for row in rows])
    return [
        msgspec.structs.replace(
            row,
            category=msgspec.convert(row.category, Category),
            # Without one that was saved since the row was read: its edit isn't in the row.
            versions=[one for one in versions.get(row.id, []) if one.edit <= row.edits],
        )
        for row in rows
    ]


def _versions(connection: psycopg.Connection, ids: list[int]) -> dict[int, list[Version]]:
    rows = connection.execute(
        "SELECT id, public_id, definition_id, number, fields, created_at, usable_from,"
        " edit FROM version WHERE definition_id = ANY(%s) ORDER BY number DESC",
        (ids,),
    )
    versions: dict[int, list[Version]] = {}
    for id_, public_id, definition_id, number, fields, *rest in rows:
        version = Version(
            id_, public_id, definition_id, number, msgspec.convert(fields, list[Field]), *rest
        )
        versions.setdefault(definition_id, []).append(version)
    return versions


# -- edits


def edit(
    connection: psycopg.Connection,
    before: Definition,
    after: Snapshot,
    new: NewVersion | None,
    *,
    now: datetime,
    locked_until: datetime,
) -> bool:
    """Save an edit of a definition as it was read; False if it is locked, hidden or another by now.

    Of edits at the same moment one finds the number of edits that it read. Its transaction also
    makes the new version, usable when the lock ends, with a snippet if the definition is tracked.
    Raises NameTakenError.
    """
    try:
        with connection.transaction():
            row = connection.execute(
                "UPDATE definition SET name = %s, description = %s, edits = edits + 1,"
                " locked_until = %s WHERE id = %s AND edits = %s AND hidden_at IS NULL"
                " AND (locked_until IS NULL OR locked_until <= %s) RETURNING web_tracking",
                (after.name, after.description, locked_until, before.id, before.edits, now),
            ).fetchone()
            if row is None:
                return False
            connection.execute(
                "INSERT INTO edit (definition_id, number, name, description, made_at)"
                " VALUES (%s, %s, %s, %s, %s)",
                (before.id, before.edits + 1, before.name, before.description, now),
            )
            if new:
                version_id = _add_version(connection, before, after, new, now, locked_until)
                if row[0]:
                    snippets.add(connection, version_id, new.snippet_key, now)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name != "definition_section_id_name_key":
            raise
        raise NameTakenError(after.name) from None
    return True


def _add_version(
    connection: psycopg.Connection,
    before: Definition,
    after: Snapshot,
    new: NewVersion,
    now: datetime,
    usable_from: datetime,
) -> int:
    fields = Jsonb(msgspec.to_builtins(after.fields))
    number, edit = before.versions[0].number + 1, before.edits + 1
    [(version_id,)] = connection.execute(
        "INSERT INTO version (public_id, definition_id, number, fields, created_at, usable_from,"
        " edit) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (new.public_id, before.id, number, fields, now, usable_from, edit),
    ).fetchall()
    return int(version_id)


def snapshot_at(
    connection: psycopg.Connection, definition: Definition, edits: int
) -> Snapshot | None:
    """What the definition was after so many edits; None if there never were so many."""
    if not 0 <= edits <= definition.edits:
        return None
    # An edit's row has the texts that it replaced, so those of this moment are in the next one's.
    row = connection.execute(
        "SELECT name, description FROM edit WHERE definition_id = %s AND number = %s",
        (definition.id, edits + 1),
    ).fetchone()
    name, description = row or (definition.name, definition.description)
    version = next(version for version in definition.versions if version.edit <= edits)
    return Snapshot(name, description, version.fields)


# -- what is no edit


def hide(connection: psycopg.Connection, definition_id: int, now: datetime) -> bool:
    """Hide a definition for good; False if it was hidden already."""
    hidden = connection.execute(
        "UPDATE definition SET hidden_at = %s WHERE id = %s AND hidden_at IS NULL",
        (now, definition_id),
    )
    return hidden.rowcount == 1


def set_denied(
    connection: psycopg.Connection, definition_id: int, deny: Sequence[str], allow: Sequence[str]
) -> bool:
    """Add to the denied operations, and take from them; False if the definition is hidden."""
    changed = connection.execute(
        "UPDATE definition SET denied_operations = ARRAY(SELECT DISTINCT o"
        " FROM unnest(denied_operations || %s::text[]) AS o WHERE o <> ALL(%s::text[]) ORDER BY o)"
        " WHERE id = %s AND hidden_at IS NULL",
        (list(deny), list(allow), definition_id),
    )
    return changed.rowcount == 1


def set_ttl(connection: psycopg.Connection, definition_id: int, days: int | None) -> bool:
    """Set after how many days events are deleted, None: never; False if it is hidden."""
    changed = connection.execute(
        "UPDATE definition SET ttl_days = %s WHERE id = %s AND hidden_at IS NULL",
        (days, definition_id),
    )
    return changed.rowcount == 1


# -- web tracking


def set_tracking(connection: psycopg.Connection, definition_id: int, on: bool) -> bool:
    """Switch web tracking; False if that changes nothing, or the definition is hidden.

    Snippets keep their keys.
    """
    changed = connection.execute(
        "UPDATE definition SET web_tracking = %s"
        " WHERE id = %s AND web_tracking <> %s AND hidden_at IS NULL",
        (on, definition_id, on),
    )
    return changed.rowcount == 1


def ensure_snippets(
    connection: psycopg.Connection,
    definition_id: int,
    version_id: int,
    mint_key: Callable[[], str],
    now: datetime,
) -> Snippet | None:
    """The version's snippet, made with a new key if it has none yet; None if it is not tracked.

    Versions after it, which can't be used yet, get theirs too: they will be offered when they can.
    """
    with connection.transaction():
        tracked = connection.execute(
            "SELECT FROM definition WHERE id = %s AND web_tracking AND hidden_at IS NULL"
            " FOR UPDATE",
            (definition_id,),
        )
        if tracked.fetchone() is None:
            return None
        snippets.add_lacking(connection, definition_id, version_id, mint_key, now)
        return snippet_of(connection, version_id)


def snippet_of(connection: psycopg.Connection, version_id: int) -> Snippet | None:
    """The snippet that is pinned to a version, if web tracking was ever on for it."""
    with connection.cursor(row_factory=class_row(Snippet)) as cursor:
        return cursor.execute(
            "SELECT key, version_id, created_at FROM snippet WHERE version_id = %s"
            " AND retires_at IS NULL",
            (version_id,),
        ).fetchone()


def keep_script(connection: psycopg.Connection, name: str, body: str) -> None:
    """Keep a hosted script for good: tags on pages name it by its hash.

    Looked for first: an INSERT, also of nothing, raises the revision, and who looks at a snippet
    must not have all collectors and workers read all of the rules again.
    """
    if connection.execute("SELECT FROM script WHERE hash = %s", (name,)).fetchone() is None:
        connection.execute(
            "INSERT INTO script (hash, body) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, body)
        )
