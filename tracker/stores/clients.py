"""API clients of the sections, in PostgreSQL. Of their secrets it has the hashes only."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row


class ApiClient(msgspec.Struct, frozen=True):
    """Who may call the API, in one section. `public_id` is its `client_id`.

    scopes: values of Scope; keyspaces: short names of those it may address or see at all.
    """

    id: int
    public_id: str
    section_id: int
    name: str
    scopes: list[str]
    keyspaces: list[str]
    created_at: datetime
    revoked_at: datetime | None


_COLUMNS = "id, public_id, section_id, name, scopes, keyspaces, created_at, revoked_at"


def create(
    connection: psycopg.Connection,
    section_id: int,
    name: str,
    *,
    public_id: str,
    secret: str,
    scopes: Iterable[str],
    keyspaces: Iterable[str],
    now: datetime,
) -> ApiClient:
    """Let a client in by its secret, of which only the hash is kept."""
    with connection.cursor(row_factory=class_row(ApiClient)) as cursor:
        return cursor.execute(
            "INSERT INTO api_client (public_id, section_id, name, secret_hash, scopes, keyspaces,"  # noqa: S608
            f" created_at) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}".encode(),
            (public_id, section_id, name, _hash(secret), list(scopes), list(keyspaces), now),
        ).fetchall()[0]


def find(connection: psycopg.Connection, public_id: str) -> ApiClient | None:
    """A client that was not revoked."""
    with connection.cursor(row_factory=class_row(ApiClient)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM api_client WHERE public_id = %s"  # noqa: S608
            " AND revoked_at IS NULL".encode(),
            (public_id,),
        ).fetchone()


def has_secret(connection: psycopg.Connection, client: ApiClient, secret: str) -> bool:
    """Whether this is the client's secret; the time it takes doesn't tell how near it is."""
    row = connection.execute(
        "SELECT secret_hash FROM api_client WHERE id = %s", (client.id,)
    ).fetchone()
    return row is not None and hmac.compare_digest(bytes(row[0]), _hash(secret))


def set_secret(connection: psycopg.Connection, client_id: int, secret: str) -> None:
    """Let a client in by this secret, and no other."""
    connection.execute(
        "UPDATE api_client SET secret_hash = %s WHERE id = %s", (_hash(secret), client_id)
    )


def every(connection: psycopg.Connection, section_id: int) -> list[ApiClient]:
    """A section's clients, revoked ones too, in the order in which they were made."""
    with connection.cursor(row_factory=class_row(ApiClient)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM api_client WHERE section_id = %s ORDER BY id".encode(),  # noqa: S608
            (section_id,),
        ).fetchall()


def revoke(connection: psycopg.Connection, section_id: int, public_id: str, now: datetime) -> bool:
    """Shut a client out for good, its tokens too; False where the section has no such client."""
    revoked = connection.execute(
        "UPDATE api_client SET revoked_at = coalesce(revoked_at, %s)"
        " WHERE section_id = %s AND public_id = %s",
        (now, section_id, public_id),
    )
    return revoked.rowcount == 1


def _hash(secret: str) -> bytes:
    # A plain hash does for a secret of 160 random bits: there is no dictionary to try.
    return hashlib.sha256(secret.encode()).digest()
