"""The reverse proxies of which X-Forwarded-For is believed, and whose request they passed on."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tracker.rules.ip_addresses import is_v4


class Proxies:
    """uvicorn's reading of the header, as Starlette's endpoints get it, with a shorter way to it.

    uvicorn takes each address apart, which costs as much as all of the request's other headers.
    That is only done where the address begins with the number that a proxy's begins with.
    """

    def __init__(self, trusted: str) -> None:
        self._hosts = ProxyHeadersMiddleware(_no_app, trusted).trusted_hosts
        self._numbers = frozenset(
            number
            for proxies in (*self._hosts.trusted_hosts, *self._hosts.trusted_networks)
            for number in _first_numbers(proxies)
        )

    def __contains__(self, address: str | None) -> bool:
        return address in self._hosts

    def client(self, forwarded: bytes) -> str | None:
        """The IP address of the client, by the header's value; None where it says nothing."""
        text = forwarded.decode("latin-1")
        if is_v4(text) and text.partition(".")[0] not in self._numbers:
            return text
        return self._hosts.get_trusted_client_address(text)[0] or None


def _first_numbers(proxies: IPv4Address | IPv6Address | IPv4Network | IPv6Network) -> set[str]:
    """With what IPv4 addresses of proxies begin: `10` of 10.1.0.0/16."""
    if proxies.version == 6:
        return set()
    if isinstance(proxies, IPv4Address):
        return {str(proxies.packed[0])}
    assert isinstance(proxies, IPv4Network)
    first, last = proxies.network_address.packed[0], proxies.broadcast_address.packed[0]
    return {str(number) for number in range(first, last + 1)}


async def _no_app(*_: object) -> None:
    """Stands where ProxyHeadersMiddleware wants an application."""
