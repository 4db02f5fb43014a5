"""The web process's application on real stores, and clients of its section `shop`."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from redis import Redis
from starlette.testclient import TestClient

from tracker.actions import clients as making
from tracker.actions import saving
from tracker.api import tokens
from tracker.api.app import make_app
from tracker.rules.clients import Scope
from tracker.rules.definitions import Category, Draft
from tracker.rules.keyspaces import Keyspace
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import sections
from tracker.vault import Vault

EVENTS = "/audience/sections/shop/events"
Made = dict[str, str]
MakeClient = Callable[..., Made]


@pytest.fixture
def anonymous(settings: Settings, db: psycopg.Connection) -> Iterator[TestClient]:
    """A client without a token, of an installation with two sections: shop and hotel."""
    for slug in ("shop", "hotel"):
        sections.create(db, slug, slug.title(), [], strict_origin=False)
    with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def make_client(settings: Settings, db: psycopg.Connection, anonymous: TestClient) -> MakeClient:
    """Make an API client; returns its id, its secret, and the headers that it sends."""

    def make(
        section: str = "shop",
        scopes: Iterable[Scope] = tuple(Scope),
        keyspaces: Iterable[Keyspace] = tuple(Keyspace),
    ) -> Made:
        owner, now = sections.choose(db, section), datetime.now(UTC)
        made = making.create(db, owner.id, "test", now, scopes=scopes, keyspaces=keyspaces)
        token, _ = tokens.mint(Vault(settings), made.client.public_id, now)
        return {
            "client_id": made.client.public_id,
            "client_secret": made.secret,
            "Authorization": f"Bearer {token}",
        }

    return make


@pytest.fixture
def shop(anonymous: TestClient, make_client: MakeClient) -> TestClient:
    """A client of the section `shop` that may do all."""
    anonymous.headers["Authorization"] = make_client()["Authorization"]
    return anonymous


@pytest.fixture
def cast(anonymous: TestClient, db: psycopg.Connection, redis: Redis) -> None:
    """Booking, tracked; Ann, who is known by her visitor id."""
    section, now = sections.choose(db, "shop"), datetime.now(UTC)
    draft = Draft(category=Category.TRANSACTIONS, name="Booking")
    booking = saving.create(db, section.id, draft, now)
    tracking.switch_on(db, redis, booking, now)
    db.execute(
        "WITH ann AS (INSERT INTO profile (section_id, created_at) VALUES (%s, %s) RETURNING id)"
        " INSERT INTO identifier (section_id, profile_id, keyspace, key, created_at)"
        " SELECT %s, id, 'web', 'ann', %s FROM ann",
        (section.id, now, section.id, now),
    )
