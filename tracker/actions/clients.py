"""Making an API client: the names and the secret that are minted for it."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import psycopg

from tracker.actions import minting
from tracker.rules.clients import Scope
from tracker.rules.keyspaces import Keyspace
from tracker.stores import clients
from tracker.stores.clients import ApiClient

SECRET_BYTES = 20


class MadeClient(NamedTuple):
    """A client with its secret, which nobody can look up later."""

    client: ApiClient
    secret: str


def create(
    connection: psycopg.Connection,
    section_id: int,
    name: str,
    now: datetime,
    *,
    scopes: Iterable[Scope] = tuple(Scope),
    keyspaces: Iterable[Keyspace] = tuple(Keyspace),
) -> MadeClient:
    """Make a client; without scopes and keyspaces it gets all of them."""
    secret = f"pts_{secrets.token_hex(SECRET_BYTES)}"
    client = clients.create(
        connection,
        section_id,
        name,
        public_id=minting.client_id(),
        secret=secret,
        scopes=scopes,
        keyspaces=keyspaces,
        now=now,
    )
    return MadeClient(client, secret)
