"""How definitions are shown in JSON, by the API and the commands alike."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from tracker.rules.allowed_operations import Access, is_allowed
from tracker.rules.definitions import Category, current_version, deprecated_at
from tracker.rules.fields import Field
from tracker.rules.keyspaces import Keyspace
from tracker.stores.definitions import Definition, Version


class VersionView(msgspec.Struct, frozen=True):
    """A version; the first of a definition whose `deprecated_at` is null is the one to use."""

    id: str
    number: int
    usable_from: datetime
    deprecated_at: datetime | None
    fields: list[Field]


class RightsView(msgspec.Struct, frozen=True):
    """Whether events may be read and written when a profile is addressed by a keyspace."""

    read: bool
    write: bool


class DefinitionView(msgspec.Struct, frozen=True):
    """A definition. `edits` counts its edits; it can be edited from `locked_until`.

    versions: the current one first, then those that are not usable yet, then the deprecated ones;
    keyspaces: its allowed operations by the discriminator of a keyspace;
    ttl_days: days until its events are deleted, null for never.
    """

    name: str
    slug: str
    discriminator: str
    description: str
    category: Category
    web_tracking: bool
    created_at: datetime
    edits: int
    locked_until: datetime | None
    ttl_days: int | None
    keyspaces: dict[str, RightsView]
    versions: list[VersionView]


def shown(
    definition: Definition,
    prefix: str,
    now: datetime,
    keyspaces: Iterable[Keyspace] = tuple(Keyspace),
) -> DefinitionView:
    """A definition as API clients see it who may see these keyspaces.

    `prefix` is that of the installation.
    """
    return DefinitionView(
        name=definition.name,
        slug=definition.slug,
        discriminator=definition.discriminator,
        description=definition.description,
        category=definition.category,
        web_tracking=definition.web_tracking,
        created_at=definition.created_at,
        edits=definition.edits,
        locked_until=definition.locked_until,
        ttl_days=definition.ttl_days,
        keyspaces={k.discriminator(prefix): _rights(definition, k) for k in keyspaces},
        versions=[_version(version, definition, now) for version in _ordered(definition, now)],
    )


def _ordered(definition: Definition, now: datetime) -> list[Version]:
    """Clients take the first version that is not deprecated, which must be the current one."""
    current = current_version(definition.versions, now)
    return sorted(
        definition.versions, key=lambda version: (version is not current, -version.number)
    )


def _rights(definition: Definition, keyspace: Keyspace) -> RightsView:
    return RightsView(
        read=is_allowed(definition.denied_operations, keyspace, Access.READ),
        write=is_allowed(definition.denied_operations, keyspace, Access.WRITE),
    )


def _version(version: Version, definition: Definition, now: datetime) -> VersionView:
    return VersionView(
        id=version.public_id,
        number=version.number,
        usable_from=version.usable_from,
        deprecated_at=deprecated_at(version, definition.versions, now),
        fields=version.fields,
    )
