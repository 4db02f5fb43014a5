"""PostgreSQL or Redis is away: pages say so calmly, or show what they can without it."""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from redis import Redis
from starlette.testclient import TestClient

from tests.pages import signing
from tests.pages.conftest import Person
from tests.pages.kept import ROOT, choice
from tests.worker.cast import Harbour, drain, hit, track
from tracker.api.app import make_app
from tracker.pages import page
from tracker.pages.visit import csrf_token
from tracker.rules.accounts import Role
from tracker.settings import Settings
from tracker.stores import audit_log, definitions

NOWHERE = "127.0.0.1:1"
EVENT = f"{ROOT}/events/booking"


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with a rejected booking."""
    booking, key = track(db, redis, "harbour")
    harbour = Harbour(settings, db, redis, booking, key)
    harbour.send(hit(data={}))
    drain(harbour)
    return harbour


@pytest.fixture
def owner(harbour: Harbour) -> Iterator[Person]:
    """The harbour's owner, on a web process whose Redis is away."""
    app = make_app(dataclasses.replace(harbour.settings, redis_url=f"redis://{NOWHERE}"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        section_id = harbour.booking.section_id
        token = signing.sign_in(harbour.db, client, Role.OWNER, section_id, "Ann", password=False)
        yield Person(client, token)


def test_a_page_that_is_nothing_without_redis(owner: Person) -> None:
    answer = owner.client.get(f"{ROOT}/jobs/some-replay")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["cache-control"] == "no-store"
    assert "Redis is away</h1>" in answer.text
    assert "Nothing that was saved is lost" in answer.text
    assert "Load it again" in answer.text
    assert "Your account: Ann" in answer.text


def test_the_quarantine_is_shown_and_can_be_discarded_without_redis(
    harbour: Harbour, owner: Person
) -> None:
    status, text = owner.get(f"{ROOT}/quarantine")
    assert status == 200
    assert "Redis is away: " in text
    assert text.count('class="group"') == 1
    assert "No jobs process is running" not in text
    chosen = choice(text)
    status, text = owner.post(f"{ROOT}/quarantine/replay", **chosen)
    assert status == 503
    assert "go back and look before you send it again" in text
    assert audit_log.newest(harbour.db, harbour.booking.section_id) == []
    assert owner.post(f"{ROOT}/quarantine/discard", sure="yes", **chosen)[0] == 200
    assert harbour.quarantined() == []


def test_an_event_s_page_shows_what_postgresql_has(owner: Person) -> None:
    status, text = owner.get(EVENT)
    assert status == 200
    assert text.count("Redis is away") == 1
    assert 'id="snippet-text"' in text
    assert 'data-place=""' in text
    assert '<span class="quiet">unknown</span>' in text
    assert owner.get(f"{EVENT}/trials?after=0-0")[0] == 503


def test_web_tracking_is_switched_without_redis(owner: Person, harbour: Harbour) -> None:
    for to in ("off", "on"):
        status, text = owner.post(f"{EVENT}/tracking", to=to, sure="yes")
        assert status == 200
        assert f"Web tracking is {to}. Collectors hear of it as soon as Redis is back." in text
        assert definitions.get(harbour.db, harbour.booking.id).web_tracking is (to == "on")


def test_a_postgresql_whose_connections_are_taken_is_busy_and_not_away(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PATIENCE", 0.1)
    app = make_app(harbour.settings)
    with TestClient(app, base_url="http://127.0.0.1") as client, ExitStack() as taken:
        for _ in range(app.state.pool.max_size):
            taken.enter_context(app.state.pool.connection())
        answer = client.get(f"{ROOT}/quarantine")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Too much at once</h1>" in answer.text
    assert "away" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_postgresql_nobody_is_signed_in_and_nothing_is_forgotten(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(page, "PATIENCE", 0.1)
    app = make_app(dataclasses.replace(settings, database_url=f"postgresql://{NOWHERE}/x"))
    with TestClient(app, base_url="http://127.0.0.1", cookies={page.COOKIE: "x"}) as client:
        where = f"{ROOT}/quarantine" if method == "GET" else f"{ROOT}/quarantine/replay"
        answer = client.request(method, where, data={"csrf": csrf_token("x")})
    assert answer.status_code == 503
    assert "PostgreSQL is away</h1>" in answer.text
    assert ("Load it again" in answer.text) is (method == "GET")
    assert "set-cookie" not in answer.headers
    assert "Your account" not in answer.text
