"""`pintag client …`: made, listed, and shut out."""

import json

import psycopg
import pytest

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.cli.test_commands import shop as shop
from tracker.stores import clients


def made(shop: Run, *arguments: str) -> dict[str, str]:
    return dict(json.loads(shop("client", "create", "crm", "--json", *arguments)))


def test_secrets_are_kept_as_hashes_only(shop: Run, db: psycopg.Connection) -> None:
    client = made(shop)
    [(kept,)] = db.execute("SELECT secret_hash FROM api_client").fetchall()
    assert len(bytes(kept)) == 32
    assert len(client["client_secret"].removeprefix("pts_")) == 40
    assert client["client_secret"].encode() not in bytes(kept)
    assert client["client_secret"] not in shop("client", "list", "--json")


def test_a_client_may_all_unless_told_otherwise(shop: Run) -> None:
    made(shop)
    few = ("--scope", "profiles:read", "--scope", "events:write", "--keyspace", "email")
    made(shop, *few)
    first, second = json.loads(shop("client", "list", "--json"))
    assert len(first["scopes"]) == 7
    assert first["keyspaces"] == ["web", "email", "mobile", "crm-id"]
    assert second["scopes"] == ["profiles:read", "events:write"]
    assert second["keyspaces"] == ["email"]
    assert "all" in shop("client", "list")


@pytest.mark.parametrize("option", ["--scope", "--keyspace"])
def test_unknown_rights(shop: Run, option: str) -> None:
    assert "Known: " in shop("client", "create", "x", option, "all", code=2)


def test_revoking_is_for_good(shop: Run) -> None:
    client_id = made(shop)["client_id"]
    for _ in "ab":
        shop("client", "revoke", client_id)
    [client] = json.loads(shop("client", "list", "--json"))
    assert client["revoked_at"]
    assert "pintag client list" in shop("client", "revoke", "client_x", code=2)


def test_a_new_secret_ends_the_one_before(shop: Run, db: psycopg.Connection) -> None:
    first = made(shop)
    second = json.loads(shop("client", "new-secret", first["client_id"], "--json"))
    assert second["client_id"] == first["client_id"]
    client = clients.find(db, first["client_id"])
    assert client is not None
    secrets = [one["client_secret"] for one in (first, second)]
    assert [clients.has_secret(db, client, one) for one in secrets] == [False, True]
    assert "has no client 'ptc_x'" in shop("client", "new-secret", "ptc_x", code=2)


def test_what_can_do_nothing_is_not_made(shop: Run) -> None:
    assert "A name has" in shop("client", "create", " ", code=2)
