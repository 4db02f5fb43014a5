"""Who sent a request: what its headers and its address say of that, beside its body.

Plain functions that know no HTTP server: headers are bytes, with names in lower case.
"""

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from tracker.rules import ip_addresses
from tracker.rules.hits import Sender
from tracker.stores.hit_queue import pack_sender

MAX_AGENT = 500
"""Characters of a User-Agent header that are kept."""
MAX_TAG = 200
"""Characters of a signed tag that are kept; a real one has 75."""
MAX_PARAMETERS = 200
"""Of a query's parameters, how many are looked at, from its end."""
_MAX_ESCAPED = 12 * MAX_TAG
"""Bytes of a tag whose characters all have four bytes, which are all escaped."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for NUL in a tag, which PostgreSQL takes in no text: its whole batch would be refused."""
_PURPOSES = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_AHEAD = (b"prefetch", b"prerender", b"preview")


class Seen(msgspec.Struct):
    """What came with a request's body; client: the IP address, whole, which goes no further.

    The rest of it is as in `Sender`; origin: None without an Origin header.
    """

    client: str | None = None
    origin: str | None = None
    agent: str = ""
    tag: str = ""
    test: bool = False
    prefetch: bool = False
    _packed: tuple[str, bytes] = ("", b"")

    def packed(self, addresses: str) -> bytes:
        """The sender as the hit queue takes it; addresses: what its section keeps of IP addresses.

        It is remembered: a connection's requests mostly say the same of who sends them.
        """
        if self._packed[0] != addresses:
            self._packed = addresses, pack_sender(self._sender(addresses))
        return self._packed[1]

    def _sender(self, addresses: str) -> Sender:
        address = ip_addresses.kept(self.client, addresses) if self.client else None
        return Sender(address, self.agent, self.tag, self.test, self.prefetch)


def see(named: Mapping[bytes, bytes], client: str | None, query: Mapping[str, str]) -> Seen:
    """A request as far as its headers and the parameters `test` and `tag` tell of its sender."""
    origin = named.get(b"origin")
    return Seen(
        client,
        None if origin is None else origin.decode("latin-1"),
        named.get(b"user-agent", b"")[:MAX_AGENT].decode("latin-1"),
        query.get("tag", "")[:MAX_TAG].replace("\0", REPLACEMENT),
        "test" in query,
        _is_prefetch(named),
    )


def parameters(query: bytes) -> dict[str, str]:
    """`test` and `tag` out of the query of a POST, which may have others, too; the last counts.

    A query may be 60 kB, and is looked at before its key: only the end of a long one is read.
    """
    if not query:
        return {}
    found: dict[bytes, bytes] = {}
    for part in query.rsplit(b"&", MAX_PARAMETERS)[-MAX_PARAMETERS:]:
        name, _, value = part.partition(b"=")
        if name in (b"test", b"tag"):
            found[name] = value[:_MAX_ESCAPED]
    return {name.decode(): unquote(value.decode("latin-1")) for name, value in found.items()}


def _is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the browser fetched the page before anybody asked to see it, and says so."""
    if headers.keys().isdisjoint(_PURPOSES):
        return False
    said = b" ".join(headers.get(name, b"") for name in _PURPOSES).lower()
    return any(word in said for word in _AHEAD)
