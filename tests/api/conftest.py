"""The web process's application on real stores, and a client with the key of one section."""

from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from tracker.api.app import make_app
from tracker.settings import Settings
from tracker.stores import sections

KEY = "ptk_of_the_shop"
EVENTS = "/audience/sections/shop/events"


@pytest.fixture
def anonymous(settings: Settings, db: psycopg.Connection) -> Iterator[TestClient]:
    """A client without a key, of an installation with two sections: shop and hotel."""
    for slug in ("shop", "hotel"):
        sections.create(db, slug, slug.title(), [], strict_origin=False)
    sections.add_api_key(db, sections.choose(db, "shop").id, "test", KEY)
    with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def shop(anonymous: TestClient) -> TestClient:
    """A client with the key of the section `shop`."""
    anonymous.headers["Authorization"] = f"Bearer {KEY}"
    return anonymous
