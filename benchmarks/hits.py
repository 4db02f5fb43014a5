"""Hits as the snippet sends them: bookings with four fields, unless told otherwise, each id new."""

import os
import random
import time
from collections.abc import Iterator, Sequence

from tracker.rules import ids

HITS_PER_VISITOR = 4
"""On average; so about a quarter of the hits come from a visitor who is new."""
VISIT_MS = 30 * 60_000

_HIT = (
    b'{"id":"%b","at":%d,"visitor":"%b","data":%b,"page":"https://hotel.example/rooms/%d",'
    b'"referrer":"https://search.example/?q=rooms"}'
)
_BOOKING = b'{"source":"Website","reference":"BK-%06d","amount":%d.%02d,"currency":"EUR"}'
_POST = (
    b"POST /v1/%b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n"
    b"%bUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/140.0.0.0 Safari/537.36\r\nContent-Type: text/plain;charset=UTF-8\r\n"
    b"Accept: */*\r\nOrigin: https://hotel.example\r\nReferer: https://hotel.example/\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)


def new_hits(
    count: int, visitors: Sequence[bytes] = (), data: Sequence[bytes] = ()
) -> Iterator[bytes]:
    """That many hits, made now; by new visitors and with a booking each where none are given."""
    visitors = visitors or new_visitors(count)
    for _ in range(count):
        visitor = random.choice(visitors)
        yield new_hit(visitor, random.choice(data) if data else None)[1]


def new_visitors(hits: int) -> list[bytes]:
    """As many ids of new visitors as make that many hits, all of the last half hour."""
    now_ms = time.time_ns() // 1_000_000
    return [
        str(ids.mint(now_ms - random.randrange(VISIT_MS), os.urandom(ids.RANDOM_BYTES))).encode()
        for _ in range(max(1, hits // HITS_PER_VISITOR))
    ]


def new_hit(visitor: bytes, data: bytes | None = None) -> tuple[str, bytes]:
    """A hit by this visitor, made now, with its id."""
    now_ms = time.time_ns() // 1_000_000
    hit_id = str(ids.mint(now_ms, os.urandom(ids.RANDOM_BYTES)))
    number = random.getrandbits(16)
    data = data or _BOOKING % (number, 40 + number % 700, number % 100)
    return hit_id, _HIT % (hit_id.encode(), now_ms, visitor, data, number % 90)


def posts(key: str, count: int, hits_each: int, *, by_proxy: bool = False) -> list[bytes]:
    """That many requests, each whole and with `hits_each` hits."""
    hits = new_hits(count * hits_each)
    return [
        post(key, [next(hits) for _ in range(hits_each)], by_proxy=by_proxy) for _ in range(count)
    ]


def post(key: str, hits: list[bytes], *, by_proxy: bool = False) -> bytes:
    """One request with these hits, as a browser sends it, or a proxy passes it on of anybody."""
    body = b'{"sent":%d,"lost":0,"hits":[%b]}' % (time.time_ns() // 1_000_000, b",".join(hits))
    address = b"X-Forwarded-For: 203.0.%d.%d\r\n" % tuple(random.randbytes(2))
    return _POST % (key.encode(), address if by_proxy else b"", len(body), body)
