"""Editing a definition: checked, refused while it is locked, and saved by one of two at once."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psycopg
import redis

from tracker.actions import minting
from tracker.actions.refusals import (
    EditConflictError,
    HiddenError,
    InvalidDraftError,
    LockedError,
    RefusedError,
)
from tracker.rules import edits
from tracker.rules.definitions import Edit
from tracker.rules.drafts import parse_edit
from tracker.rules.edits import Changes, Snapshot
from tracker.rules.errors import ErrorCode, FieldError
from tracker.snippets import publishing, tracking
from tracker.stores import definitions
from tracker.stores.definitions import Definition, NewVersion, Version


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did; `changes` is false where it changed nothing, and then nothing is locked.

    version: the new one, None where the fields stayed as they were.
    """

    definition: Definition
    changes: Changes
    version: Version | None


def edit(
    connection: psycopg.Connection,
    client: redis.Redis,
    definition: Definition,
    sent: object,
    *,
    now: datetime,
    cooldown: int,
    note: Callable[[], None] = lambda: None,
) -> Edited:
    """Save what a client sent: a JSON object, as bytes or read already, with the parts of an Edit.

    `definition` is as it was read for this request; `cooldown` is the setting, in seconds; `note`
    is called in the transaction that saves, if anything is. Raises InvalidDraftError, LockedError,
    EditConflictError, HiddenError and NameTakenError.
    """
    checked = _read(definition, sent)
    if definition.hidden_at is not None:
        raise HiddenError(definition.name)
    if checked.based_on is not None and checked.based_on != definition.edits:
        raise _conflict(definition, _seen(connection, definition, checked.based_on), now)
    before = snapshot(definition)
    after = edits.apply(before, checked, minting.field_id)
    changes = edits.changes(before, after)
    if not changes:
        return Edited(definition, changes, None)
    if until := edits.locked(definition.locked_until, now):
        raise LockedError(definition.name, until, now)
    end = edits.cooldown_end(now, cooldown)
    new = NewVersion(minting.version_id(), tracking.mint_key()) if changes.makes_version else None
    with connection.transaction():
        saved = definitions.edit(connection, definition, after, new, now=now, locked_until=end)
        if saved:
            note()
    fresh = definitions.get(connection, definition.id)
    if not saved:
        raise _why_not(definition, fresh, now)
    if new and fresh.web_tracking:
        # It is saved, and the key isn't offered yet: the worker publishes it if Redis is away.
        with contextlib.suppress(redis.RedisError):
            publishing.publish(connection, client)
    return Edited(fresh, changes, fresh.versions[0] if new else None)


def snapshot(definition: Definition) -> Snapshot:
    """What an edit goes on from: the texts, and the fields of the newest version."""
    return Snapshot(definition.name, definition.description, definition.versions[0].fields)


def _read(definition: Definition, sent: object) -> Edit:
    checked = parse_edit(sent, definition.versions[0].fields)
    if isinstance(checked, list):
        raise InvalidDraftError("The edit was not saved:", checked)
    return checked


def _seen(connection: psycopg.Connection, definition: Definition, based_on: int) -> Snapshot:
    seen = definitions.snapshot_at(connection, definition, based_on)
    if seen is None:
        message = f"This event was edited {definition.edits} times: send its `edits` as you saw it."
        error = FieldError("based_on", ErrorCode.OUT_OF_RANGE, message)
        raise InvalidDraftError("The edit was not saved:", [error])
    return seen


def _conflict(fresh: Definition, seen: Snapshot, now: datetime) -> EditConflictError:
    changes = edits.changes(seen, snapshot(fresh))
    until = edits.locked(fresh.locked_until, now)
    return EditConflictError(fresh.name, changes, fresh.edits, until, now)


def _why_not(read: Definition, fresh: Definition, now: datetime) -> RefusedError:
    """Why the update found no row, from the row as it is now."""
    if fresh.hidden_at is not None:
        return HiddenError(fresh.name)
    if fresh.edits != read.edits or fresh.locked_until is None:
        return _conflict(fresh, snapshot(read), now)
    return LockedError(fresh.name, fresh.locked_until, now)
