"""Regenerating: a definition's snippets are rendered again, by this release, or with new keys."""

from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import redis

from tracker.actions.refusals import InvalidDraftError
from tracker.rules.definitions import current_version
from tracker.rules.errors import ErrorCode, FieldError
from tracker.snippets import publishing, tracking
from tracker.snippets.tracking import TrackingError
from tracker.stores import definitions, losses, sections, snippets
from tracker.stores.definitions import Definition
from tracker.stores.snippets import PinnedSnippet

GRACE_DAYS = 30
MAX_GRACE_DAYS = 3_650


def regenerate(
    connection: psycopg.Connection,
    client: redis.Redis,
    definition: Definition,
    *,
    now: datetime,
    grace: timedelta | None = None,
    key: str | None = None,
) -> list[PinnedSnippet]:
    """Make what snippets of a tracked definition are lacking; returns all of them.

    With `grace`, the current version and those after it get new keys, and their old ones work for
    that long, or to an earlier end that they had. With `key` too, that key alone gets this end,
    whatever its version. Of two who rotate at once, one makes new keys. The collectors know of it
    when this returns. Raises TrackingError, and InvalidDraftError where the key is another's.
    """
    _renew(connection, definition, now, grace, key)
    publishing.publish(connection, client)
    return losses.counted(client, snippets.every(connection, definition.id))


def regenerate_all(
    connection: psycopg.Connection,
    client: redis.Redis,
    section_id: int,
    *,
    now: datetime,
    grace: timedelta | None = None,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """The same for every tracked definition of a section; returns their slugs.

    `show` is told how many are done, of how many.
    """
    tracked = [one for one in definitions.visible(connection, section_id) if one.web_tracking]
    done: list[str] = []
    for number, definition in enumerate(tracked, 1):
        try:
            _renew(connection, definition, now, grace)
            done.append(definition.slug)
        except TrackingError:
            pass  # It was switched off or hidden since the list was read.
        show(number, len(tracked))
    publishing.publish(connection, client)
    return done


def _renew(
    connection: psycopg.Connection,
    definition: Definition,
    now: datetime,
    grace: timedelta | None,
    key: str | None = None,
) -> None:
    version = current_version(definition.versions, now)
    if version is None:
        raise TrackingError(f"{definition.name!r} has no version that is usable yet.")
    retiring = [] if grace is None else _replaced(connection, definition, version.number, key)
    tracking.keep_scripts(connection)
    if not snippets.regenerate(
        connection,
        definition.id,
        version.id,
        tracking.mint_key,
        now,
        retiring=retiring,
        retires_at=now + grace if grace is not None else None,
    ):
        raise tracking.it_is_off(connection, definition)


def _replaced(
    connection: psycopg.Connection, definition: Definition, first: int, key: str | None
) -> list[str]:
    """This key alone; without one, those of the version with this number and those after it."""
    found = snippets.every(connection, definition.id)
    if key is None:
        return [one.key for one in found if one.version_number >= first]
    if key not in {one.key for one in found}:
        message = (
            f"No snippet of {definition.name!r} has this key."
            f" See which there are: pintag snippet list {definition.slug}"
            f"{sections.option(connection, definition.section_id)}"
        )
        error = FieldError("key", ErrorCode.BAD_FORMAT, message)
        raise InvalidDraftError("No key was replaced:", [error])
    return [key]
