"""A profile's timeline by API."""

import json
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS
from tests.pages.signing import sign_in
from tracker.rules import ids
from tracker.stores import definitions, event_tables, sections
from tracker.stores.events import EventRow, store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
TIMELINE = "/audience/keyspaces/web/profiles/ann/sections/shop/events"


@pytest.fixture
def bookings(shop: TestClient, db: psycopg.Connection) -> None:
    """Ann booked twice."""
    shop.post(EVENTS, json={"category": "transactions", "name": "Booking"})
    section = sections.choose(db, "shop")
    definition = definitions.find(db, section.id, "booking")
    assert definition is not None
    event_tables.ensure(db, NOW)
    amounts = ["0.1234567890123456789012345678901234567", "240.50"]
    rows = [
        EventRow(
            partition=0,
            id=ids.mint(NOW_MS + number, bytes(10)),
            section_id=section.id,
            version_id=definition.versions[0].id,
            key="ann",
            event_ms=NOW_MS + number,
            received_ms=NOW_MS + number,
            data=msgspec.Raw(f'{{"source":"Website","amount":{amount}}}'.encode()),
            page="https://shop.example/<b>",
            address="192.0.2.7",
            agent="Chrome 142 on Windows",
        )
        for number, amount in enumerate(amounts)
    ]
    store(db, rows)


@pytest.fixture(autouse=True)
def reader(shop: TestClient, db: psycopg.Connection) -> None:
    """Whoever asks for pages here is signed in."""
    sign_in(db, shop)


@pytest.mark.usefixtures("bookings")
def test_the_newest_event_comes_first_with_exact_decimals(shop: TestClient) -> None:
    answer = shop.get(TIMELINE)
    assert answer.json()["identifiers"] == [{"keyspace": "web", "key": "ann"}]
    items = json.loads(answer.text, parse_float=str)["items"]
    assert {(item["address"], item["agent"]) for item in items} == {
        ("192.0.2.7", "Chrome 142 on Windows")
    }
    assert [item["data"]["amount"] for item in items] == [
        "240.50",
        "0.1234567890123456789012345678901234567",
    ]
    assert [item["event_time"] for item in items] == [
        "2026-11-23T12:00:00.001000+00:00",
        "2026-11-23T12:00:00+00:00",
    ]


@pytest.mark.usefixtures("bookings")
def test_hidden_definitions_vanish_but_nothing_is_deleted(
    shop: TestClient, db: psycopg.Connection
) -> None:
    db.execute("UPDATE definition SET hidden_at = now()")
    assert shop.get(TIMELINE).json()["items"] == []
    assert shop.get(EVENTS).json() == {"items": []}
    assert db.execute("SELECT count(*) FROM event").fetchall() == [(2,)]


@pytest.mark.usefixtures("bookings")
def test_the_page_shows_what_visitors_sent_as_text(shop: TestClient) -> None:
    page = shop.get("/sections/shop/profiles/web/ann")
    assert page.status_code == 200
    assert "240.50" in page.text
    assert "https://shop.example/&lt;b&gt;" in page.text
    assert "<b>" not in page.text


@pytest.mark.usefixtures("bookings")
def test_what_was_wrong_with_a_clock(shop: TestClient, db: psycopg.Connection) -> None:
    """Beside the corrected time, so that the one that was sent can be read."""
    assert "clock was" not in shop.get("/sections/shop/profiles/web/ann").text
    db.execute(
        "UPDATE event SET clock_ms = -7200000, sent_at = %s"
        " WHERE id = (SELECT id FROM event ORDER BY id LIMIT 1)",
        (NOW,),
    )
    second, first = shop.get(TIMELINE).json()["items"]
    assert (first["clock_ms"], first["sent_at"]) == (-7200000, "2026-11-23T12:00:00+00:00")
    assert (second["clock_ms"], second["sent_at"]) == (None, None)
    page = shop.get("/sections/shop/profiles/web/ann").text
    assert page.count(">clock was 2 h ahead<") == 1


@pytest.mark.usefixtures("bookings")
@pytest.mark.parametrize("path", ["a/sections/b%20%C3%A9", "a%2Fsections%2Fb%20%C3%A9"])
def test_a_key_with_slashes(shop: TestClient, db: psycopg.Connection, path: str) -> None:
    db.execute("UPDATE identifier SET key = 'a/sections/b é'")
    answer = shop.get(TIMELINE.replace("/ann/", f"/{path}/"))
    assert answer.json()["identifiers"] == [{"keyspace": "web", "key": "a/sections/b é"}]
    assert len(answer.json()["items"]) == 2
    assert "240.50" in shop.get(f"/sections/shop/profiles/web/{path}").text


@pytest.mark.usefixtures("bookings")
def test_the_page_knows_a_key_in_any_spelling(shop: TestClient, db: psycopg.Connection) -> None:
    db.execute("UPDATE identifier SET keyspace = 'email', key = 'ann@example.com'")
    assert "240.50" in shop.get("/sections/shop/profiles/email/Ann@Example.com").text
    assert shop.get("/sections/shop/profiles/email/ann").status_code == 404
    assert shop.get("/sections/shop/profiles/postcode/ann").status_code == 404


def test_nobody(shop: TestClient) -> None:
    assert shop.get(TIMELINE).status_code == 404
    assert shop.get("/sections/shop/profiles/web/ann").status_code == 404
    assert shop.get("/sections/shop/profiles/web/ann/timeline").status_code == 200
    assert shop.get("/sections/nowhere/profiles/web/ann").status_code == 404
