"""Trying out: what became of the hits of test snippets, told to people."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import psycopg
import redis

from tracker.rules.outcomes import Reason
from tracker.stores import snippets, trials
from tracker.stores.definitions import Definition
from tracker.stores.trials import Trial


class Tried(NamedTuple):
    """A trial, and the number of the version that its snippet is pinned to."""

    trial: Trial
    version: int


def since(
    connection: psycopg.Connection, client: redis.Redis, definition: Definition, place: str
) -> tuple[list[Tried], str]:
    """The definition's trials after a place, the oldest first, and the place after them.

    Never waits. Raises redis.RedisError.
    """
    found, place = trials.read(client, place, wait=False)
    return of_definition(connection, definition, found), place


def of_definition(
    connection: psycopg.Connection, definition: Definition, found: Sequence[Trial]
) -> list[Tried]:
    """Those of the trials that snippets of the definition sent, whatever their version."""
    if not found:
        return []
    every = snippets.every(connection, definition.id)
    versions = {snippet.key: snippet.version_number for snippet in every}
    return [Tried(trial, versions[trial.key]) for trial in found if trial.key in versions]


def verdict(trial: Trial) -> str:
    """What would have become of the hit, such as `would be stored`."""
    if trial.due_at is None:
        return f"would be {trial.outcome}"
    then = "rejected" if trial.errors else "dropped" if trial.reason else "stored"
    return f"would be held until {trial.due_at.astimezone(UTC):%F %T}Z, and then {then}"


def lit(trial: Trial) -> str:
    """How it lights up: `right` where the hit would come, maybe later, on a profile."""
    return "wrong" if trial.reason else "right"


def received(trial: Trial) -> datetime:
    """When the collector got the hit."""
    return datetime.fromtimestamp(trial.received_ms / 1000, UTC)


def why(trial: Trial) -> str:
    """The reason in a sentence, "" where there is none."""
    if not trial.reason:
        return ""
    return f"{trial.reason}: {Reason(trial.reason).meaning}"  # type: ignore[call-arg]


def facts(trial: Trial) -> Iterator[tuple[str, str]]:
    """What the hit said, by name: its data, then the rest, with names in parentheses."""
    data = named(trial.data)
    if data is None and trial.data:
        yield "(sent)", trial.data
    for name, value in (data or {}).items():
        yield name, _readable(value)
    for label, text in (
        ("profile", ", ".join(trial.whose)),
        ("page", trial.page or ""),
        ("sent by", trial.agent or ""),
        ("id", trial.id),
    ):
        if text:
            yield f"({label})", text


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
