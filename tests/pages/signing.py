"""Signing a test's browser in."""

import secrets
from datetime import UTC, datetime

import psycopg
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from tracker.pages.page import COOKIE
from tracker.rules.accounts import Role
from tracker.stores import accounts
from tracker.stores.accounts import Account

PASSWORD = "correct horse battery"
# By the same function with the least of its parameters: Pintag's own take long, on purpose.
_HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def make(
    db: psycopg.Connection,
    role: Role = Role.OWNER,
    section_id: int | None = None,
    name: str = "Olga",
    *,
    password: bool = False,
) -> Account:
    """Make an account with a role in a section, or in all."""
    account = accounts.create(db, name, role, section_id, datetime.now(UTC))
    assert account is not None
    if password:
        accounts.set_password(db, account.id, _HASHED)
    return account


def sign_in(
    db: psycopg.Connection,
    client: TestClient,
    role: Role = Role.OWNER,
    section_id: int | None = None,
    name: str = "Olga",
    *,
    password: bool = False,
) -> str:
    """Make an account with a role in a section, or in all; returns its session's token."""
    account = make(db, role, section_id, name, password=password)
    token = secrets.token_urlsafe()
    accounts.begin_session(db, account.id, token, datetime.now(UTC))
    client.cookies.set(COOKIE, token)
    return token
