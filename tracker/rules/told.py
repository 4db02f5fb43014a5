"""A hit as people are told of it: what became of it, or what would have of one for trying out."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from tracker.rules.errors import FieldError
from tracker.rules.outcomes import Outcome, Reason

MOST_ERRORS, MOST_TEXT, MOST_DATA = 100, 500, 4_000
"""Errors of a hit that are told, and characters of its texts."""


class ToldHit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hit, and what became of it; of one for trying out, what would have.

    key: its snippet's; due_at: of one that is held, until when, and of one for trying out `reason`
    and `errors` are then what it would come to by today's rules; more_errors: how many are left
    out; id: the hit's; at: when it happened, Unix ms; whose: the identifiers, `keyspace:key`, the
    event's first; data: JSON as it would be stored, or as it came. Of a hit that names somebody
    who was erased there is only the outcome.
    """

    key: str
    received_ms: int
    outcome: Outcome
    reason: str | None = None
    errors: Sequence[FieldError] = ()
    more_errors: int = 0
    due_at: datetime | None = None
    id: str = ""
    at: int | None = None
    whose: Sequence[str] = ()
    data: str = ""
    page: str | None = None
    agent: str | None = None


def cut(errors: Sequence[FieldError]) -> list[FieldError]:
    """As many errors as are told, with texts as long as are told."""
    return [
        FieldError(error.field[:MOST_TEXT], error.code, error.message[:MOST_TEXT])
        for error in errors[:MOST_ERRORS]
    ]


def text(json: bytes) -> str:
    """As much of some JSON, or of what was to be JSON, as is told."""
    return json[: 4 * MOST_DATA].decode(errors="replace")[:MOST_DATA]


def received(hit: ToldHit) -> datetime:
    """When the collector got the hit."""
    return datetime.fromtimestamp(hit.received_ms / 1000, UTC)


def why(hit: ToldHit) -> str:
    """The reason in a sentence, "" where there is none."""
    if not hit.reason:
        return ""
    return f"{hit.reason}: {Reason(hit.reason).meaning}"  # type: ignore[call-arg]


def facts(hit: ToldHit) -> Iterator[tuple[str, str]]:
    """What the hit said, by name: its data, then the rest, with names in parentheses."""
    yield from said(hit)
    for label, text in (
        ("profile", ", ".join(hit.whose)),
        ("page", hit.page or ""),
        ("sent by", hit.agent or ""),
        ("id", hit.id),
    ):
        if text:
            yield f"({label})", text


def said(hit: ToldHit) -> Iterator[tuple[str, str]]:
    """The hit's data by name; of what is no object, or cut off, all of it."""
    data = named(hit.data)
    if data is None and hit.data:
        yield "(sent)", hit.data
    for name, value in (data or {}).items():
        yield name, _readable(value)


def named(data: str) -> dict[str, msgspec.Raw] | None:
    """The data by name, each value as it is written; None for what is no object, or cut off."""
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return None


def _readable(raw: msgspec.Raw) -> str:
    """A text without its quotes; anything else as it was written."""
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(raw, type=str)
    return bytes(raw).decode()
