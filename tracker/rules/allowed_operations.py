"""Allowed operations: whether a definition's events may be read or written by a keyspace.

They bind API clients, when they address a profile by a key of that keyspace; snippets they don't.
A definition keeps those that are denied, such as `email:read`; all others are allowed.
"""

from collections.abc import Collection
from enum import StrEnum

from tracker.rules import keyspaces
from tracker.rules.keyspaces import Keyspace


class Access(StrEnum):
    """What an API client does with a definition's events."""

    READ = "read"
    WRITE = "write"


class BadOperationError(ValueError):
    """What was sent names no operation; the message says what one looks like."""


def name(keyspace: Keyspace, access: Access) -> str:
    """An operation as definitions keep it: `email:read`."""
    return f"{keyspace.value}:{access.value}"


def is_allowed(denied: Collection[str], keyspace: Keyspace, access: Access) -> bool:
    """Whether a definition with these denied operations allows this one."""
    return name(keyspace, access) not in denied


def parse(text: str, prefix: str) -> str:
    """An operation's name from what was sent: the keyspace may be a discriminator.

    Raises BadOperationError.
    """
    keyspace_name, _, access = text.strip().rpartition(":")
    keyspace = keyspaces.find(keyspace_name, prefix)
    if keyspace is None or access not in list(Access):
        raise BadOperationError(
            f"{text!r} is no operation: write KEYSPACE:read or KEYSPACE:write."
            f" The keyspaces are: {', '.join(Keyspace)}."
        )
    return name(keyspace, Access(access))
