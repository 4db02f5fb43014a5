"""Checking new fields before they are published: what they would say to recent events."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import psycopg

from tracker.actions.refusals import InvalidDraftError
from tracker.rules.drafts import complete_fields, parse_edit
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.fields import Field
from tracker.rules.validation import Validator
from tracker.stores import recent_events
from tracker.stores.definitions import Definition
from tracker.stores.recent_events import StoredEvent

WINDOW = timedelta(days=30)
HITS = 1_000
MOST_HITS = 100_000
EXAMPLES = 3
MAX_SHOWN = 100
"""Characters of a value that an example shows."""


@dataclass(frozen=True, slots=True)
class Example:
    """An event that would have been rejected; `value` is JSON, cut to 100 characters, or None."""

    event_id: UUID
    version: int
    value: str | None
    message: str


@dataclass(slots=True)
class Complaint:
    """What is wrong with one field in one way: in how many events, with the newest as examples."""

    field: str
    code: ErrorCode
    events: int = 0
    examples: list[Example] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class Check:
    """What new fields would have said to the newest events of a definition.

    since: events from then on were looked at, until there were enough; whole: that is the whole
    window of 30 days, or as many events as were asked for, and not where the bound on how many
    events of the installation are looked at was met first.
    """

    checked: int
    since: datetime
    whole: bool = True
    rejected: int = 0
    complaints: list[Complaint] = dataclasses.field(default_factory=list)


def check(
    connection: psycopg.Connection,
    definition: Definition,
    fields: object,
    *,
    now: datetime,
    hits: int = HITS,
    most: int = recent_events.MOST,
) -> Check:
    """Run new fields (JSON: a list, as in an edit) over the newest `hits` events, at most 100,000.

    What is stored is checked, values as they were normalised, of every version. Raises
    InvalidDraftError.
    """
    validator = Validator(_read(definition, fields, hits))
    numbers = {version.id: version.number for version in definition.versions}
    window = now - WINDOW
    found = Check(checked=0, since=window)
    complaints: dict[tuple[str, ErrorCode], Complaint] = {}
    for event in recent_events.newest(connection, list(numbers), window, hits, most):
        found.checked += 1
        errors = validator.validate(event.data.encode(), "")
        if isinstance(errors, list):
            found.rejected += 1
            _note(complaints, event, numbers[event.version_id], errors)
    found.complaints = sorted(complaints.values(), key=lambda c: (-c.events, c.field, c.code))
    if found.checked < hits:
        found.since = recent_events.reach(connection, window, most)
        found.whole = found.since == window
    return found


def _read(definition: Definition, fields: object, hits: int) -> Sequence[Field]:
    previous = definition.versions[0].fields
    edit = parse_edit({"fields": fields}, previous)
    errors = list(_wrong(fields, hits)) + (edit if isinstance(edit, list) else [])
    if errors or isinstance(edit, list):
        raise InvalidDraftError("Nothing was checked:", errors)
    return complete_fields(edit, lambda: "", previous)


def _wrong(fields: object, hits: int) -> Iterator[FieldError]:
    if fields is None:
        yield FieldError("fields", ErrorCode.REQUIRED, "Expected a list of fields.")
    if not 1 <= hits <= MOST_HITS:
        yield FieldError("hits", ErrorCode.OUT_OF_RANGE, f"Expected 1 to {MOST_HITS:,} hits.")


def _note(
    complaints: dict[tuple[str, ErrorCode], Complaint],
    event: StoredEvent,
    version: int,
    errors: Sequence[FieldError],
) -> None:
    values = msgspec.json.decode(event.data, type=dict[str, msgspec.Raw])
    for error in errors:
        key = error.field, error.code
        complaint = complaints.setdefault(key, Complaint(error.field, error.code))
        complaint.events += 1
        if len(complaint.examples) < EXAMPLES:
            value = _shown(values.get(error.field))
            complaint.examples.append(Example(event.id, version, value, error.message))


def _shown(value: msgspec.Raw | None) -> str | None:
    # As it is written, not read: numbers of any length stay what they are.
    return None if value is None else bytes(value).decode()[:MAX_SHOWN]
