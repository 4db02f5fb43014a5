"""Whom a section believes in its hits: who can sign claims, and its own pages or not."""

import secrets

import psycopg

from tracker.stores import sections
from tracker.vault import Vault

SECRET_BYTES = 32


def renew_secret(connection: psycopg.Connection, vault: Vault, section_id: int) -> str:
    """Give a section a new signing secret, and return it; the one before signs no more."""
    secret = secrets.token_hex(SECRET_BYTES)
    sections.set_signing_secret(connection, section_id, vault.encrypt(secret))
    return secret
