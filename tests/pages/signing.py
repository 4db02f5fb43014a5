"""Signing a test's browser in."""

import secrets
from datetime import UTC, datetime

import psycopg
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from tracker.pages.page import COOKIE
from tracker.rules.accounts import Role
from tracker.stores import accounts

PASSWORD = "correct horse battery"
# By the same function with the least of its parameters: Pintag's own take long, on purpose.
_HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


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
    now = datetime.now(UTC)
    account = accounts.create(db, name, role, section_id, now)
    assert account is not None
    if password:
        accounts.set_password(db, account.id, _HASHED)
    token = secrets.token_urlsafe()
    accounts.begin_session(db, account.id, token, now)
    client.cookies.set(COOKIE, token)
    return token
