"""The pages on real stores: two sections, and people with a role in one of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from redis import Redis
from starlette.testclient import TestClient

from tests.pages import signing
from tracker.actions import saving
from tracker.api.app import make_app
from tracker.pages import password
from tracker.pages.sign_in import attempts
from tracker.pages.visit import csrf_token
from tracker.rules.accounts import Role
from tracker.rules.definitions import Category, Draft
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition

PASSWORD = signing.PASSWORD


class Person:
    """Somebody's browser; `csrf` is what the forms of their session carry."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.csrf = csrf_token(token)

    def get(self, address: str) -> tuple[int, str]:
        answer = self.client.get(address)
        return answer.status_code, answer.text

    def post(self, address: str, **form: str | list[str]) -> tuple[int, str]:
        """Send a form; what it leads to is opened."""
        answer = self.client.post(address, data={"csrf": self.csrf, **form})
        return answer.status_code, answer.text


SignIn = Callable[..., Person]


@pytest.fixture
def stranger(settings: Settings, db: psycopg.Connection) -> Iterator[TestClient]:
    """A browser that is not signed in, of an installation with two sections: shop and hotel."""
    # A process counts them, and all tests of this one are about the same few names.
    for counted in (attempts, password.attempts):
        counted.forget()
    for slug in ("shop", "hotel"):
        sections.create(db, slug, slug.title(), [], strict_origin=False)
    with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def sign_in(stranger: TestClient, db: psycopg.Connection) -> SignIn:
    """Make an account with a role in a section (None: in all), and sign it in."""

    def make(
        role: Role = Role.OWNER,
        section: str | None = "shop",
        name: str = "",
        *,
        password: bool = False,
    ) -> Person:
        section_id = sections.choose(db, section).id if section else None
        client = TestClient(stranger.app, base_url="http://127.0.0.1")
        name = name or f"{role} of {section}"
        token = signing.sign_in(db, client, role, section_id, name, password=password)
        return Person(client, token)

    return make


@pytest.fixture
def owner(sign_in: SignIn) -> Person:
    """The owner of the shop, who has no role in the hotel."""
    return sign_in()


@pytest.fixture
def booking(db: psycopg.Connection, redis: Redis) -> None:
    """Booking, tracked, in the shop; Ann, who is known by her visitor id."""
    section, now = sections.choose(db, "shop"), datetime.now(UTC)
    draft = Draft(category=Category.TRANSACTIONS, name="Booking")
    made = saving.create(db, section.id, draft, now)
    tracking.switch_on(db, redis, made, now)
    db.execute(
        "WITH ann AS (INSERT INTO profile (section_id, created_at) VALUES (%s, %s) RETURNING id)"
        " INSERT INTO identifier (section_id, profile_id, keyspace, key, created_at)"
        " SELECT %s, id, 'web', 'ann', %s FROM ann",
        (section.id, now, section.id, now),
    )


@pytest.fixture
def event(db: psycopg.Connection, booking: None) -> Definition:
    """Booking, as it is."""
    found = definitions.find(db, sections.choose(db, "shop").id, "booking")
    assert found is not None
    return found
