"""Signing in: by password, or by a one-time link, by which the password is chosen.

Hashing takes long, on purpose: nobody keeps a connection to the database meanwhile.
"""

import secrets
from datetime import datetime

import psycopg

from tracker import passwords
from tracker.rules.accounts import LINK_LIFE, Role, check_password
from tracker.stores import accounts, audit_log
from tracker.stores.accounts import Account
from tracker.stores.database import Borrowed

FIRST = "owner"
"""The name of the account that `pintag up` makes: it owns all sections."""


def link_for_first(connection: psycopg.Connection, now: datetime) -> str | None:
    """A one-time token for the first account, which is made where it is missing.

    None once it has a password: whoever can read a terminal or its log should not get in by that.
    """
    account = accounts.find(connection, FIRST)
    account = account or accounts.create(connection, FIRST, Role.OWNER, None, now)
    account = account or accounts.find(connection, FIRST)  # somebody else has just made it
    assert account is not None
    return None if account.has_password else new_link(connection, account, now)


def new_link(connection: psycopg.Connection, account: Account, now: datetime) -> str:
    """A one-time token by which the account's password is chosen; earlier ones end."""
    token = secrets.token_urlsafe(24)
    accounts.add_link(connection, account.id, token, now + LINK_LIFE)
    return token


class WrongPasswordError(Exception):
    """The password is another one, or there is no such account, which takes as long to say."""


def by_password(borrowed: Borrowed, name: str, password: str, now: datetime) -> str:
    """The token of a new session. Raises WrongPasswordError and BusyError."""
    account = accounts.find(borrowed.connection, name)
    hashed = accounts.password_hash(borrowed.connection, account.id) if account else None
    with borrowed.given_back():
        is_right = passwords.is_password(hashed, password)
    if not is_right or account is None:
        raise WrongPasswordError
    connection = borrowed.connection
    with connection.transaction():
        if accounts.password_hash(connection, account.id, lock=True) != hashed:
            raise WrongPasswordError  # it was changed meanwhile, or its owner shut out
        return _begin(connection, account, "signed in", now)


def by_link(borrowed: Borrowed, token: str, password: str, now: datetime) -> str | None:
    """Choose the password by a one-time link; the token of a new session, None for a used link.

    Raises AccountError for a password that won't do, and BusyError; the link can be used again.
    """
    account = accounts.of_link(borrowed.connection, token, now)
    if account is None:
        return None
    check_password(password, account.name)
    with borrowed.given_back():
        hashed = passwords.hash_password(password)
    connection = borrowed.connection
    with connection.transaction():
        if not accounts.use_link(connection, token):
            return None
        accounts.set_password(connection, account.id, hashed)
        return _begin(connection, account, "chose a password", now)


def change_password(borrowed: Borrowed, account: Account, old: str, new: str, now: datetime) -> str:
    """Change one's own password; the token of a new session, as all others end.

    Raises WrongPasswordError, AccountError for a new one that won't do, and BusyError.
    """
    kept = accounts.password_hash(borrowed.connection, account.id)
    with borrowed.given_back():
        if not passwords.is_password(kept, old):
            raise WrongPasswordError
        check_password(new, account.name)
        hashed = passwords.hash_password(new)
    connection = borrowed.connection
    with connection.transaction():
        if accounts.password_hash(connection, account.id, lock=True) != kept:
            raise WrongPasswordError
        accounts.set_password(connection, account.id, hashed)
        return _begin(connection, account, "changed the password", now)


def _begin(connection: psycopg.Connection, account: Account, how: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    accounts.begin_session(connection, account.id, token, now)
    audit_log.add(connection, account.name, how, "", now)
    return token
