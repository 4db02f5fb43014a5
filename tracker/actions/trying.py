"""Trying out: what became of the hits of test snippets, told to people."""

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

import psycopg
import redis

from tracker.rules import told
from tracker.rules.origins import shut_out
from tracker.rules.told import ToldHit
from tracker.stores import sections, snippets, trials
from tracker.stores.definitions import Definition


class Tried(NamedTuple):
    """A trial, and the number of the version that its snippet is pinned to.

    shut_out: the origin of its page, where the section takes hits from there for trying out only.
    """

    trial: ToldHit
    version: int
    shut_out: str = ""


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
    allowed = sections.of_id(connection, definition.section_id).allowed_origins
    return [
        Tried(trial, versions[trial.key], shut_out(allowed, trial.page or ""))
        for trial in found
        if trial.key in versions
    ]


def verdict(tried: Tried) -> str:
    """What would have become of the hit, such as `would be stored`."""
    trial = tried.trial
    if tried.shut_out:
        return "would be refused"
    if trial.due_at is None:
        return f"would be {trial.outcome}"
    then = "rejected" if trial.errors else "dropped" if trial.reason else "stored"
    return f"would be held until {trial.due_at.astimezone(UTC):%F %T}Z, and then {then}"


def why(tried: Tried) -> str:
    """The reason in a sentence or two, "" where there is none."""
    if not tried.shut_out:
        return told.why(tried.trial)
    refused = f"The section takes no hits from {tried.shut_out}, but for trying out."
    return f"{refused} Allow it in the section's rules. {told.why(tried.trial)}".rstrip()


def lit(tried: Tried) -> str:
    """How it lights up: `right` where the hit would come, maybe later, on a profile."""
    return "wrong" if tried.trial.reason or tried.shut_out else "right"
