"""Accounts with roles, one-time links and sessions, in PostgreSQL; of tokens the hashes."""

import hashlib
from datetime import datetime, timedelta

import msgspec
import psycopg
from psycopg.rows import class_row

from tracker.rules.accounts import SESSION_IDLE, SESSION_LIFE, Role


class Account(msgspec.Struct, frozen=True):
    """Somebody who may sign in. roles: by section id, None for every section."""

    id: int
    name: str
    has_password: bool
    created_at: datetime
    disabled_at: datetime | None
    roles: dict[int | None, Role] = {}


_COLUMNS = "a.id, a.name, a.password_hash IS NOT NULL AS has_password, a.created_at, a.disabled_at"
USED_EVERY = timedelta(minutes=1)
"""How often it is noted that a session is used."""


def create(
    connection: psycopg.Connection, name: str, role: Role, section_id: int | None, now: datetime
) -> Account | None:
    """Make an account without a password, with a role in a section or in all; None if it exists."""
    with connection.transaction():
        made = connection.execute(
            "INSERT INTO account (name, created_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"
            " RETURNING id",
            (name, now),
        ).fetchone()
        if made is None:
            return None
        set_role(connection, made[0], section_id, role)
    return find(connection, name)


def set_role(
    connection: psycopg.Connection, account_id: int, section_id: int | None, role: Role | None
) -> None:
    """Give an account a role in a section, or in all; None takes it away."""
    if role is None:
        connection.execute(
            "DELETE FROM membership WHERE account_id = %s AND section_id IS NOT DISTINCT FROM %s",
            (account_id, section_id),
        )
        return
    connection.execute(
        "INSERT INTO membership (account_id, section_id, role) VALUES (%s, %s, %s)"
        " ON CONFLICT (account_id, section_id) DO UPDATE SET role = excluded.role",
        (account_id, section_id, role),
    )


def every(connection: psycopg.Connection) -> list[Account]:
    """All accounts, disabled ones too, by name."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        found = cursor.execute(f"SELECT {_COLUMNS} FROM account a ORDER BY lower(a.name)".encode())  # noqa: S608
        return [_with_roles(connection, account) for account in found.fetchall()]


def find(connection: psycopg.Connection, name: str) -> Account | None:
    """The account of this name, which may be anything that somebody typed."""
    return _one(connection, "name", name) if name.isprintable() else None


def of_id(connection: psycopg.Connection, account_id: int) -> Account | None:
    """The account of this id."""
    return _one(connection, "id", account_id)


def _one(connection: psycopg.Connection, column: str, value: object) -> Account | None:
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        query = f"SELECT {_COLUMNS} FROM account a WHERE a.{column} = %s"  # noqa: S608
        account = cursor.execute(query.encode(), (value,)).fetchone()
    return account and _with_roles(connection, account)


def lock_owners(connection: psycopg.Connection) -> list[int]:
    """The ids of those who own all sections and can sign in; they stay so in this transaction."""
    rows = connection.execute(
        "SELECT a.id FROM account a JOIN membership m ON m.account_id = a.id"
        " WHERE m.section_id IS NULL AND m.role = %s"
        " AND a.disabled_at IS NULL AND a.password_hash IS NOT NULL ORDER BY a.id FOR UPDATE",
        (Role.OWNER,),
    )
    return [id_ for (id_,) in rows]


def last_used(connection: psycopg.Connection) -> dict[int, datetime]:
    """When each account was used last, as far as its sessions and the audit log tell."""
    rows = connection.execute(
        "SELECT a.id, greatest(s.at, l.at) FROM account a"
        " LEFT JOIN (SELECT account_id, max(used_at) AS at FROM session GROUP BY 1) s"
        " ON s.account_id = a.id"
        " LEFT JOIN (SELECT account, max(at) AS at FROM audit_log GROUP BY 1) l"
        " ON l.account = a.name WHERE greatest(s.at, l.at) IS NOT NULL"
    )
    return dict(rows.fetchall())


def _with_roles(connection: psycopg.Connection, account: Account) -> Account:
    rows = connection.execute(
        "SELECT section_id, role FROM membership WHERE account_id = %s", (account.id,)
    )
    return msgspec.structs.replace(account, roles={id_: Role(role) for id_, role in rows})


def password_hash(
    connection: psycopg.Connection, account_id: int, *, lock: bool = False
) -> str | None:
    """What is kept of the password; None where there is none, or the account is disabled.

    lock: it stays so in this transaction.
    """
    query = "SELECT password_hash FROM account WHERE id = %s AND disabled_at IS NULL"
    row = connection.execute(
        f"{query} FOR UPDATE".encode() if lock else query, (account_id,)
    ).fetchone()
    return row[0] if row else None


def set_password(connection: psycopg.Connection, account_id: int, hashed: str) -> None:
    """Change the password: all sessions and one-time links end."""
    with connection.transaction():
        connection.execute(
            "UPDATE account SET password_hash = %s WHERE id = %s", (hashed, account_id)
        )
        connection.execute("DELETE FROM session WHERE account_id = %s", (account_id,))
        connection.execute("DELETE FROM one_time_link WHERE account_id = %s", (account_id,))


def disable(connection: psycopg.Connection, account_id: int, now: datetime) -> bool:
    """Shut an account out at once; False if it is already."""
    with connection.transaction():
        done = connection.execute(
            "UPDATE account SET disabled_at = %s WHERE id = %s AND disabled_at IS NULL",
            (now, account_id),
        )
        connection.execute("DELETE FROM session WHERE account_id = %s", (account_id,))
        connection.execute("DELETE FROM one_time_link WHERE account_id = %s", (account_id,))
    return done.rowcount == 1


def enable(connection: psycopg.Connection, account_id: int) -> bool:
    """Let an account in again, with the password that it had; False if it is not shut out."""
    done = connection.execute(
        "UPDATE account SET disabled_at = NULL WHERE id = %s AND disabled_at IS NOT NULL",
        (account_id,),
    )
    return done.rowcount == 1


# -- one-time links


def add_link(
    connection: psycopg.Connection, account_id: int, token: str, expires_at: datetime
) -> None:
    """Let whoever has this token choose the account's password, in place of earlier tokens."""
    with connection.transaction():
        connection.execute("DELETE FROM one_time_link WHERE account_id = %s", (account_id,))
        connection.execute(
            "INSERT INTO one_time_link (token_hash, account_id, expires_at) VALUES (%s, %s, %s)",
            (_hash(token), account_id, expires_at),
        )


def of_link(connection: psycopg.Connection, token: str, now: datetime) -> Account | None:
    """Whose link this is, if it can still be used."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        query = (
            f"SELECT {_COLUMNS} FROM account a JOIN one_time_link l ON l.account_id = a.id"  # noqa: S608
            " WHERE l.token_hash = %s AND l.expires_at > %s AND a.disabled_at IS NULL"
        )
        return cursor.execute(query.encode(), (_hash(token), now)).fetchone()


def use_link(connection: psycopg.Connection, token: str) -> bool:
    """End a link; False if somebody else has just used it."""
    done = connection.execute("DELETE FROM one_time_link WHERE token_hash = %s", (_hash(token),))
    return done.rowcount == 1


# -- sessions


def begin_session(
    connection: psycopg.Connection, account_id: int, token: str, now: datetime
) -> None:
    """Keep somebody signed in who has this token; sessions that are over are forgotten."""
    connection.execute(
        "DELETE FROM session WHERE created_at < %s OR used_at < %s",
        (now - SESSION_LIFE, now - SESSION_IDLE),
    )
    connection.execute(
        "INSERT INTO session (token_hash, account_id, created_at, used_at) VALUES (%s, %s, %s, %s)",
        (_hash(token), account_id, now, now),
    )


def of_session(connection: psycopg.Connection, token: str, now: datetime) -> Account | None:
    """Who is signed in by this token, whose use is noted."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        query = (
            f"SELECT {_COLUMNS} FROM account a JOIN session s ON s.account_id = a.id"  # noqa: S608
            " WHERE s.token_hash = %s AND s.created_at > %s AND s.used_at > %s"
            " AND a.disabled_at IS NULL"
        )
        ends = (now - SESSION_LIFE, now - SESSION_IDLE)
        account = cursor.execute(query.encode(), (_hash(token), *ends)).fetchone()
    if account is None:
        return None
    connection.execute(
        "UPDATE session SET used_at = %s WHERE token_hash = %s AND used_at < %s",
        (now, _hash(token), now - USED_EVERY),
    )
    return _with_roles(connection, account)


def end_session(connection: psycopg.Connection, token: str) -> None:
    """Sign out."""
    connection.execute("DELETE FROM session WHERE token_hash = %s", (_hash(token),))


def other_sessions(
    connection: psycopg.Connection, account_id: int, token: str, now: datetime
) -> list[datetime]:
    """When the account's sessions but this one were used last, the newest first."""
    rows = connection.execute(
        "SELECT used_at FROM session WHERE account_id = %s AND token_hash <> %s"
        " AND created_at > %s AND used_at > %s ORDER BY used_at DESC",
        (account_id, _hash(token), now - SESSION_LIFE, now - SESSION_IDLE),
    )
    return [at for (at,) in rows]


def end_other_sessions(connection: psycopg.Connection, account_id: int, token: str) -> None:
    """Sign the account out everywhere but here."""
    connection.execute(
        "DELETE FROM session WHERE account_id = %s AND token_hash <> %s", (account_id, _hash(token))
    )


def say(connection: psycopg.Connection, token: str, text: str) -> None:
    """Have the session's next page say this."""
    connection.execute("UPDATE session SET said = %s WHERE token_hash = %s", (text, _hash(token)))


def hear(connection: psycopg.Connection, token: str) -> str | None:
    """What the session's next page is to say; it says it once."""
    row = connection.execute(
        "UPDATE session s SET said = NULL FROM session b WHERE s.token_hash = %s"
        " AND b.token_hash = s.token_hash AND s.said IS NOT NULL RETURNING b.said",
        (_hash(token),),
    ).fetchone()
    return row[0] if row else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
