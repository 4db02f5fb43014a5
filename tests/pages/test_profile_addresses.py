"""Links to profiles, whatever is in their keys: each opens the profile that it names."""

import html
import re
from collections.abc import Iterator
from threading import Thread
from typing import cast
from urllib.parse import urljoin, urlsplit

import httpx2
import psycopg
import pytest
import uvicorn
from redis import Redis
from starlette.testclient import TestClient

from tests.embedded.waiting import until
from tests.pages import signing
from tests.pages.conftest import Person
from tests.pages.kept import ROOT
from tests.worker.cast import Harbour, drain, hit, track
from tracker.api.app import make_app
from tracker.rules.accounts import Role
from tracker.settings import Settings

KEYS = (
    "../x",
    "..",
    ".",
    "%2e%2e",
    "a/../../b",
    "a//b/",
    "x/timeline",
    "x/export",
    "a?b=c&d",
    "a#b",
    "50%25",
    "50%",
    "\\..\\x",
    "a b+c",
    "ü:web:ann@a.example",
)
DOTS = {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."}
"""Segments of a path that browsers take for "here" and "above"."""


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)


@pytest.fixture
def owner(harbour: Harbour) -> Iterator[Person]:
    """Against a real server: a TestClient decodes paths twice."""
    web = uvicorn.Server(uvicorn.Config(make_app(harbour.settings), port=0, log_level="error"))
    thread = Thread(target=web.run)
    thread.start()
    try:
        until(lambda: web.started or not thread.is_alive(), "the web process starts")
        port = web.servers[0].sockets[0].getsockname()[1]
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True) as http:
            client, section_id = cast(TestClient, http), harbour.booking.section_id
            yield Person(client, signing.sign_in(harbour.db, client, Role.OWNER, section_id))
    finally:
        web.should_exit = True
        thread.join(60)


def links(person: Person, page: str) -> list[str]:
    """The addresses of profiles on a page, as a browser makes them out."""
    _, text = person.get(page)
    found = re.findall(r'<a href="([^"]*profiles/[^"]+)"', text)
    addresses = [urljoin(page, html.unescape(link)) for link in found]
    for address in addresses:
        assert not DOTS & set(urlsplit(address).path.lower().split("/")), address
    return addresses


def opened(person: Person, address: str) -> str:
    """The key of the profile at an address."""
    status, text = person.get(address)
    assert status == 200, address
    [key] = re.findall(r"<code>(.*)</code></li>", text)
    return html.unescape(key)


def test_links_of_lists_and_of_live(harbour: Harbour, owner: Person) -> None:
    harbour.send(*(hit(key) for key in KEYS))
    drain(harbour)
    addresses = links(owner, f"{ROOT}/profiles")
    assert sorted(opened(owner, address) for address in addresses) == sorted(KEYS)
    assert sorted(links(owner, f"{ROOT}/live")) == sorted(addresses)


def test_links_of_profiles_themselves(harbour: Harbour, owner: Person) -> None:
    harbour.send(*(hit(key) for key in KEYS))
    drain(harbour)
    for address in links(owner, f"{ROOT}/profiles"):
        _, text = owner.get(address)
        [export] = re.findall(r'action="([^"]+)/export"', text)
        assert urlsplit(address).path == html.unescape(export)
        status, text = owner.post(f"{html.unescape(export)}/erase", typed="nobody")
        assert (status, "This is not the key" in text) == (422, True)
        assert owner.get(f"{address}/timeline")[0] == 200


def test_what_a_search_leads_to(harbour: Harbour, owner: Person) -> None:
    harbour.send(*(hit(key) for key in KEYS))
    drain(harbour)
    for key in KEYS:
        asked = {"keyspace": "web", "key": key}
        answer = owner.client.get(f"{ROOT}/profiles", params=asked, follow_redirects=False)
        address = answer.headers["location"]
        assert not DOTS & set(urlsplit(address).path.lower().split("/"))
        assert opened(owner, address) == key
