"""Making API clients, and new secrets: what is minted for them."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import psycopg

from tracker.actions import minting
from tracker.actions.refusals import RefusedError
from tracker.rules.accounts import AccountError, check_name
from tracker.rules.clients import Scope
from tracker.rules.keyspaces import Keyspace
from tracker.stores import clients
from tracker.stores.clients import ApiClient

SECRET_BYTES = 20


class BadClientError(RefusedError):
    """A client can't be made so; the message says why."""


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
    """Make a client; without scopes and keyspaces it gets all of them. Raises BadClientError."""
    try:
        name = check_name(name)
    except AccountError as error:
        raise BadClientError(str(error)) from None
    scopes = list(scopes)
    if not scopes:
        raise BadClientError("A client that may do nothing is of no use: choose what it may do.")
    secret = _mint()
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


def renew_secret(connection: psycopg.Connection, client: ApiClient) -> MadeClient:
    """Give a client a new secret; the one before ends, tokens that were had for it don't."""
    secret = _mint()
    clients.set_secret(connection, client.id, secret)
    return MadeClient(client, secret)


def _mint() -> str:
    return f"pts_{secrets.token_hex(SECRET_BYTES)}"
