"""What goes with each hit: as much as the section keeps of who sent it, and by which snippet."""

from dataclasses import replace

import pytest

from tests.collector import house as houses
from tests.collector import raw
from tests.collector.house import Collector, House
from tests.collector.test_refusing import GOOD
from tracker.collector import senders, server
from tracker.collector.app import make_app
from tracker.collector.senders import MAX_AGENT, MAX_TAG
from tracker.rules.hits import Sender
from tracker.settings import Settings

CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36"
TAG = f"1795426200.{'0f' * 32}"


def sent(collector: Collector, house: House, address: str, **headers: str) -> Sender:
    """The sender that is queued with a hit; without client headers that nobody asked for."""
    before = len(house.senders())
    headers = {"User-Agent": CHROME, **{k.replace("_", "-"): v for k, v in headers.items()}}
    if ".gif" in address:
        assert collector.http.get(address, headers=headers).status_code == 200
    else:
        assert collector.http.post(address, content=GOOD, headers=headers).status_code == 204
    found = house.senders()
    assert len(found) == before + 1
    house.redis.delete(*house.redis.keys("pintag:hits:*"))
    return found[0]


@pytest.mark.parametrize("form", ["", ".gif"])
def test_a_section_keeps_no_address_until_it_says_so(
    collector: Collector, house: House, key: str, form: str
) -> None:
    address = f"/v1/{key}{form}?_visitor=anna"
    assert sent(collector, house, address) == Sender(None, CHROME)
    for rule, kept in (("whole", "127.0.0.1"), ("truncated", "127.0.0.0"), ("none", None)):
        house.keep_addresses(rule)
        collector.look()
        assert sent(collector, house, address).address == kept


def test_every_hit_of_a_request_has_the_sender(
    collector: Collector, house: House, key: str
) -> None:
    body = b'{"hits":[{"visitor":"anna"},{"visitor":"ben"},5]}'
    assert collector.post(f"{key}?test", body, user_agent=CHROME).status_code == 204
    assert house.senders() == [Sender(None, CHROME, "", True)] * 3


def test_agents_are_cut_and_may_be_missing_or_odd(
    collector: Collector, house: House, key: str
) -> None:
    assert sent(collector, house, f"/v1/{key}", user_agent="x" * 9000).agent == "x" * MAX_AGENT
    for header, agent in (('User-Agent: \xe9\x85"\\', '\xe9\x85"\\'), ("X: y", "")):
        line = raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}", header)
        assert raw.send(collector.port, line + GOOD).status == 204
        assert agent in {sender.agent for sender in house.senders()}


@pytest.mark.parametrize(
    ("query", "test", "tag"),
    [
        ("", False, ""),
        ("test", True, ""),
        ("test=", True, ""),
        (f"tag={TAG}", False, TAG),
        (f"x=1&test&&tag={TAG}&y", True, TAG),
        (f"tag=1&tag={TAG.replace('.', '%2E')}", False, TAG),
        (f"tag={'x' * 5000}", False, "x" * MAX_TAG),
        ("tests=1&Tag=2&tag", False, ""),
        (f"tag={'%F0%9F%98%80' * 200}", False, "\U0001f600" * MAX_TAG),
        (f"test{'&x' * 201}&tag=1", False, "1"),
        (f"{'x&' * 30_000}tag=1&test", True, "1"),
        ("tag=%ff%00%E9&=&%", False, "\ufffd" * 3),
    ],
)
def test_test_and_tag_in_the_address(
    collector: Collector, house: House, key: str, query: str, test: bool, tag: str
) -> None:
    assert sent(collector, house, f"/v1/{key}?{query}") == Sender(None, CHROME, tag, test)


def test_the_pixel_has_them_under_names_that_are_no_fields(
    collector: Collector, house: House, key: str
) -> None:
    address = f"/v1/{key}.gif?_visitor=anna"
    assert sent(collector, house, f"{address}&_test&_tag={TAG}") == Sender(None, CHROME, TAG, True)
    assert sent(collector, house, f"{address}&test=1&tag=2") == Sender(None, CHROME)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "Prefetch"),
    ],
)
def test_pages_that_nobody_saw_yet(
    collector: Collector, house: House, key: str, header: str, value: str
) -> None:
    assert sent(collector, house, f"/v1/{key}", **{header: value}).prefetch
    assert not sent(collector, house, f"/v1/{key}", **{header: "fetch"}).prefetch


def test_one_of_several_purposes_is_enough() -> None:
    headers = {b"sec-purpose": b"", b"purpose": b"prefetch"}
    assert senders.see(headers, None, {}).prefetch


# -- behind proxies: X-Forwarded-For is believed of whom the settings name, and of nobody else


def behind(settings: Settings, house: House, key: str, proxies: str, *forwarded: str) -> str | None:
    """The address kept of a hit that came from 127.0.0.1 with these X-Forwarded-For headers."""
    house.keep_addresses("whole")
    settings = replace(settings, trusted_proxies=proxies)
    lines = [f"X-Forwarded-For: {value}" for value in forwarded]
    head = raw.head(f"POST /v1/{key}", f"Content-Length: {len(GOOD)}", *lines)
    with houses.running(make_app(settings), **server.options(settings)) as collector:
        assert raw.send(collector.port, head + GOOD).status == 204
    (sender,) = house.senders()
    return sender.address


DEFAULT = Settings().trusted_proxies


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (DEFAULT, ["203.0.113.7"], "203.0.113.7"),
        (DEFAULT, ["2001:db8::7"], "2001:db8::7"),
        (DEFAULT, ["203.0.113.7:4711"], "203.0.113.7"),
        (DEFAULT, ["[2001:db8::7]:4711"], "2001:db8::7"),
        (DEFAULT, [], "127.0.0.1"),
        ("192.0.2.1", ["203.0.113.7"], "127.0.0.1"),
        ("192.0.2.0/24", ["203.0.113.7", "127.0.0.1"], "127.0.0.1"),
        ("127.0.0.0/8", ["203.0.113.7"], "203.0.113.7"),
    ],
)
def test_the_clients_address(
    settings: Settings, house: House, key: str, proxies: str, forwarded: list[str], address: str
) -> None:
    assert behind(settings, house, key, proxies, *forwarded) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["198.51.100.9, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.9", "203.0.113.7"], "203.0.113.7"),
        (["198.51.100.9, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["203.0.113.7, unknown"], None),
        (["203.0.113.7, <script>"], None),
    ],
)
def test_what_the_client_wrote_into_the_header_himself_is_not_believed(
    settings: Settings, house: House, key: str, forwarded: list[str], address: str | None
) -> None:
    proxies = f"{DEFAULT},10.0.0.0/8"
    assert behind(settings, house, key, proxies, *forwarded) == address


def test_only_test_hits_may_come_from_a_developers_machine(
    collector: Collector, house: House, key: str
) -> None:
    house.let_in("https://shop.example")
    collector.look()
    local = {"Origin": "http://localhost:3000"}
    assert collector.http.post(f"/v1/{key}", content=GOOD, headers=local).status_code == 403
    assert sent(collector, house, f"/v1/{key}?test", **local).test
