"""How much of an IP address is kept: what the section's rule says, and never more."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.rules import ip_addresses
from tracker.rules.ip_addresses import NONE, TRUNCATED, WHOLE, kept, network


@pytest.mark.parametrize(
    ("address", "whole", "truncated"),
    [
        ("203.0.113.77", "203.0.113.77", "203.0.113.0"),
        ("255.255.255.255", "255.255.255.255", "255.255.255.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:DB8:0001::00ff", "2001:db8:1::ff", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0"),
        ("::ffff:cb00:714d", "203.0.113.77", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::1", "fe80::"),
        ("::1", "::1", "::"),
    ],
)
def test_addresses(address: str, whole: str, truncated: str) -> None:
    assert kept(address, WHOLE) == whole
    assert kept(address, TRUNCATED) == truncated
    assert kept(address, NONE) is None


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "1.2.3", "1.2.3.4:80", "[::1]", "1.2.3.4, 5.6.7.8", ":", "\0", "٣.1.1.1"],
)
def test_what_is_no_address_is_not_kept(text: str) -> None:
    assert [kept(text, rule) for rule in (WHOLE, TRUNCATED, NONE)] == [None, None, None]


def test_what_a_proxy_passed_on_is_not_remembered_at_any_length() -> None:
    before = ip_addresses._kept_v6.cache_info().currsize
    assert kept("a:" * 30_000, TRUNCATED) is None
    assert ip_addresses._kept_v6.cache_info().currsize == before
    assert kept("0000:0000:0000:0000:0000:ffff:203.100.113.177", TRUNCATED) == "203.100.113.0"


@given(st.ip_addresses())
def test_a_truncated_address_says_no_more_than_its_network(address: object) -> None:
    plain = getattr(address, "ipv4_mapped", None) or ip_address(str(address))
    network = ip_network(f"{plain}/{24 if plain.version == 4 else 48}", strict=False)
    assert kept(str(address), TRUNCATED) == str(network.network_address)


@given(st.text())
def test_any_text_is_an_address_or_nothing(text: str) -> None:
    found = kept(text, WHOLE)
    assert found is None or str(ip_address(found)) == found


@pytest.mark.parametrize(
    ("address", "shares"),
    [
        ("203.0.113.77", "203.0.113.77"),
        ("::ffff:203.0.113.77", "203.0.113.77"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        (":" + "x" * 10_000, ":" + "x" * 44),
    ],
)
def test_who_shares_a_limit(address: str, shares: str) -> None:
    assert network(address) == shares
