"""Whom the collector takes for the client whose request a proxy passed on: as uvicorn does."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tracker.collector.proxies import Proxies

TRUSTED = "127.0.0.1,::1,10.1.0.0/16,192.0.0.0/6,2001:db8::/32"
PROXIES = Proxies(TRUSTED)


async def no_app(*_: object) -> None:
    raise NotImplementedError


UVICORN = ProxyHeadersMiddleware(no_app, TRUSTED).trusted_hosts
ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["10.1.2.3", "10.2.0.1", "192.0.2.1", "195.255.0.1", "196.0.0.1", "127.0.0.1"]),
    st.sampled_from(["unknown", "", "203.0.113.9:4711", "[2001:db8::1]:4711", "010.1.2.3"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20),
)


@given(st.lists(ADDRESSES, min_size=1, max_size=3))
@example(["203.0.113.9"])
@example(["198.51.100.7", "10.1.2.3"])
def test_it_is_uvicorns_reading(addresses: list[str]) -> None:
    forwarded = ", ".join(addresses)
    expected = UVICORN.get_trusted_client_address(forwarded)[0] or None
    assert PROXIES.client(forwarded.encode("latin-1")) == expected


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b"203.0.113.9, 10.1.2.3", "203.0.113.9"),  # the last one is a proxy
        (
            b"203.0.113.9, 10.2.0.1",
            "10.2.0.1",
        ),  # what a stranger wrote counts for nothing
        (b"10.1.2.3", "10.1.2.3"),
        (b"", None),
    ],
)
def test_the_last_address_that_is_no_proxys(forwarded: bytes, client: str | None) -> None:
    assert PROXIES.client(forwarded) == client
