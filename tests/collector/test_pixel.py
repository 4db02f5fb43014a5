"""The pixel and the hosted script: what pages without fetch, and script tags, ask for."""

import json
import time
from typing import Any

import pytest

from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD, refused, said
from tracker.collector import pixel
from tracker.rules.ids import read_uuid7
from tracker.rules.refusals import Refusal

ID = "0199bd33-0000-7000-8000-000000000000"


def ask(collector: Collector, house: House, address: str, **headers: str) -> dict[str, Any]:
    """Load the pixel; returns the one hit that it queued."""
    before = set(house.hits())
    answer = collector.http.get(address, headers=headers)
    assert (answer.status_code, answer.content) == (200, pixel.GIF)
    (new,) = set(house.hits()) - before
    hit: dict[str, Any] = json.loads(new)
    return hit


def test_it_is_an_image_that_nobody_keeps(collector: Collector, key: str) -> None:
    answer = collector.http.get(f"/v1/{key}.gif?_visitor=anna")
    assert answer.content.startswith(b"GIF89a\x01\0\x01\0")
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_all_of_it(collector: Collector, house: House, key: str) -> None:
    query = (
        f"_id={ID}&_at=1795422600000&_visitor=anna&_page=http%3A%2F%2Fp&_referrer=r&n=1&t=a+b&e="
    )
    assert ask(collector, house, f"/v1/{key}.gif?{query}", Referer="http://other") == {
        "id": ID,
        "at": 1795422600000,
        "visitor": "anna",
        "page": "http://p",
        "referrer": "r",
        "data": {"n": "1", "t": "a b", "e": ""},
    }


def test_what_is_filled_in(collector: Collector, house: House, key: str) -> None:
    before = time.time_ns() // 1_000_000
    hit = ask(collector, house, f"/v1/{key}.gif", Referer="http://shop/page")
    assert read_uuid7(hit.pop("id"))
    assert before <= hit.pop("at") <= time.time_ns() // 1_000_000
    assert hit == {"visitor": None, "page": "http://shop/page", "referrer": None, "data": {}}


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("a=%", {"a": "%"}),
        ("a=%zz&%", {"a": "%zz", "%": ""}),
        ("a=%ff", {"a": "\ufffd"}),
        ("a=%ED%A0%BD", {"a": "\ufffd" * 3}),
        ("a=%00", {"a": "\0"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("&&=x&", {"": "x"}),
    ],
)
def test_odd_queries(query: str, data: dict[str, str]) -> None:
    assert (
        json.loads(pixel.envelope(pixel.parameters(query.encode()), None, 7))["hits"][0]["data"]
        == data
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [("5", 5), ("", 7), ("-5", "-5"), ("1e3", "1e3"), ("٣", "٣"), ("9" * 16, "9" * 16)],
)
def test_times(text: str, at: int | str) -> None:
    envelope = json.loads(pixel.envelope({"_at": text}, None, 7))
    assert (envelope["sent"], envelope["hits"][0]["at"]) == (7, at)


def test_refusals(collector: Collector, house: House, key: str) -> None:
    get = collector.http.get
    assert get(f"/v1/{key}.gif?" + "&".join(["a=1"] * 200)).status_code == 200
    too_many = get(f"/v1/{key}.gif?" + "&".join(["a=1"] * 201))
    assert said(too_many) == refused(Refusal.BAD_ENVELOPE)
    assert said(get("/v1/nobody.gif?_visitor=a")) == refused(Refusal.UNKNOWN_KEY)
    house.end_lease()
    assert said(get("/v1/nobody.gif?_visitor=a")) == refused(Refusal.UNSURE)
    assert len(house.hits()) == 1
    assert collector.post(key, GOOD).status_code == 204
