"""API clients are made, given new secrets and revoked by those who own all sections."""

import re

import psycopg
import pytest

from tests.pages.conftest import Person, SignIn
from tests.pages.test_accounts import done
from tracker.stores import audit_log, clients, sections
from tracker.stores.clients import ApiClient

ROOT = "/settings/clients"


@pytest.fixture
def olga(sign_in: SignIn) -> Person:
    """She owns all sections."""
    return sign_in(section=None, name="Olga")


def of_shop(db: psycopg.Connection) -> list[ApiClient]:
    return clients.every(db, sections.choose(db, "shop").id)


def secret_in(text: str) -> str:
    (secret,) = re.findall(r"pts_[0-9a-f]{40}", text)
    return str(secret)


def make(olga: Person) -> str:
    """Make a client of the shop; returns its page."""
    scopes = ["profiles:read", "events:write"]
    return olga.post(ROOT, name="CRM", section="shop", scope=scopes, keyspace=["email"])[1]


def test_a_client_is_made_and_its_secret_shown_once(olga: Person, db: psycopg.Connection) -> None:
    secret = secret_in(make(olga))
    (client,) = of_shop(db)
    assert (client.scopes, client.keyspaces) == (["profiles:read", "events:write"], ["email"])
    assert clients.has_secret(db, client, secret)
    assert done(db) == ("Olga", "made the API client", "CRM")
    assert audit_log.newest(db)[0].section == "shop"
    _, text = olga.get(ROOT)
    assert client.public_id in text
    assert "pts_" not in text


@pytest.mark.parametrize(
    ("name", "scopes", "says"),
    [(" ", ["events:write"], "A name has"), ("CRM", ["everything"], "choose what it may do")],
)
def test_what_can_not_be_made_is_said(
    olga: Person, db: psycopg.Connection, name: str, scopes: list[str], says: str
) -> None:
    status, text = olga.post(ROOT, name=name, section="shop", scope=scopes, keyspace=["email"])
    assert status == 422
    assert says in text
    assert 'value="email" checked' in text
    assert 'value="web" checked' not in text
    assert of_shop(db) == []


def test_a_new_secret_ends_the_one_before(olga: Person, db: psycopg.Connection) -> None:
    first = secret_in(make(olga))
    (client,) = of_shop(db)
    second = secret_in(olga.post(f"{ROOT}/{client.public_id}/secret")[1])
    assert [clients.has_secret(db, client, one) for one in (first, second)] == [False, True]
    assert done(db) == ("Olga", "gave a new secret to the API client", "CRM")


def test_who_is_revoked_is_so_for_good(olga: Person, db: psycopg.Connection) -> None:
    make(olga)
    address = f"{ROOT}/{of_shop(db)[0].public_id}"
    _, text = olga.post(f"{address}/revoke")
    assert "CRM is revoked" in text
    assert done(db) == ("Olga", "revoked the API client", "CRM")
    for what in ("secret", "revoke"):
        assert olga.post(f"{address}/{what}")[0] == 404
