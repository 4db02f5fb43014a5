"""Which websites may send hits: patterns as people write them, and Origin headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.rules.errors import ErrorCode
from tracker.rules.origins import (
    MAX_PATTERNS,
    BadOriginError,
    lets_in,
    parse_pattern,
    read_patterns,
)

SHOP = "https://shop.example.com"
BELOW = "https://*.example.com"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (SHOP, SHOP),
        ("  HTTPS://Shop.Example.COM/ ", SHOP),
        (f"{SHOP}:443", SHOP),
        (f"{SHOP}:0443", SHOP),
        (f"{SHOP}:80", f"{SHOP}:80"),
        (f"{SHOP}:8443", f"{SHOP}:8443"),
        ("http://shop.example.com:80", "http://shop.example.com"),
        ("http://shop.example.com:443", "http://shop.example.com:443"),
        ("http://intranet", "http://intranet"),
        ("https://my_shop.example", "https://my_shop.example"),
        (BELOW, BELOW),
        ("https://*.EXAMPLE.com:443/", BELOW),
        ("http://*.shop.example.com:8080", "http://*.shop.example.com:8080"),
        ("http://*.localhost:3000", "http://*.localhost:3000"),
        ("null", "null"),
        (" NULL ", "null"),
        ("https://Räftegård.example", "https://xn--rftegrd-5wan.example"),
        ("https://*.straße.example", "https://*.xn--strae-oqa.example"),
        ("https://shop。example", "https://shop.example"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("http://[2001:DB8:0:0::1]", "http://[2001:db8::1]"),
        ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"),
    ],
)
def test_a_pattern_has_one_spelling(written: str, kept: str) -> None:
    assert parse_pattern(written) == kept
    assert parse_pattern(kept) == kept


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "looks like https://shop.example.com"),
        ("*", "allow no origins at all"),
        ("shop.example.com", "looks like https://shop.example.com"),
        ("*.example.com", "looks like https://*.example.com"),
        ("shop.example.com:8080", "looks like"),
        ("//shop.example.com", "looks like"),
        ("ftp://shop.example.com", "neither https:// nor http://"),
        ("*://shop.example.com", "neither https:// nor http://"),
        ("htps://shop.example.com", "neither https:// nor http://"),
        (f"{SHOP}/checkout", f"has a path, which origins have none of: write {SHOP}."),
        (f"{SHOP}//", "has a path"),
        (f"{SHOP}?a=b", "has a path"),
        (f"{SHOP}#top", "has a path"),
        (f"{SHOP}\\x", "has a path"),
        ("https://ann@shop.example.com", "user name"),
        ("https://", "no name of a host"),
        ("https://:443", "no name of a host"),
        ("https://shop..example", "no name of a host"),
        ("https://shop.example.", "no name of a host"),
        ("https://shop example", "each origin by itself"),
        ("https://shop.example, https://other.example", "each origin by itself"),
        ("https://shop.example,https://other.example", "each origin by itself"),
        ("https://sh\nop.example", "each origin by itself"),
        ("https://\u200b\u00e4\ud800.example", "no name of a host"),
        ("https://xn--\u00e4.example", "no name of a host"),
        (f"https://{'a' * 64}.example", "no name of a host"),
        (f"https://{'a.' * 127}example", "no name of a host"),
        (f"{SHOP}:", "a port is a number"),
        (f"{SHOP}:0", "a port is a number"),
        (f"{SHOP}:65536", "a port is a number"),
        (f"{SHOP}:8o", "a port is a number"),
        (f"{SHOP}:٤٤٣", "a port is a number"),
        ("https://*", "stands for subdomains, in front"),
        ("https://*example.com", "stands for subdomains, in front"),
        ("https://shop.*.com", "stands for subdomains, in front"),
        ("https://*.*.example.com", "stands for subdomains, in front"),
        (f"{SHOP}:*", "a port is a number"),
        ("https://*.com", "too few parts"),
        ("https://*.", "no name of a host"),
        ("https://*.127.0.0.1", "an IP address has no subdomains"),
        ("https://*.[::1]", "no name of a host"),
        ("https://127.1", "no IPv4 address"),
        ("https://0x7f.0x1", "no IPv4 address"),
        ("https://1.2.3.256", "no IPv4 address"),
        ("https://::1", "stands in brackets"),
        ("https://[::1", "stands in brackets"),
        ("https://[::1]x", "no IPv6 address"),
        ("https://[fe80::1%eth0]", "no IPv6 address"),
        ("https://[]", "no IPv6 address"),
    ],
)
def test_what_is_no_pattern_says_why(written: str, says: str) -> None:
    with pytest.raises(BadOriginError) as error:
        parse_pattern(written)
    assert says in str(error.value)


@given(st.text() | st.from_regex(r"https?://[*a-zA-Z0-9.:\[\]@/-]{0,20}"))
def test_any_text_is_a_pattern_with_one_spelling_or_an_error(text: str) -> None:
    try:
        kept = parse_pattern(text)
    except BadOriginError:
        return
    assert parse_pattern(kept) == kept
    assert kept.isascii()
    assert kept == kept.lower()
    assert lets_in([kept], kept.replace("*", "www"))


def test_patterns_are_kept_once_and_in_their_order() -> None:
    assert read_patterns([f"{SHOP}/", "null", SHOP.upper()]) == ([SHOP, "null"], [])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    kept, errors = read_patterns(["*", SHOP, "https://*.com"])
    assert kept == [SHOP]
    assert [error.field for error in errors] == ["origins[0]", "origins[2]"]
    many = [f"https://shop-{number}.example" for number in range(MAX_PATTERNS + 1)]
    assert len(read_patterns(many[1:])[0]) == MAX_PATTERNS
    [error] = read_patterns(many)[1]
    assert (error.field, error.code) == ("origins", ErrorCode.TOO_MANY)


@pytest.mark.parametrize(
    ("patterns", "origin", "expected"),
    [
        ([], SHOP, True),
        ([], "null", True),
        ([SHOP], SHOP, True),
        ([SHOP], "http://shop.example.com", False),
        ([SHOP], f"{SHOP}:8443", False),
        ([SHOP], f"{SHOP}.evil.example", False),
        ([SHOP], "https://www.shop.example.com", False),
        ([SHOP], "null", False),
        ([SHOP], "", False),
        ([SHOP, "null"], "null", True),
        ([BELOW], SHOP, True),
        ([BELOW], "https://a.b.c.example.com", True),
        ([BELOW], "https://xn--rftegrd-5wan.example.com", True),
        ([BELOW], "https://example.com", False),
        ([BELOW], "https://.example.com", False),
        ([BELOW], "https://notexample.com", False),
        ([BELOW], "https://shop.example.com.evil.example", False),
        ([BELOW], "http://shop.example.com", False),
        ([BELOW], f"{SHOP}:8443", False),
        ([BELOW], "https://evil.example/.example.com", False),
        ([BELOW], "https://evil.example, https://shop.example.com", False),
        ([BELOW], "https://evil.example:1.example.com", False),
        ([BELOW], "https://evil.example\n.example.com", False),
        ([BELOW], "null", False),
        ([f"{BELOW}:8443"], f"{SHOP}:8443", True),
        ([f"{BELOW}:8443"], SHOP, False),
        (["https://other.example", BELOW], SHOP, True),
        ([BELOW, SHOP], SHOP, True),
    ],
)
def test_which_origins_are_let_in(patterns: list[str], origin: str, expected: bool) -> None:
    assert lets_in(patterns, origin) is expected
    assert lets_in(patterns, origin, test=True) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost", True),
        ("https://localhost:3000", True),
        ("http://shop.localhost:8080", True),
        ("http://a.b.localhost", True),
        ("http://127.0.0.1:5500", True),
        ("http://[::1]:5500", True),
        ("http://127.0.0.2", False),
        ("http://localhost.evil.example", False),
        ("http://notlocalhost", False),
        ("http://evil.example#localhost", False),
        ("http://.localhost", False),
        ("ftp://localhost", False),
        ("http://localhost:", False),
        ("http://localhost:3000/", False),
        ("http://localhost\n", False),
        ("null", False),
    ],
)
def test_hits_for_trying_out_may_come_from_this_machine(origin: str, expected: bool) -> None:
    assert lets_in([SHOP], origin, test=True) is expected
    assert not lets_in([SHOP], origin)
