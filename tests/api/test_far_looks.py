"""Questions about very many events: few at once, and none for ever."""

from contextlib import ExitStack

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS
from tests.api.test_events import create
from tests.pages import signing
from tracker.actions import looking
from tracker.rules.accounts import Role

BOOKED = f"{EVENTS}/booking"
FIELDS = {"fields": [{"key": "source", "type": "text", "required": True}]}


def asked(shop: TestClient) -> list[tuple[int, str]]:
    """How a check and the pages are answered, and when to come again."""
    answers = shop.post(f"{BOOKED}/check", json=FIELDS), shop.get(f"{BOOKED}/pages")
    return [(answer.status_code, answer.headers.get("retry-after", "")) for answer in answers]


def test_few_look_far_at_once(shop: TestClient) -> None:
    create(shop)
    with ExitStack() as others:
        for _ in range(looking.AT_ONCE):
            others.enter_context(looking.turns.take())
        assert asked(shop) == [(503, "5")] * 2
    assert asked(shop) == [(200, "")] * 2


def test_one_that_takes_too_long_is_given_up(
    shop: TestClient, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(shop)
    monkeypatch.setattr(looking, "SECONDS", 0.1)
    with db.transaction():
        db.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        assert asked(shop) == [(503, "5")] * 2
        detail = shop.get(f"{BOOKED}/pages").json()["detail"]
    assert "took more than 0.1 seconds" in detail
    assert asked(shop) == [(200, "")] * 2


def test_an_event_s_page_that_looks_further(shop: TestClient, db: psycopg.Connection) -> None:
    create(shop)
    signing.sign_in(db, shop, Role.OWNER)
    page = "/sections/shop/events/booking"
    with ExitStack() as others:
        for _ in range(looking.AT_ONCE):
            others.enter_context(looking.turns.take())
        assert shop.get(page).status_code == 200
        answer = shop.get(f"{page}?look=further")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Too many ask for this" in answer.text
    assert shop.get(f"{page}?look=further").status_code == 200
