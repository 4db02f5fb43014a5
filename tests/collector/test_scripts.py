"""Hosted scripts: kept for a year, compressed as the browser likes it, readable by every page."""

import asyncio
import base64
import gzip
import hashlib
from contextlib import ExitStack

import brotli  # type: ignore[import-untyped]
import httpx2
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from tests.collector import raw
from tests.collector.house import Collector, House
from tracker.collector import encodings
from tracker.collector.scripts import AT_ONCE, MOST_KEPT, Scripts
from tracker.settings import Settings
from tracker.snippets.render import hosted_script
from tracker.stores import key_table

PATH = f"/s/{hosted_script().hash}.js"
BODY = hosted_script().body.encode()
DECODED = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}


def load(
    collector: Collector, method: str = "GET", **headers: str
) -> tuple[httpx2.Response, bytes]:
    """The answer for the script, and its body as it came over the wire."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with collector.http.stream(method, PATH, headers=named) as answer:
        return answer, b"".join(answer.iter_raw())


def test_it_is_kept_for_ever_and_has_the_bytes_of_its_integrity(collector: Collector) -> None:
    answer = collector.http.get(PATH, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.content == BODY
    digest = base64.b64encode(hashlib.sha384(answer.content).digest()).decode()
    assert hosted_script().integrity == f"sha384-{digest}"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("identity", "identity"),
        ("br;q=0, *", "gzip"),
        ("*;q=0", "identity"),
    ],
)
def test_each_encoding_has_the_same_bytes_and_an_etag_of_its_own(
    collector: Collector, accepted: str, encoding: str
) -> None:
    answer, body = load(collector, accept_encoding=accepted)
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert DECODED[encoding](body) == BODY
    assert answer.headers["etag"] == f'"{hosted_script().hash}-{encoding}"'
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(body)
    for known in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}', "*"):
        again, nothing = load(collector, accept_encoding=accepted, if_none_match=known)
        assert (again.status_code, nothing) == (304, b"")
        assert "content-encoding" not in again.headers
        for name in ("etag", "vary", "cache-control", "access-control-allow-origin"):
            assert again.headers[name] == answer.headers[name]


def test_what_is_known_in_another_encoding_is_sent(collector: Collector) -> None:
    etag = f'"{hosted_script().hash}-gzip"'
    answer, body = load(collector, accept_encoding="br", if_none_match=etag)
    assert (answer.status_code, brotli.decompress(body)) == (200, BODY)


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
def test_head_says_the_same_without_the_body(collector: Collector, accepted: str) -> None:
    whole, body = load(collector, accept_encoding=accepted)
    answer, nothing = load(collector, "HEAD", accept_encoding=accepted)
    assert (answer.status_code, nothing) == (200, b"")
    different = {"date"}
    assert {n: v for n, v in answer.headers.items() if n not in different} == {
        n: v for n, v in whole.headers.items() if n not in different
    }
    assert int(answer.headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("*", "br"),
        ("BR ; Q=1.0", "br"),
        ("br;q=0.5,gzip", "gzip"),
        ("br;q=0.5", "br"),
        ("br;q=0.001", "br"),
        ("br;q=0.5, gzip;q=0.5, identity", "identity"),
        ("identity;q=0", "identity"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("*;q=0.1, br;q=0", "gzip"),
        ("deflate, zstd", "identity"),
        ("gzip;q=0", "identity"),
        ("gzip;q=x, br;q=nan, ;q=1,,;", "identity"),
        ("gzip;q=-1, br;q=2", "identity"),
    ],
)
def test_choices(accepted: str | None, encoding: str) -> None:
    assert encodings.choose(accepted) == encoding


def test_compressed_it_is_much_smaller() -> None:
    sizes = {name: len(encodings.encode(BODY, name)) for name in encodings.PREFERRED}
    assert sizes["br"] < sizes["gzip"] < sizes["identity"] * 0.6


def test_a_script_is_read_from_redis_once(collector: Collector, house: House) -> None:
    first = collector.http.get(PATH)
    house.lose_table()
    assert collector.http.get(PATH).content == first.content


def test_few_scripts_are_kept(redis: Redis, settings: Settings) -> None:
    names = [str(number) for number in range(MOST_KEPT + 1)]

    async def read_all() -> list[bytes | None]:
        async with AsyncRedis.from_url(settings.redis_url, legacy_responses=False) as client:
            scripts = Scripts(client)
            for name in names:
                assert await scripts.get(name) == name.encode()
            await client.delete(key_table.SCRIPTS)
            return [await scripts.get(name) for name in names]

    for name in names:
        redis.hset(key_table.SCRIPTS, name, name)
    assert asyncio.run(read_all()) == [None, *(name.encode() for name in names[1:])]


def test_a_script_that_is_none(collector: Collector, house: House) -> None:
    answer = collector.http.get("/s/0123456789abcdef.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert answer.headers["access-control-allow-origin"] == "*"
    house.lose_table()
    answer = collector.http.get(PATH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_many_that_look_for_others_take_few_connections_to_redis(
    collector: Collector, redis: Redis
) -> None:
    before = len(redis.client_list())
    with ExitStack() as opened:
        asking = [opened.enter_context(raw.connect(collector.port)) for _ in range(150)]
        for one in asking:
            one.sendall(raw.head("GET /s/another.js"))
        assert {raw.read(one).status for one in asking} == {404}
    assert len(redis.client_list()) < before + 2 * AT_ONCE


def test_one_that_many_ask_for_at_once_is_compressed_once(redis: Redis, settings: Settings) -> None:
    async def read_all() -> list[bytes | None]:
        async with AsyncRedis.from_url(settings.redis_url, legacy_responses=False) as client:
            scripts = Scripts(client)
            return await asyncio.gather(*(scripts.get("a", "br") for _ in range(50)))

    redis.hset(key_table.SCRIPTS, "a", BODY)
    assert len({id(body) for body in asyncio.run(read_all())}) == 1


def test_who_waits_for_a_turn_waits_for_no_silent_redis(redis: Redis, settings: Settings) -> None:
    async def give_up() -> int:
        async with AsyncRedis.from_url(settings.redis_url, legacy_responses=False) as client:
            scripts = Scripts(client, patience=0.2)
            redis.client_pause(2_000)
            many = [asyncio.create_task(scripts.get(str(n))) for n in range(5 * AT_ONCE)]
            await asyncio.wait(many, timeout=1)
            gave_up = sum(one.done() for one in many)
            await asyncio.gather(*many, return_exceptions=True)
            return gave_up

    assert asyncio.run(give_up()) >= 4 * AT_ONCE
