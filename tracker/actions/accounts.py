"""Accounts of people: made, given roles, shut out and let in again, by command and on pages."""

from datetime import datetime

import psycopg

from tracker.actions import signing_in
from tracker.actions.refusals import RefusedError
from tracker.rules.accounts import Role, check_name, keeps_an_owner
from tracker.stores import accounts
from tracker.stores.accounts import Account


class AccountExistsError(RefusedError):
    """The name of an account that is to be made is another's already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is an account {name!r} already.")


class LastOwnerError(RefusedError):
    """Nobody else could sign in who owns all sections."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nobody but {name!r} owns all sections and has a password: nothing was changed.\n"
            "Give somebody else that role first."
        )


class ShutOutError(RefusedError):
    """The account can't be used, so that no link can be either."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is shut out.")


def create(
    connection: psycopg.Connection, name: str, role: Role, section_id: int | None, now: datetime
) -> Account:
    """Make an account with a role in a section or in all. Raises AccountError, AccountExistsError.

    It has no password until `invite`'s link was used.
    """
    name = check_name(name)
    made = accounts.create(connection, name, role, section_id, now)
    if made is None:
        raise AccountExistsError(name)
    return made


def invite(connection: psycopg.Connection, account: Account, now: datetime) -> str:
    """The token of a link by which a password is chosen; earlier ones end. Raises ShutOutError."""
    if account.disabled_at is not None:
        raise ShutOutError(account.name)
    return signing_in.new_link(connection, account, now)


def set_role(
    connection: psycopg.Connection, account: Account, section_id: int | None, role: Role | None
) -> None:
    """Give a role in a section or in all, None takes it away. Raises LastOwnerError."""
    with connection.transaction():
        if section_id is None and role is not Role.OWNER:
            _keep_an_owner(connection, account)
        accounts.set_role(connection, account.id, section_id, role)


def disable(connection: psycopg.Connection, account: Account, now: datetime) -> bool:
    """Shut somebody out at once; False if they are already. Raises LastOwnerError."""
    with connection.transaction():
        _keep_an_owner(connection, account)
        return accounts.disable(connection, account.id, now)


def _keep_an_owner(connection: psycopg.Connection, leaving: Account) -> None:
    # Locked: of two owners who shut each other out at once, one stays.
    if not keeps_an_owner(accounts.lock_owners(connection), leaving.id):
        raise LastOwnerError(leaving.name)
