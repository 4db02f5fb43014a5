"""What is kept of a sender's IP address."""

import re
from functools import lru_cache
from ipaddress import IPv6Address

WHOLE, TRUNCATED, NONE = "whole", "truncated", "none"
"""The rules that a section may choose from."""
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_LONGEST = 45
"""Characters of an IPv6 address at the most: of one that ends in IPv4's notation."""
_V4 = re.compile(rf"({_BYTE}\.{_BYTE}\.{_BYTE})\.{_BYTE}")


def is_v4(text: str) -> bool:
    """Whether a text is an IPv4 address, in its one usual notation."""
    return _V4.fullmatch(text) is not None


def plain(address: str) -> str:
    """An IPv4 address as itself, where a socket of IPv6 that takes both has put it in clothes."""
    inner = address.removeprefix("::ffff:")
    return inner if is_v4(inner) else address


def kept(address: str, rule: str) -> str | None:
    """As much of an IPv4 or IPv6 address as a section's rule keeps; None for nothing.

    Truncated, IPv4 keeps its first three bytes (/24), IPv6 its first six (/48); the rest is zero.
    IPv4 in IPv6's clothes (::ffff:192.0.2.1) is IPv4. What is no address is not kept: a proxy's
    header may say `unknown`, or anything.
    """
    if rule == NONE:
        return None
    if ":" not in address:
        return _kept_v4(address, rule)
    address = address.partition("%")[0]
    # Proxies may pass on anything; what is remembered must not be as long as a header can be.
    return _kept_v6(address, rule) if len(address) <= _LONGEST else None


def _kept_v4(address: str, rule: str) -> str | None:
    match = _V4.fullmatch(address)
    if match is None:
        return None
    return address if rule == WHOLE else f"{match[1]}.0"


@lru_cache(maxsize=4096)  # to take one apart costs as much as a tenth of a request
def _kept_v6(address: str, rule: str) -> str | None:
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return None
    if parsed.ipv4_mapped is not None:
        return _kept_v4(str(parsed.ipv4_mapped), rule)
    return str(parsed if rule == WHOLE else IPv6Address(int(parsed) >> 80 << 80))


def network(address: str) -> str:
    """Who shares a limit: an IPv4 address, or the /64 of an IPv6 one, which is one customer's.

    What is no address stands for itself, as far as one could be long.
    """
    address = address.partition("%")[0][:_LONGEST]
    return _network_v6(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _network_v6(address: str) -> str:
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
