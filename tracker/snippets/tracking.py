"""Web tracking: the switch on a saved definition, and the snippets that it makes."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import redis

from tracker.rules.definitions import current_version, random_base36
from tracker.settings import Settings
from tracker.snippets import code, publishing
from tracker.snippets.config import BAD_NONCE, NONCE, SnippetConfig
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition, Version
from tracker.stores.snippets import PinnedSnippet

KEY_LENGTH = 20


class TrackingError(Exception):
    """Web tracking can't be switched on, or there is no snippet; the message says why."""


def it_is_off(connection: psycopg.Connection, definition: Definition) -> TrackingError:
    """Why a definition has no snippet whose web tracking is off, and how to switch it on."""
    return TrackingError(
        f"Web tracking of {definition.name!r} is off, so there is no snippet.\n"
        f"Switch it on: pintag event track {definition.slug}"
        f"{sections.option(connection, definition.section_id)}"
    )


class BadNonceError(TrackingError):
    """There is a snippet, but not with this nonce."""


def mint_key() -> str:
    """A snippet's public key: nobody must come upon it by chance."""
    return random_base36(KEY_LENGTH, secrets.randbelow)


def switch_on(
    connection: psycopg.Connection,
    client: redis.Redis,
    definition: Definition,
    now: datetime,
    note: Callable[[], None] = lambda: None,
) -> str:
    """Switch web tracking on; returns the key of the snippet for the current version.

    Idempotent. The collectors know of it when this returns. `note` is called in the transaction
    that switches, if it does. Raises TrackingError.
    """
    version = current_version(definition.versions, now)
    if version is None:
        raise TrackingError(f"{definition.name!r} has no version that is usable yet.")
    # Published only once it is committed, or workers take the database for one that went back.
    with connection.transaction():
        switched = definitions.set_tracking(connection, definition.id, True)
        snippet = definitions.ensure_snippets(connection, definition.id, version.id, mint_key, now)
        if snippet is None:
            raise TrackingError(f"{definition.name!r} was hidden: it can't be tracked any more.")
        if switched:
            note()
    keep_scripts(connection)
    publishing.publish(connection, client)
    return snippet.key


def keep_scripts(connection: psycopg.Connection) -> None:
    """Keep what this release's snippets load, so that collectors have it from now on."""
    for script in code.hosted_scripts():
        definitions.keep_script(connection, script.hash, script.body)


def switch_off(
    connection: psycopg.Connection,
    client: redis.Redis,
    definition: Definition,
    note: Callable[[], None] = lambda: None,
) -> None:
    """Switch web tracking off: from now on its snippets get 410. Idempotent; note as above."""
    with connection.transaction():
        if definitions.set_tracking(connection, definition.id, False):
            note()
    publishing.publish(connection, client)


def standing(
    snippet: PinnedSnippet, usable_from: datetime, now: datetime
) -> tuple[str, datetime | None]:
    """What a key is good for, such as `in use`, with its time: `retired` when?

    usable_from: of the version that the key is pinned to.
    """
    if snippet.retires_at is not None:
        return ("retired" if snippet.retires_at <= now else "retires at"), snippet.retires_at
    return ("offered from", usable_from) if usable_from > now else ("in use", None)


def state(snippet: PinnedSnippet, usable_from: datetime, now: datetime) -> str:
    """The same as a text."""
    word, at = standing(snippet, usable_from, now)
    return f"{word} {at.astimezone(UTC):%F %T}Z" if at else word


def snippet_config(
    connection: psycopg.Connection,
    settings: Settings,
    definition: Definition,
    now: datetime,
    version: Version | None = None,
    *,
    nonce: str | None = None,
    test: bool = False,
    attributes: bool = False,
) -> SnippetConfig:
    """What the snippet of a version, or the current one, is rendered from. Raises TrackingError.

    BadNonceError only where all else is right.
    """
    chosen, version = version, version or current_version(definition.versions, now)
    snippet = definitions.snippet_of(connection, version.id) if version else None
    if chosen is not None and snippet is None and definition.web_tracking:
        raise TrackingError(
            f"Version {chosen.number} of {definition.name!r} has no snippet:"
            " web tracking was off while it could be used, or its key was ended."
        )
    if version is None or snippet is None or not definition.web_tracking:
        raise it_is_off(connection, definition)
    if nonce is not None and not re.fullmatch(NONCE, nonce):
        raise BadNonceError(BAD_NONCE)
    section = sections.of_id(connection, definition.section_id)
    return SnippetConfig(
        collector_url=settings.public_collector_url,
        key=snippet.key,
        slug=definition.slug,
        event_name=definition.name,
        version_number=version.number,
        date=now.date(),
        usable_from=version.usable_from if version.usable_from > now else None,
        consent=section.consent_required,
        signals=section.honour_signals,
        visitor_days=section.visitor_days,
        hits_path=settings.hits_path,
        scripts_path=settings.scripts_path,
        fields=tuple(version.fields),
        description=definition.description,
        nonce=nonce,
        test=test,
        attributes=attributes,
    )
