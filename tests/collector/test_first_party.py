"""docs/first-party.md: a real nginx and a real Caddy with the configuration that stands there."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import httpx2
import pytest
import uvicorn

from tests.collector import house as houses
from tests.collector.house import House
from tests.collector.test_losses import reporting
from tests.tools import web_servers
from tracker.collector import pixel
from tracker.collector.app import make_app
from tracker.rules.hits import MAX_BODY
from tracker.settings import Settings
from tracker.snippets.render import hosted_script

PAGE = (Path(__file__).parents[2] / "docs" / "first-party.md").read_text(encoding="utf-8")
UPSTREAM, STRIPPING, PASSING = re.findall(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
(CADDY,) = re.findall(r"```caddy\n(.*?)```", PAGE, re.DOTALL)
ADDRESS = "127.0.0.1:8701"
"""The collector's, as the page has it."""
CLIENT = "127.0.0.2"
"""Of loopback, too, yet no trusted proxy's."""

Proxy = Callable[[Path, int, bool], AbstractContextManager[int]]


@contextmanager
def nginx(folder: Path, collector: int, strips: bool) -> Iterator[int]:
    """A site's nginx with the page's lines; the port it listens on."""
    port = houses.free_port()
    upstream = UPSTREAM.replace(ADDRESS, f"127.0.0.1:{collector}")
    location = STRIPPING if strips else PASSING
    server = f"listen 127.0.0.1:{port}; location / {{ return 200 site; }}\n{location}"
    with web_servers.nginx(folder, port, f"{upstream}server {{ {server} }}"):
        yield port


@contextmanager
def caddy(folder: Path, collector: int, strips: bool) -> Iterator[int]:
    """The same with Caddy; without HTTPS, for which it would want a certificate."""
    port = houses.free_port()
    site = CADDY.replace("shop.example", f"http://127.0.0.1:{port}")
    site = site.replace(ADDRESS, f"127.0.0.1:{collector}")
    site = site.replace("# … the site itself", "respond site")
    site = site if strips else site.replace("handle_path", "handle")
    with web_servers.caddy(folder, port, site):
        yield port


@pytest.mark.parametrize("strips", [True, False], ids=["path taken off", "path passed on"])
@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_hits_and_scripts_through_a_web_server(
    settings: Settings, house: House, key: str, tmp_path: Path, proxy: Proxy, strips: bool
) -> None:
    house.keep_addresses("whole")
    hits, scripts = ("/pt/v1", "/pt/s") if strips else ("/pt/h", "/pt/s")
    chosen = settings if strips else replace(settings, hits_path=hits, scripts_path=scripts)
    sends_from = httpx2.HTTPTransport(local_address=CLIENT)
    with (
        houses.running(make_app(chosen)) as collector,
        proxy(tmp_path, collector.port, strips) as port,
        httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=60, transport=sends_from
        ) as browser,
    ):
        forged = {"X-Forwarded-For": "203.0.113.7", "User-Agent": "Firefox", "Cookie": "a=b"}
        posted = browser.post(f"{hits}/{key}?test", content=reporting(0), headers=forged)
        assert (posted.status_code, posted.content) == (204, b"")
        assert browser.get(f"{hits}/{key}.gif?_visitor=%C3%A9&_test").content == pixel.GIF
        assert {(one.address, one.test) for one in house.senders()} == {(CLIENT, True)}
        assert "Firefox" in {one.agent for one in house.senders()}
        assert len(house.hits()) == 3

        refused = browser.post(f"{hits}/nobody", content=reporting(0))
        assert (refused.status_code, refused.json()["reason"]) == (404, "unknown_key")
        large = browser.post(f"{hits}/{key}", content=bytes(MAX_BODY + 1))
        assert (large.status_code, large.json()["reason"]) == (413, "too_large")

        path = f"{scripts}/{hosted_script().hash}.js"
        with browser.stream("GET", path, headers={"Accept-Encoding": "gzip, br"}) as script:
            body = b"".join(script.iter_raw())
        assert brotli.decompress(body) == hosted_script().body.encode()
        again = browser.get(
            path, headers={"Accept-Encoding": "br", "If-None-Match": script.headers["etag"]}
        )
        assert again.status_code == 304
        health = browser.get("/pt/health")
        assert health.text == "ok" if strips else health.json()["reason"] == "path"
        assert browser.get("/else").text == "site"
    assert not (tmp_path / "access").exists() or "/pt/" not in (tmp_path / "access").read_text()


def test_web_servers_give_up_idle_connections_before_the_collector_does() -> None:
    for block, pattern in ((UPSTREAM, r"keepalive_timeout (\d+)s"), (CADDY, r"keepalive (\d+)s")):
        (seconds,) = re.findall(pattern, block)
        assert (
            int(seconds)
            < uvicorn.Config(make_app(Settings(redis_url="redis://x"))).timeout_keep_alive
        )
