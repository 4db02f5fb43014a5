"""Signing a test's browser in."""

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
) -> str:
    """Make an account with a role in a section, or in all; returns its session's token."""
    now = datetime.now(UTC)
    account = accounts.create(db, name, role, section_id, now)
    assert account is not None
    token = signing_in.by_link(db, signing_in.new_link(db, account, now), PASSWORD, now)
    assert token is not None
    client.cookies.set(COOKIE, token)
    return token
