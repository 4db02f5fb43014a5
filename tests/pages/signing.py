"""Signing a test's browser in."""

import secrets
from datetime import UTC, datetime

import psycopg
from starlette.testclient import TestClient

from tracker.actions import signing_in
from tracker.pages.page import COOKIE
from tracker.rules.accounts import Role
from tracker.stores import accounts

PASSWORD = "correct horse battery"


def sign_in(
    db: psycopg.Connection,
    client: TestClient,
    role: Role = Role.OWNER,
    section_id: int | None = None,
    name: str = "Olga",
    *,
    password: bool = False,
) -> str:
    """Make an account with a role in a section, or in all; returns its session's token.

    Without the password, as hashing it takes long on purpose.
    """
    now = datetime.now(UTC)
    account = accounts.create(db, name, role, section_id, now)
    assert account is not None
    if password:
        token = signing_in.by_link(db, signing_in.new_link(db, account, now), PASSWORD, now) or ""
    else:
        token = secrets.token_urlsafe()
        accounts.begin_session(db, account.id, token, now)
    client.cookies.set(COOKIE, token)
    return token
