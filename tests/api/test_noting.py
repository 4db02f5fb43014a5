"""What API clients change is in the section's audit log, with their names."""

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS
from tests.api.test_events import create
from tracker.stores import audit_log

BOOKED = f"{EVENTS}/booking"
ANN = "/audience/keyspaces/web/profiles/ann"


def written(db: psycopg.Connection) -> list[tuple[str, str]]:
    found = audit_log.newest(db)[::-1]
    assert {(one.account, one.section) for one in found} == {("api:test", "shop")}
    return [(one.action, one.subject) for one in found]


def test_definitions(shop: TestClient, db: psycopg.Connection) -> None:
    create(shop)
    for _ in range(2):  # the second time it is on already
        assert shop.put(f"{BOOKED}/web-tracking", json={"on": True}).status_code == 200
    assert shop.post(f"{BOOKED}/snippets/regenerate", json={}).status_code == 200
    assert shop.put(f"{BOOKED}/allowed-operations", json={"deny": ["email:read"]}).is_success
    assert shop.put(f"{BOOKED}/retention", json={"ttl_days": None}).status_code == 200
    assert shop.patch(BOOKED, json={"description": "A stay."}).status_code == 200
    assert shop.patch(BOOKED, json={"description": "Two."}).status_code == 409  # it is locked
    assert shop.post(f"{BOOKED}/hide").status_code == 204
    assert written(db) == [
        ("created the event", "Booking"),
        ("switched on web tracking of", "Booking"),
        ("regenerated the snippets of", "Booking"),
        ("set the allowed operations of", "Booking: denied are email:read"),
        ("set how long events live of", "Booking: for ever"),
        ("edited the event", "Booking"),
        ("hid the event", "Booking"),
    ]


@pytest.mark.usefixtures("cast")
def test_persons(shop: TestClient, db: psycopg.Connection) -> None:
    export = shop.post(f"{ANN}/exports").json()["id"]
    erasure = shop.delete(ANN).json()["id"]
    assert shop.delete("/audience/keyspaces/web/profiles/nobody").status_code == 404
    assert written(db) == [("exported a profile", export), ("erased a profile", erasure)]
