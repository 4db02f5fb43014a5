"""Timelines, posts and merges by HTTP: what the answers look like, and who gets which."""

import json
from collections.abc import Iterable
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS, MakeClient
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import sections
from tracker.vault import Vault

ANN = ("email", "ann@example.com")
ANN_WEB = ("web", "visitor-ann")
BEN = ("email", "ben@example.com")
AT = "2026-11-23T09:30:00+00:00"


@pytest.fixture
def version(shop: TestClient) -> str:
    """The version of Booking, the shop's event."""
    made = shop.post(EVENTS, json={"category": "transactions", "name": "Booking"})
    return str(made.json()["versions"][0]["id"])


@pytest.fixture
def narrow(make_client: MakeClient) -> dict[str, str]:
    """Headers of a client that may not see e-mail addresses."""
    made = make_client(keyspaces=[one for one in Keyspace if one is not Keyspace.EMAIL])
    return {"Authorization": made["Authorization"]}


def path(identity: tuple[str, str]) -> str:
    keyspace, key = identity
    return f"/audience/keyspaces/{keyspace}/profiles/{key}/sections/shop/events"


def item(version: str, **changes: Any) -> dict[str, Any]:
    return {"event_time": AT, "version_id": version, "data": {"amount": "12.50"}, **changes}


def named(*identities: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"keyspace_discriminator": f"com.pintag.keyspaces.{keyspace}", "profile_key": key}
        for keyspace, key in identities
    ]


def test_a_post_and_its_timeline(shop: TestClient, version: str) -> None:
    """By whatever spelling of the address, and of its keyspace."""
    answer = shop.post(path(("email", "Ann@Example.com")), json={"items": [item(version)]})
    assert answer.status_code == 201
    [told] = answer.json()["items"]
    assert (told["index"], told["status"], told["errors"]) == (0, 201, [])
    for spelled in (ANN, ("com.pintag.keyspaces.email", "ANN@example.com")):
        timeline = shop.get(path(spelled)).json()
        assert timeline["identifiers"] == [{"keyspace": "email", "key": "ann@example.com"}]
        [event] = timeline["items"]
        assert (event["id"], event["event_time"]) == (told["id"], AT)
        assert (event["version_id"], event["name"]) == (version, "Booking")
        assert event["data"] == {"source": "API", "amount": 12.5}
        assert (timeline["merges"], timeline["next_cursor"]) == ([], None)


def test_items_are_told_one_by_one(shop: TestClient, version: str) -> None:
    bad = item(version, event_time="noon", data={"amount": "much"})
    answer = shop.post(path(ANN), json={"items": [item(version), bad, 7]})
    assert answer.status_code == 207
    told = answer.json()["items"]
    assert [one["status"] for one in told] == [201, 422, 422]
    wrong = [error["field"] for error in told[1]["errors"]]
    assert wrong == ["event_time", "data.amount"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"items": []}',
        b'{"items": {}}',
        b'{"items": [{}], "item": 1}',
        b'{"items": [%s]}' % b",".join([b"{}"] * 101),
        b'{"items": [{"data": "\\ud83d"}]}',
        b"[" * 2_000,
    ],
)
def test_bodies_that_are_no_post(shop: TestClient, body: bytes) -> None:
    answer = shop.post(path(ANN), content=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_a_version_that_is_not_usable_yet(
    shop: TestClient, version: str, db: psycopg.Connection
) -> None:
    db.execute("UPDATE version SET usable_from = '2999-01-01'")
    one, two = (shop.post(path(ANN), json={"items": [item(version)] * n}) for n in (1, 2))
    assert (one.status_code, two.status_code) == (409, 207)
    assert one.json()["usable_from"] == "2999-01-01T00:00:00+00:00"
    assert int(one.headers["Retry-After"]) > 0
    assert [told["status"] for told in two.json()["items"]] == [409, 409]
    assert shop.get(path(ANN)).status_code == 404


def test_an_idempotency_key(shop: TestClient, version: str) -> None:
    def post(amount: str, key: str = "order-7") -> Any:
        items = [item(version, data={"amount": amount})]
        return shop.post(path(ANN), json={"items": items}, headers={"Idempotency-Key": key})

    first, again, other = post("1"), post("1"), post("2")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert "Idempotency-Key" in other.json()["detail"]
    assert post("2", "k" * 256).status_code == 422
    assert len(shop.get(path(ANN)).json()["items"]) == 1


def test_pages_and_filters(shop: TestClient, version: str) -> None:
    items = [item(version, event_time=f"2026-11-23T0{hour}:00:00Z") for hour in range(5)]
    shop.post(path(ANN), json={"items": items})
    seen = []
    query: dict[str, Any] = {"limit": 2, "from": "2026-11-23T01:00:00Z"}
    while True:
        page = shop.get(path(ANN), params=query).json()
        seen += [event["event_time"][12] for event in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["4", "3", "2", "1"]
    for filter_, count in {"definition": 5, "version": 5, "to": 2}.items():
        value = {"definition": "booking", "version": version, "to": "2026-11-23T02:00:00Z"}[filter_]
        assert len(shop.get(path(ANN), params={filter_: value}).json()["items"]) == count


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "x"}, {"from": "noon"},
     {"to": "2026-11-23T09:30:00"}, {"definition": "\0"}],
    ids=str,
)  # fmt: skip
def test_queries_that_are_none(shop: TestClient, query: dict[str, str]) -> None:
    answer = shop.get(path(ANN), params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_merge_and_unmerge(shop: TestClient, version: str) -> None:
    for who in (ANN, ANN_WEB):
        shop.post(path(who), json={"items": [item(version)]})
    body = {"profiles": named(ANN, ANN_WEB)}
    for _ in "ab":
        answer = shop.put("/audience/profiles/merges", json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    timeline = shop.get(path(ANN_WEB)).json()
    assert len(timeline["items"]) == 2
    [merge] = timeline["merges"]
    assert (merge["kind"], merge["made_by"]) == ("merged", "test")
    assert merge["first"] == {"keyspace": "email", "key": "ann@example.com"}
    unmerge = [
        shop.post("/audience/profiles/unmerges", json=named(who)[0]) for who in (ANN_WEB, ANN, BEN)
    ]
    assert [answer.status_code for answer in unmerge] == [204, 409, 404]
    assert "only identifier" in unmerge[1].json()["detail"]
    assert len(shop.get(path(ANN_WEB)).json()["items"]) == 1


def test_two_people_stay_two(shop: TestClient, narrow: dict[str, str]) -> None:
    """To whom may not see addresses, the refusal does not say that there are any."""
    answer = shop.put("/audience/profiles/merges", json={"profiles": named(ANN, BEN)})
    assert answer.status_code == 409
    assert "email" in answer.json()["detail"]
    for person, visitor in ((ANN, "ann"), (BEN, "ben")):
        body = {"profiles": named(person, ("web", visitor))}
        assert shop.put("/audience/profiles/merges", json=body).status_code == 204
    body = {"profiles": named(("web", "ann"), ("web", "ben"))}
    answer = shop.put("/audience/profiles/merges", json=body, headers=narrow)
    assert answer.status_code == 409
    assert "email" not in answer.text
    kinds = [merge["kind"] for merge in shop.get(path(ANN)).json()["merges"]]
    assert kinds == ["refused", "merged", "refused"]


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (named(ANN), 422),
        (named(ANN, ANN_WEB, BEN), 422),
        (named(ANN, ("fax", "1")), 422),
        (named(ANN, ("email", "ben")), 422),
        (named(ANN, ("mobile", "\0")), 422),
    ],
)
def test_merges_of_what_is_no_profile(shop: TestClient, names: Any, status: int) -> None:
    answer = shop.put("/audience/profiles/merges", json={"profiles": names})
    assert answer.status_code == status
    assert shop.get(path(ANN)).status_code == 404


def test_without_a_keyspace_it_is_nowhere(
    shop: TestClient, narrow: dict[str, str], version: str, db: psycopg.Connection
) -> None:
    shop.put("/audience/profiles/merges", json={"profiles": named(ANN, ANN_WEB)})
    shop.post(path(ANN), json={"items": [item(version)]})
    db.execute("UPDATE event SET claims = %s", ('{"email": "ann@example.com"}',))
    everything, seen = (shop.get(path(ANN_WEB), headers=h).text for h in ({}, narrow))
    assert everything.count("ann@example.com") == 3
    assert "ann@example.com" not in seen
    assert len(json.loads(seen)["items"]) == 1
    refused = [
        shop.put("/audience/profiles/merges", json={"profiles": pair}, headers=narrow)
        for pair in (named(ANN, ANN_WEB), named(ANN_WEB, ANN))
    ]
    refused.append(shop.post("/audience/profiles/unmerges", json=named(ANN)[0], headers=narrow))
    assert [answer.status_code for answer in refused] == [403, 403, 403]


def test_what_a_definition_denies(shop: TestClient, version: str) -> None:
    shop.put("/audience/profiles/merges", json={"profiles": named(ANN, ANN_WEB)})
    denied = {"deny": ["email:read", "web:write"]}
    assert shop.put(f"{EVENTS}/booking/allowed-operations", json=denied).status_code == 200
    statuses = {
        who: statuses_of(shop.post(path(who), json={"items": [item(version)]}))
        for who in (ANN, ANN_WEB)
    }
    assert statuses == {ANN: [201], ANN_WEB: [403]}
    assert [len(shop.get(path(who)).json()["items"]) for who in (ANN, ANN_WEB)] == [0, 1]


def statuses_of(answer: Any) -> Iterable[int]:
    return [one["status"] for one in answer.json()["items"]]


def test_the_erased_are_gone(
    shop: TestClient, version: str, db: psycopg.Connection, settings: Settings
) -> None:
    ann = Identity(Keyspace.EMAIL, ANN[1])
    section = sections.choose(db, "shop").id
    hash_ = Vault(settings).erased_hash(section, ann)
    db.execute("INSERT INTO erased VALUES (%s, %s, now())", (section, hash_))
    answers = [
        shop.post(path(ANN), json={"items": [item(version)]}),
        shop.put("/audience/profiles/merges", json={"profiles": named(ANN_WEB, ANN)}),
        shop.post("/audience/profiles/unmerges", json=named(ANN)[0]),
    ]
    assert [answer.status_code for answer in answers] == [410] * 3
    assert shop.get(path(ANN)).status_code == 404
