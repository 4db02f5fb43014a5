"""Edits of a definition: when one is allowed, what it changes, and whether it makes a version."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from tracker.rules.definitions import Edit
from tracker.rules.diffs import Change, compare
from tracker.rules.drafts import complete_fields
from tracker.rules.fields import Field


class Snapshot(msgspec.Struct, frozen=True):
    """All of a definition that an edit can change."""

    name: str
    description: str
    fields: list[Field]


class Replaced(msgspec.Struct, frozen=True):
    """A text that gave way to another."""

    before: str
    after: str


class Changes(msgspec.Struct, frozen=True):
    """What is different between two snapshots; false where nothing is."""

    name: Replaced | None
    description: Replaced | None
    fields: list[Change]

    def __bool__(self) -> bool:
        return bool(self.name or self.description or self.fields)

    @property
    def makes_version(self) -> bool:
        """A version is a snapshot of the fields: name and description alone make none."""
        return bool(self.fields)


def locked(locked_until: datetime | None, now: datetime) -> datetime | None:
    """From when a definition may be edited again; None if it may be now.

    The lock ends at `locked_until`, which is the first moment of the next edit.
    """
    return locked_until if locked_until is not None and now < locked_until else None


def cooldown_end(now: datetime, cooldown: int) -> datetime:
    """When an edit saved now unlocks, and when its version can be used; `cooldown` in seconds."""
    return now + timedelta(seconds=cooldown)


def apply(before: Snapshot, edit: Edit, mint_id: Callable[[], str]) -> Snapshot:
    """What a checked edit makes of a definition; parts that it leaves out stay."""
    return Snapshot(
        name=before.name if edit.name is None else edit.name,
        description=before.description if edit.description is None else edit.description,
        fields=before.fields
        if edit.fields is None
        else complete_fields(edit, mint_id, before.fields),
    )


def changes(before: Snapshot, after: Snapshot) -> Changes:
    """What has changed from one snapshot to another."""
    return Changes(
        name=_replaced(before.name, after.name),
        description=_replaced(before.description, after.description),
        fields=compare(before.fields, after.fields),
    )


def _replaced(before: str, after: str) -> Replaced | None:
    return None if before == after else Replaced(before, after)


def told(changes: Changes, *, labelled: bool = False) -> Sequence[str]:
    """The changes as sentences; labelled: with types as the pages name them."""
    lines = []
    if changes.name:
        lines.append(f"The name was {changes.name.before!r} and is {changes.name.after!r} now.")
    if changes.description:
        lines.append("The description is another one now.")
    return [*lines, *(c.labelled if labelled else c.sentence for c in changes.fields)]
