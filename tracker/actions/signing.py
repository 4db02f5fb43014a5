"""Whom a section believes in its hits: who can sign claims, and its own pages or not."""

import secrets
from datetime import datetime, timedelta

import psycopg

from tracker.rules.signing import Secrets, read_secrets
from tracker.settings import SettingsError
from tracker.stores import sections
from tracker.vault import Vault

SECRET_BYTES = 32
GRACE_DAYS, MAX_GRACE_DAYS = 1, 30
"""For which the one before is good, by default and at most: servers get the new one meanwhile."""


def renew_secret(
    connection: psycopg.Connection, vault: Vault, section_id: int, now: datetime, grace: timedelta
) -> str:
    """Give a section a new signing secret, and return it; the one before ends after the grace.

    Any earlier one ends at once.
    """
    secret = secrets.token_hex(SECRET_BYTES)
    with connection.transaction():
        earlier = _present(vault, sections.lock_signing_secret(connection, section_id))
        until_ms = int((now + grace).timestamp() * 1000)
        both = Secrets(secret, earlier, until_ms) if grace else Secrets(secret)
        sections.set_signing_secret(connection, section_id, vault.encrypt(both.written()))
    return secret


def _present(vault: Vault, encrypted: bytes | None) -> str:
    if encrypted is None:
        return ""
    try:
        return read_secrets(vault.decrypt(encrypted)).present
    except SettingsError:
        return ""  # it was encrypted with another key, and is good for nothing any more
