"""Rights of API clients: what each may do, and the keyspaces that it may address and see.

What a definition allows when a profile is addressed by a keyspace is in allowed_operations.py.
"""

from collections.abc import Collection
from typing import Protocol

from tracker.rules.described import Described
from tracker.rules.keyspaces import Keyspace


class Scope(Described):
    """What a client may do; `.meaning` says it in a sentence."""

    meaning: str

    DEFINITIONS_READ = "definitions:read", "See definitions, their versions, pages and snippets."
    DEFINITIONS_WRITE = "definitions:write", "Save, edit, track and hide definitions."
    PROFILES_READ = "profiles:read", "Read the timelines of profiles."
    EVENTS_WRITE = "events:write", "Post events to profiles."
    PROFILES_MERGE = "profiles:merge", "Merge profiles, and take identifiers out of them."
    PROFILES_ERASE = "profiles:erase", "Erase profiles with every trace."
    PROFILES_EXPORT = "profiles:export", "Export all that is known of a profile."


class _Client(Protocol):
    @property
    def scopes(self) -> Collection[str]: ...
    @property
    def keyspaces(self) -> Collection[str]: ...


def may(client: _Client, scope: Scope) -> bool:
    """Whether a client has a scope."""
    return scope in client.scopes


def may_address(client: _Client, keyspace: Keyspace) -> bool:
    """Whether a client may address profiles by a keyspace, or see its identifiers at all."""
    return keyspace in client.keyspaces


def seen_keyspaces(client: _Client) -> list[Keyspace]:
    """The keyspaces that a client may address and see."""
    return [keyspace for keyspace in Keyspace if may_address(client, keyspace)]
