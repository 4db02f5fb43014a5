"""What is read without a parser of HTTP: nothing that the parser would read in another way."""

from collections.abc import Callable

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.collector.plain_posts import MOST_BYTES, Head, PlainPosts, pattern

HEADS = pattern(["/v1", "/of/our.own"], 20)
BROWSERS = (
    b"POST /v1/abc012 HTTP/1.1\r\nHost: c.example\r\nConnection: keep-alive\r\n"
    b"Content-Length: 11\r\nUser-Agent: Mozilla/5.0 (X11) Chrome/142\r\nAccept: */*\r\n"
    b'sec-ch-ua-platform: "Linux"\r\nOrigin: https://hotel.example\r\n\r\n{"hits":[]}'
)
PROXYS = (
    b"POST /of/our.own/abc?test&tag=1.ff HTTP/1.1\r\nx-forwarded-for: 192.0.2.1, 198.51.100.7\r\n"
    b"host: c\r\ncontent-length: 2\r\nuser-agent: curl/8\r\n\r\n{}"
)


def whole(head: Head) -> Head:
    return head


def read(data: bytes) -> tuple[Head, bytes] | None:
    return PlainPosts(HEADS, whole).read(data)


class Parsed:
    """What httptools, set as uvicorn sets it, reads out of data."""

    def __init__(self, data: bytes) -> None:
        self.url, self.headers, self.body, self.ended = b"", list[tuple[bytes, bytes]](), b"", 0
        self.goes_on = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_begin(self) -> None:
        assert not self.ended, "no second request"

    def on_message_complete(self) -> None:
        self.ended += 1
        self.goes_on = self.parser.should_keep_alive() and not self.parser.should_upgrade()


def check_with_parser(data: bytes, head: Head, body: bytes) -> None:
    """The parser reads the very same, and the connection is then as it was before."""
    parsed = Parsed(data)
    address, _, query = parsed.url.partition(b"?")
    named = dict(parsed.headers)
    said = {b"origin", b"user-agent", b"x-forwarded-for"} & named.keys()
    assert (parsed.parser.get_method(), parsed.parser.get_http_version()) == (b"POST", "1.1")
    assert not {b"expect", b"purpose", b"sec-purpose", b"x-purpose", b"x-moz"} & named.keys()
    assert [name for name, _ in parsed.headers].count(b"x-forwarded-for") <= 1
    assert len(parsed.headers) <= 20
    assert (address.rpartition(b"/")[2].decode(), query) == (head.key, head.query)
    assert {name: named[name] for name in said} == head.named
    assert (parsed.body, parsed.ended, parsed.goes_on) == (body, 1, True)


HEADERS = [
    *("Content-Length: 2", "Content-Length: 11", "Content-Length: 02", "Content-Length: +2"),
    *("Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Upgrade: h2c", "Expect: x"),
    *("Connection: close", "Connection: Upgrade", "Connection: keep-alive, close", "Connection: x"),
    *(
        "Proxy-Connection: close",
        "Proxy-Connection: x",
        "Connection: Keep-Alive",
        "X-Moz: prefetch",
    ),
    *("Sec-Purpose: prefetch", "Purpose: x", "X-Purpose: x", "Origin: null", "Origin: a b"),
    *("User-Agent: x", "X-Forwarded-For: ::1", "Accept: x", "Content-Lengths: 2", "X-: x", "(: x"),
]
CASES: list[Callable[[str], str]] = [str, str.lower, str.upper]
ODD = ["", " ", "\t", "\r", "\n", "\r\n", "\r\n ", "\0", "\x7f", "\xe9", ":", ",", "0", "a"]


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """A header that may mean something, in any case, and at times with something odd in it."""
    case = draw(st.sampled_from(CASES))
    name, _, value = draw(st.sampled_from(HEADERS)).partition(": ")
    parts = [case(name), ":", " ", value, "\r\n"]
    if draw(st.integers(0, 3)) == 0:
        parts[draw(st.integers(0, 4))] += draw(st.sampled_from(ODD))
    if draw(st.integers(0, 5)) == 0:
        parts[draw(st.integers(0, 4))] = draw(st.sampled_from(ODD))
    return "".join(parts).encode("latin-1")


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Plain POSTs with a header more, a few bytes more or fewer somewhere, or one after another."""
    data = draw(st.sampled_from([BROWSERS, PROXYS]))
    lines = [at for at in range(2, len(data)) if data[at - 2 : at] == b"\r\n"]
    for header in draw(st.lists(headers(), max_size=2)):
        at = draw(st.sampled_from(lines))
        data = data[:at] + header + data[at:]
    if draw(st.integers(0, 7)) == 0:
        at, size = draw(st.integers(0, len(data))), draw(st.integers(0, 3))
        data = data[:at] + draw(st.binary(max_size=2)) + data[at + size :]
    return data + draw(st.sampled_from([b""] * 20 + [b"\r\n", b"}", BROWSERS]))


def test_what_browsers_and_proxies_send() -> None:
    head, body = read(BROWSERS) or pytest.fail("is plain")
    agent, origin = b"Mozilla/5.0 (X11) Chrome/142", b"https://hotel.example"
    assert head == Head("abc012", b"", {b"origin": origin, b"user-agent": agent})
    assert body == b'{"hits":[]}'
    head, body = read(PROXYS) or pytest.fail("is plain")
    named = {b"x-forwarded-for": b"192.0.2.1, 198.51.100.7", b"user-agent": b"curl/8"}
    assert (head, body) == (Head("abc", b"test&tag=1.ff", named), b"{}")


@settings(max_examples=500)
@given(data=requests())
def test_the_parser_reads_the_same(data: bytes) -> None:
    if plain := read(data):
        check_with_parser(data, *plain)


@given(datas=st.lists(requests(), max_size=4))
def test_what_came_before_changes_nothing(datas: list[bytes]) -> None:
    posts = PlainPosts(HEADS, whole)
    for data in [BROWSERS, *datas, BROWSERS, *datas]:
        assert posts.read(data) == read(data)


@pytest.mark.parametrize(
    "header",
    [
        *("Content-Length: 11", "CONTENT-LENGTH: 11", "Transfer-Encoding: chunked"),
        *("TRANSFER-encoding: identity", "transfer-encoding:chunked", "Expect: 100-continue"),
        *("Upgrade: h2c", "Connection: close", "connection: keep-alive, upgrade"),
        *("Proxy-Connection: close", "Sec-Purpose: prefetch", "X-Moz: prefetch", "Origin:x"),
        *("ORIGIN: x", "USER-agent: x", "Origin: x ", "X: \t", "X : a", " folded", "X: \x7f"),
        *("X: \0", "X: é", "X", ": a", "", "X: a\n Y: b", "X: a\r", "X(: a"),
    ],
)
def test_what_is_left_to_the_parser(header: str) -> None:
    line = f"\r\n{header}\r\nAccept".encode("latin-1")
    assert read(BROWSERS.replace(b"\r\nAccept", line, 1)) is None


def test_more_or_less_than_one_request_is_left_to_the_parser() -> None:
    posts = PlainPosts(HEADS, whole)
    for _ in range(2):
        assert posts.read(BROWSERS) is not None
        for data in (BROWSERS * 2, BROWSERS + b"\r\n", b"\r\n" + BROWSERS):
            assert posts.read(data) is None
        assert not [size for size in range(len(BROWSERS)) if posts.read(BROWSERS[:size])]


def test_heads_that_are_too_large_are_left_to_the_parser() -> None:
    more = b"\r\nX: a" * 13
    assert read(BROWSERS.replace(b"\r\nOrigin", more + b"\r\nOrigin")) is not None
    assert read(BROWSERS.replace(b"\r\nOrigin", more + b"\r\nX: a\r\nOrigin")) is None
    assert read(BROWSERS.replace(b"*/*", b"a" * MOST_BYTES)) is None


def test_other_addresses_are_left_to_the_parser() -> None:
    for address in ("/v1/", "/v1/a/", "/v1/a.gif", "/v2/a", "/of/our_own/a", "/v1/%61", "//v1/a"):
        assert read(BROWSERS.replace(b"/v1/abc012", address.encode())) is None, address
    for line in (b"GET", b"post", b"POST  "):
        assert read(BROWSERS.replace(b"POST", line)) is None
