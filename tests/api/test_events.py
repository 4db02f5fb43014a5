"""Custom Events by API: create, list, show, web tracking, snippets."""

from typing import Any

import pytest
from redis import Redis
from starlette.testclient import TestClient

from tests.api.conftest import EVENTS
from tracker.rules.fields import FieldType
from tracker.snippets.code import attributes_script
from tracker.snippets.forms import FORMS, FormName
from tracker.stores import key_table

BOOKING = {"category": "transactions", "name": "Booking"}


def create(shop: TestClient, **changes: object) -> dict[str, Any]:
    answer = shop.post(EVENTS, json={**BOOKING, **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_new_event_has_the_premade_fields_and_version_1(shop: TestClient) -> None:
    made = create(shop)
    assert made["slug"] == "booking"
    assert str(made["discriminator"]).startswith("com.pintag.events.transaction.custom-booking-")
    assert made["web_tracking"] is False
    [version] = made["versions"]
    assert version["number"] == 1
    assert version["deprecated_at"] is None
    assert [field["key"] for field in version["fields"]] == [
        "source", "reference", "amount", "currency",
    ]  # fmt: skip


def test_every_type_of_field(shop: TestClient) -> None:
    fields: list[dict[str, object]] = [{"key": "source", "type": "text", "required": True}]
    fields += [{"key": f"a_{type_}", "type": type_, "label": type_.label} for type_ in FieldType]
    [version] = create(shop, fields=fields)["versions"]
    assert [field["type"] for field in version["fields"]] == ["text", *FieldType]
    assert len({field["id"] for field in version["fields"]}) == len(fields)


def test_every_error_comes_in_one_answer(shop: TestClient) -> None:
    fields = [{"key": "1st", "type": "text"}, {"key": "b", "type": "colour"}, {"key": "b"}]
    answer = shop.post(EVENTS, json={"category": "x", "name": " ", "fields": fields, "foo": 1})
    assert answer.status_code == 422
    wrong = {error["field"] for error in answer.json()["errors"]}
    assert {"category", "name", "foo", "fields[0].key", "fields[1].type", "fields[2].type"} <= wrong
    assert all(error["message"] for error in answer.json()["errors"])
    assert shop.get(EVENTS).json() == {"items": []}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
def test_bodies_that_are_no_definition(shop: TestClient, body: bytes) -> None:
    assert shop.post(EVENTS, content=body).status_code == 422


def test_a_body_that_is_too_large(shop: TestClient) -> None:
    assert shop.post(EVENTS, content=b"x" * 100_001).status_code == 413


def test_names_are_unique_slugs_too(shop: TestClient) -> None:
    create(shop)
    assert shop.post(EVENTS, json=BOOKING).status_code == 409
    assert create(shop, name="Booking!")["slug"] == "booking-2"


def test_list_and_show(shop: TestClient) -> None:
    made = create(shop, name="Größe: 5 €")
    assert shop.get(EVENTS).json()["items"] == [made]
    for name in (made["slug"], made["discriminator"], made["name"]):
        assert shop.get(f"{EVENTS}/{name}").json() == made
    assert shop.get(f"{EVENTS}/nothing").status_code == 404


def test_what_is_a_slug_and_a_name_is_refused_with_both_discriminators(shop: TestClient) -> None:
    old, new = two_called_signup(shop)
    refused = shop.post(f"{EVENTS}/signup/hide")
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "'signup' is the slug of 'Old signup' and the name of another event: say which by its"
        f" discriminator, {old['discriminator']} or {new['discriminator']}."
    )
    for one in (old, new):
        found = shop.get(f"{EVENTS}/{one['discriminator']}").json()
        assert found["slug"] == one["slug"]
    assert len(shop.get(EVENTS).json()["items"]) == 2


@pytest.mark.parametrize("hidden", [0, 1])
def test_what_is_hidden_does_not_hide_what_is_not(shop: TestClient, hidden: int) -> None:
    both = two_called_signup(shop)
    gone, left = both[hidden], both[1 - hidden]
    assert shop.post(f"{EVENTS}/{gone['discriminator']}/hide").status_code == 204
    assert shop.get(f"{EVENTS}/signup").json()["discriminator"] == left["discriminator"]
    assert shop.post(f"{EVENTS}/signup/hide").status_code == 204
    assert shop.get(f"{EVENTS}/signup").status_code == 404


def test_a_discriminator_decides_alone(shop: TestClient) -> None:
    made = create(shop)
    create(shop, name=made["discriminator"])
    assert shop.get(f"{EVENTS}/{made['discriminator']}").json() == made


def two_called_signup(shop: TestClient) -> list[dict[str, Any]]:
    """An event of the slug signup, which was renamed, and another of this name."""
    old = create(shop, name="signup")
    shop.patch(f"{EVENTS}/signup", json={"name": "Old signup"})
    return [old, create(shop, name="signup")]


def test_web_tracking_is_an_idempotent_switch(shop: TestClient, redis: Redis) -> None:
    create(shop)
    on = [shop.put(f"{EVENTS}/booking/web-tracking", json={"on": True}).json() for _ in "ab"]
    assert shop.get(f"{EVENTS}/booking/web-tracking").json() == on[0]
    assert on[0] == on[1]
    assert states(redis) == {on[0]["snippet_key"]: "on"}
    for _ in "ab":
        off = shop.put(f"{EVENTS}/booking/web-tracking", json={"on": False})
        assert off.json() == {"on": False, "snippet_key": None}
    assert states(redis) == {on[0]["snippet_key"]: "off"}
    again = shop.put(f"{EVENTS}/booking/web-tracking", json={"on": True}).json()
    assert again == on[0]


def states(redis: Redis) -> dict[str, str]:
    table = redis.hgetall(key_table.KEYS)
    return {key.decode(): value.decode().split('"')[1] for key, value in table.items()}  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"on": 1}', b'{"on": true, "off": 1}', b"\xff"])
def test_a_switch_wants_true_or_false(shop: TestClient, body: bytes) -> None:
    create(shop)
    assert shop.put(f"{EVENTS}/booking/web-tracking", content=body).status_code == 422


def test_snippets(shop: TestClient) -> None:
    create(shop)
    off = shop.get(f"{EVENTS}/booking/snippet")
    assert off.status_code == 409
    assert "pintag event track booking" in off.json()["detail"]
    key = shop.put(f"{EVENTS}/booking/web-tracking", json={"on": True}).json()["snippet_key"]
    for form in FormName:
        snippet = shop.get(f"{EVENTS}/booking/snippet", params={"form": form}).json()
        assert (f"/v1/{key}" in snippet["html"]) == (form != FormName.TYPES)
        assert 0 < snippet["gzip_bytes"] <= 2000
        assert bool(snippet["csp"]) == (FORMS[form].suffix in ("html", "js", "tpl"))
        assert bool(snippet["integrity"]) == (form in (FormName.HOSTED, FormName.MODULE))
    asked = {"nonce": "r4nd", "test": "true", "attributes": "true"}
    snippet = shop.get(f"{EVENTS}/booking/snippet", params=asked).json()
    assert snippet["csp"][0] == "script-src 'nonce-r4nd'"
    assert f"/v1/{key}?test" in snippet["html"]
    assert attributes_script() in snippet["html"]
    assert shop.get(f"{EVENTS}/booking/snippet", params={"nonce": "'x'"}).status_code == 422
    assert shop.get(f"{EVENTS}/booking/snippet?form=pdf").status_code == 422
