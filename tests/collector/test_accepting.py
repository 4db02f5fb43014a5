"""What a 204 means: every hit is in the queue, byte for byte, in its visitor's partition."""

import re

import pytest
from redis import Redis

from tests.collector import raw
from tests.collector.house import Collector, House
from tracker.rules.hits import MAX_BODY, partition_of

ANNA, BEN = b'{"id":"a1","visitor":"anna"}', b'{"id":"b1","visitor":"ben"}'


def envelope(*hits: bytes, sent: int = 7) -> bytes:
    return b'{"sent":%d,"hits":[%b]}' % (sent, b",".join(hits))


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json", "x/y"])
def test_a_hit_is_queued_as_it_came(
    collector: Collector, house: House, key: str, kind: str
) -> None:
    hit = b'{ "id" : "a1","visitor":"anna", "data": {"n":1.50,"x":"\\u00e9\xc3\xa9"} ,"new":[] }'
    answer = collector.post(key, envelope(hit, sent=1795422600123), content_type=kind)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    where = partition_of(hit, 8)
    assert house.queued() == {where: [(key.encode(), b"1795422600123", hit)]}


def test_sent_may_be_left_out_and_unknown_parts_are_ignored(
    collector: Collector, house: House, key: str
) -> None:
    assert collector.post(key, b'{"hits":[%b],"lost":3,"later":{}}' % ANNA).status_code == 204
    assert house.queued() == {partition_of(ANNA, 8): [(key.encode(), b"0", ANNA)]}


def test_the_visitors_of_one_request_go_to_their_own_partitions_in_order(
    collector: Collector, house: House, key: str
) -> None:
    people = [f"visitor {number % 7}" for number in range(100)]
    hits = [b'{"id":"%d","visitor":"%b"}' % (n, who.encode()) for n, who in enumerate(people)]
    assert collector.post(key, envelope(*hits[:60])).status_code == 204
    assert collector.post(key, envelope(*hits[60:])).status_code == 204
    by_partition: dict[int, list[tuple[bytes, bytes, bytes]]] = {}
    for hit in hits:
        by_partition.setdefault(partition_of(hit, 8), []).append((key.encode(), b"7", hit))
    assert house.queued() == by_partition


def test_hits_that_are_none_are_the_workers_to_judge(
    collector: Collector, house: House, key: str
) -> None:
    odd = [b"1", b'"x"', b"null", b"[]", b"{}", b'{"visitor":5}', b'{"id":"\\u0000"}']
    assert collector.post(key, envelope(*odd)).status_code == 204
    assert sorted(house.hits()) == sorted(odd)


def test_the_largest_body(collector: Collector, house: House, key: str) -> None:
    hit = b'{"id":"a1","visitor":"anna","data":{"text":"%b"}}'
    hit %= b"x" * (MAX_BODY - len(envelope(hit)) + 2)
    assert len(envelope(hit)) == MAX_BODY
    assert collector.post(key, envelope(hit)).status_code == 204
    assert house.hits() == [hit]


def test_204_is_said_only_after_redis_has_it(
    collector: Collector, house: House, key: str, redis: Redis
) -> None:
    redis.client_pause(60_000, all=False)
    with raw.connect(collector.port) as connection:
        body = envelope(ANNA)
        request = raw.head(f"POST /v1/{key}", f"Content-Length: {len(body)}") + body
        try:
            connection.sendall(request)
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            assert house.hits() == []
        finally:
            redis.client_unpause()
        connection.settimeout(60)
        assert raw.read(connection).status == 204
    assert house.hits() == [ANNA]


def test_pipelined_requests_are_answered_in_order(
    collector: Collector, house: House, key: str
) -> None:
    good = envelope(ANNA)
    requests = [
        raw.head(f"POST /v1/{key}", f"Content-Length: {len(good)}") + good,
        raw.head("POST /v1/nobody", "Content-Length: 2") + b"{}",
        raw.head(f"POST /v1/{key}", f"Content-Length: {len(good)}", "Connection: close") + good,
    ]
    with raw.connect(collector.port) as connection:
        connection.sendall(b"".join(requests))
        text = b""
        while more := connection.recv(65536):
            text += more
    statuses = re.findall(rb"HTTP/1.1 (\d+)", text)
    assert statuses == [b"204", b"404", b"204"]
    assert house.hits() == [ANNA, ANNA]


def test_an_upgrade_that_is_not_offered_is_ignored(
    collector: Collector, house: House, key: str
) -> None:
    body = envelope(ANNA)
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    line = raw.head(f"POST /v1/{key}", f"Content-Length: {len(body)}", *upgrade)
    assert raw.send(collector.port, line + body).status == 204
    assert (
        raw.send(collector.port, raw.head(f"GET /v1/{key}.gif?_visitor=b", *upgrade)).status == 200
    )
    assert len(house.hits()) == 2


def test_many_offers_to_upgrade_in_one_write_are_ignored(
    collector: Collector, house: House, key: str
) -> None:
    body, count = envelope(ANNA), 20
    upgrade = ("Connection: Upgrade", "Upgrade: h2c")
    one = raw.head(f"POST /v1/{key}", f"Content-Length: {len(body)}", *upgrade) + body
    last = raw.head("GET /health/alive", "Connection: close")
    with raw.connect(collector.port) as connection:
        connection.sendall(one * count + last)
        text = b""
        while more := connection.recv(65536):
            text += more
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"204"] * count + [b"200"]
    assert house.hits() == [ANNA] * count


def test_a_sender_that_leaves_in_mid_body_leaves_nothing(
    collector: Collector, house: House, key: str
) -> None:
    body = envelope(ANNA)
    with raw.connect(collector.port) as connection:
        line = raw.head(f"POST /v1/{key}", f"Content-Length: {len(body) + 1}")
        connection.sendall(line + body)
    assert collector.post(key, envelope(BEN)).status_code == 204
    assert house.hits() == [BEN]


def test_a_body_in_many_small_chunks(collector: Collector, house: House, key: str) -> None:
    body = envelope(ANNA)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    line = raw.head(f"POST /v1/{key}", "Transfer-Encoding: chunked")
    assert raw.send(collector.port, line + chunks).status == 204
    assert house.hits() == [ANNA]


def test_health_is_about_taking_hits_also_while_nobody_confirms_the_table(
    collector: Collector, house: House
) -> None:
    assert collector.http.get("/health").status_code == 200
    house.end_lease()
    answer = collector.http.get("/health")
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["access-control-allow-origin"] == "*"
