"""Trying out: what became of the hits of test snippets, told to people."""

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

import psycopg
import redis

from tracker.rules.told import ToldHit
from tracker.stores import snippets, trials
from tracker.stores.definitions import Definition


class Tried(NamedTuple):
    """A trial, and the number of the version that its snippet is pinned to."""

    trial: ToldHit
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
    connection: psycopg.Connection, definition: Definition, found: Sequence[ToldHit]
) -> list[Tried]:
    """Those of the trials that snippets of the definition sent, whatever their version."""
    if not found:
        return []
    every = snippets.every(connection, definition.id)
    versions = {snippet.key: snippet.version_number for snippet in every}
    return [Tried(trial, versions[trial.key]) for trial in found if trial.key in versions]


def verdict(trial: ToldHit) -> str:
    """What would have become of the hit, such as `would be stored`."""
    if trial.due_at is None:
        return f"would be {trial.outcome}"
    then = "rejected" if trial.errors else "dropped" if trial.reason else "stored"
    return f"would be held until {trial.due_at.astimezone(UTC):%F %T}Z, and then {then}"


def lit(trial: ToldHit) -> str:
    """How it lights up: `right` where the hit would come, maybe later, on a profile."""
    return "wrong" if trial.reason else "right"
