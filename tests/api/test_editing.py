"""The life of a definition by API: edit, compare, check, rights, retention, hide."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from redis import Redis
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS
from tests.api.test_events import BOOKING, create, states
from tracker.api.app import make_app
from tracker.settings import Settings

BOOKED = f"{EVENTS}/booking"
SOURCE = {"key": "source", "type": "text", "required": True}
ROOM = {"key": "room", "type": "integer"}


@pytest.fixture
def hasty(settings: Settings, shop: TestClient) -> Iterator[TestClient]:
    """A client of an installation whose cooldown takes no time; it has the event Booking."""
    create(shop)
    app = make_app(dataclasses.replace(settings, cooldown=0))
    with TestClient(app, base_url="http://127.0.0.1", headers=dict(shop.headers)) as client:
        yield client


def kinds(changes: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(change["kind"], change["field"]) for change in changes}


def test_an_edit_of_fields_makes_a_version_for_later(shop: TestClient) -> None:
    before = create(shop)
    answer = shop.patch(BOOKED, json={"fields": [SOURCE, ROOM], "based_on": before["edits"]})
    edited = answer.json()
    assert answer.status_code == 200
    assert edited["saved"]
    assert ("added", "room") in kinds(edited["changes"]["fields"])
    event = shop.get(BOOKED).json()
    assert edited["event"] == event
    assert event["edits"] == 1
    current, new = event["versions"]
    assert (current["number"], current["deprecated_at"]) == (1, None)
    assert (new["id"], new["deprecated_at"]) == (edited["version_id"], None)
    assert new["usable_from"] == event["locked_until"]
    wait = datetime.fromisoformat(new["usable_from"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


def test_the_newest_usable_version_comes_first(hasty: TestClient) -> None:
    hasty.patch(BOOKED, json={"fields": [SOURCE, ROOM]})
    current, old = hasty.get(BOOKED).json()["versions"]
    assert (current["number"], current["deprecated_at"]) == (2, None)
    assert (old["number"], old["deprecated_at"]) == (1, current["usable_from"])


def test_an_edit_that_changes_nothing_locks_nothing(shop: TestClient) -> None:
    create(shop)
    edited = shop.patch(BOOKED, json={"name": "Booking"}).json()
    assert (edited["saved"], edited["version_id"]) == (False, None)
    assert edited["event"]["locked_until"] is None


def test_a_locked_definition_says_until_when(shop: TestClient) -> None:
    create(shop)
    locked = shop.patch(BOOKED, json={"name": "Stay"}).json()["event"]["locked_until"]
    answer = shop.patch(BOOKED, json={"name": "Night"})
    assert answer.status_code == 409
    assert answer.json()["locked_until"] == locked
    assert "can be edited again" in answer.json()["detail"]
    assert 3_000 < int(answer.headers["Retry-After"]) <= 3_600


def test_of_two_edits_the_second_hears_of_the_first(hasty: TestClient) -> None:
    assert hasty.patch(BOOKED, json={"name": "Stay", "based_on": 0}).status_code == 200
    answer = hasty.patch(BOOKED, json={"name": "Night", "based_on": 0})
    problem = answer.json()
    assert (answer.status_code, problem["edits"]) == (409, 1)
    assert problem["changes"]["name"] == {"before": "Booking", "after": "Stay"}


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"name": "", "fields": [{"key": "1st", "type": "x"}]}, {"name", "fields[0].key"}),
        ({"category": "signals"}, {"category"}),
        ({"based_on": 9}, {"based_on"}),
        ([], {""}),
    ],
)
def test_all_that_is_wrong_with_an_edit(shop: TestClient, sent: object, fields: set[str]) -> None:
    create(shop)
    answer = shop.patch(BOOKED, json=sent)
    assert answer.status_code == 422
    assert fields <= {error["field"] for error in answer.json()["errors"]}


def test_a_name_that_another_event_has(shop: TestClient) -> None:
    create(shop)
    create(shop, name="Stay")
    assert shop.patch(BOOKED, json={"name": "Stay"}).status_code == 409
    assert "'Stay'" in shop.post(EVENTS, json={**BOOKING, "name": "Stay"}).json()["detail"]


def test_a_diff_says_whether_old_hits_fit(hasty: TestClient) -> None:
    hasty.patch(BOOKED, json={"fields": [SOURCE, ROOM]})
    newest = hasty.get(f"{BOOKED}/diff").json()
    assert newest == hasty.get(f"{BOOKED}/diff", params={"from": 1, "to": 2}).json()
    assert (newest["from"]["number"], newest["to"]["number"], newest["fits"]) == (1, 2, False)
    back = hasty.get(f"{BOOKED}/diff", params={"from": newest["to"]["id"], "to": "1"}).json()
    assert ("removed", "room") in kinds(back["changes"])
    assert hasty.get(f"{BOOKED}/diff", params={"from": "7"}).status_code == 404


def test_a_check_saves_nothing(shop: TestClient) -> None:
    before = create(shop)
    checked = shop.post(f"{BOOKED}/check", json={"fields": [SOURCE, ROOM]}).json()
    assert (checked["checked"], checked["rejected"], checked["whole"]) == (0, 0, True)
    assert shop.get(BOOKED).json() == before
    for wrong in ({"fields": [ROOM]}, {}, {"fields": [SOURCE], "hits": 0}, {"fields": "x"}):
        assert shop.post(f"{BOOKED}/check", json=wrong).status_code == 422


def test_snippets_of_versions(hasty: TestClient) -> None:
    hasty.put(f"{BOOKED}/web-tracking", json={"on": True})
    hasty.patch(BOOKED, json={"fields": [SOURCE, ROOM]})
    new, old = hasty.get(f"{BOOKED}/snippets").json()["items"]
    assert (new["version_number"], old["version_number"]) == (2, 1)
    assert (new["lost"], old["lost"]) == (0, 0)
    for params, key in (({}, new["key"]), ({"version": "1"}, old["key"])):
        assert f"/v1/{key}" in hasty.get(f"{BOOKED}/snippet", params=params).json()["html"]
    by_id = hasty.get(f"{BOOKED}/snippet", params={"version": old["version_id"]}).json()
    assert by_id["version_id"] == old["version_id"]
    assert hasty.get(f"{BOOKED}/snippet", params={"version": "7"}).status_code == 404


def test_a_version_that_was_never_tracked(hasty: TestClient) -> None:
    hasty.patch(BOOKED, json={"fields": [SOURCE, ROOM]})
    hasty.put(f"{BOOKED}/web-tracking", json={"on": True})
    answer = hasty.get(f"{BOOKED}/snippet", params={"version": "1"})
    assert answer.status_code == 409
    assert "web tracking was off" in answer.json()["detail"]


def test_regenerating_with_new_keys(shop: TestClient) -> None:
    create(shop)
    assert shop.post(f"{BOOKED}/snippets/regenerate", json={}).status_code == 409
    key = shop.put(f"{BOOKED}/web-tracking", json={"on": True}).json()["snippet_key"]
    [same] = shop.post(f"{BOOKED}/snippets/regenerate", json={}).json()["items"]
    assert (same["key"], same["retires_at"]) == (key, None)
    sent = {"rotate_key": True, "grace_days": 0}
    new, old = shop.post(f"{BOOKED}/snippets/regenerate", json=sent).json()["items"]
    assert (old["key"], old["retires_at"] is None) == (key, False)
    assert shop.get(f"{BOOKED}/web-tracking").json()["snippet_key"] == new["key"] != key
    assert shop.get(f"{BOOKED}/snippets").json()["items"] == [new, old]
    for days in (-1, 3_651, "x"):
        wrong = {"rotate_key": True, "grace_days": days}
        assert shop.post(f"{BOOKED}/snippets/regenerate", json=wrong).status_code == 422


def test_ending_one_key_of_an_earlier_version(hasty: TestClient) -> None:
    key = hasty.put(f"{BOOKED}/web-tracking", json={"on": True}).json()["snippet_key"]
    hasty.patch(BOOKED, json={"fields": [SOURCE, ROOM]})
    sent = {"rotate_key": True, "grace_days": 0, "key": key}
    new, old = hasty.post(f"{BOOKED}/snippets/regenerate", json=sent).json()["items"]
    assert (new["version_number"], new["retires_at"]) == (2, None)
    assert (old["key"], old["retires_at"] is None) == (key, False)
    answer = hasty.get(f"{BOOKED}/snippet", params={"version": "1"})
    assert answer.status_code == 409
    assert "its key was ended" in answer.json()["detail"]


def test_a_key_to_end_must_be_the_events_own_and_rotated(shop: TestClient) -> None:
    create(shop)
    key = shop.put(f"{BOOKED}/web-tracking", json={"on": True}).json()["snippet_key"]
    before = shop.get(f"{BOOKED}/snippets").json()
    for sent, told in (
        ({"rotate_key": True, "key": "k" * 20}, "No snippet of 'Booking' has this key."),
        ({"key": key}, "A `key` goes with `rotate_key`."),
    ):
        answer = shop.post(f"{BOOKED}/snippets/regenerate", json=sent)
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error["field"] == "key"
        assert error["message"].startswith(told)
    assert shop.get(f"{BOOKED}/snippets").json() == before


def test_pages(shop: TestClient) -> None:
    create(shop)
    assert shop.get(f"{BOOKED}/pages").json()["pages"] == []


def test_allowed_operations(shop: TestClient) -> None:
    create(shop)
    where = f"{BOOKED}/allowed-operations"
    denied = shop.put(where, json={"deny": ["email:read", "com.pintag.keyspaces.crm-id:write"]})
    rights: dict[str, Any] = denied.json()["keyspaces"]
    assert rights["com.pintag.keyspaces.email"] == {"read": False, "write": True}
    assert rights["com.pintag.keyspaces.crm-id"] == {"read": True, "write": False}
    again = shop.put(where, json={"allow": ["email:read"]}).json()["keyspaces"]
    assert again["com.pintag.keyspaces.email"] == {"read": True, "write": True}
    assert again["com.pintag.keyspaces.crm-id"] == {"read": True, "write": False}
    assert shop.put(where, json={"deny": ["fax:read"]}).json()["errors"][0]["field"] == "deny[0]"


def test_retention(shop: TestClient) -> None:
    create(shop)
    for days in (30, None):
        assert shop.put(f"{BOOKED}/retention", json={"ttl_days": days}).json()["ttl_days"] == days
    assert shop.put(f"{BOOKED}/retention", json={"ttl_days": 0}).status_code == 422


def test_hiding_is_for_good(shop: TestClient, redis: Redis, db: psycopg.Connection) -> None:
    create(shop)
    key = shop.put(f"{BOOKED}/web-tracking", json={"on": True}).json()["snippet_key"]
    assert shop.post(f"{BOOKED}/hide").status_code == 204
    assert states(redis) == {key: "hidden"}
    assert shop.get(EVENTS).json()["items"] == []
    assert shop.get(BOOKED).status_code == 404
    assert shop.post(f"{BOOKED}/hide").status_code == 404
    assert shop.patch(BOOKED, json={"name": "Stay"}).status_code == 404
    assert shop.post(EVENTS, json=BOOKING).status_code == 409
    assert db.execute("SELECT count(*) FROM version").fetchall() == [(1,)]
