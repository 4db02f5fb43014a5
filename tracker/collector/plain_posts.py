"""POSTs of hits about which nothing is out of the common, read without a parser of HTTP.

Nearly all requests are: one read has one whole request, and its headers say no more of how it is to
be read than its length. What is taken here is a narrow part of HTTP/1.1, in which no two readers
can differ about where a request ends. Everything else, and whatever is in doubt, is for the parser;
tests/collector/test_plain_posts.py holds both against each other.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

MOST_BYTES = 8_000
"""That a plain head has: each connection remembers its last one."""


class Head(NamedTuple):
    """What a plain POST says before its body, as far as anybody wants to know.

    named: headers by name in lower case, as `senders.see` wants them; of those that come twice,
    the last.
    """

    key: str
    query: bytes
    named: Mapping[bytes, bytes]


_NOT_TO_MISS = (
    *("connection", "content-length", "expect", "proxy-connection", "transfer-encoding", "upgrade"),
    *("origin", "purpose", "sec-purpose", "user-agent", "x-forwarded-for", "x-moz", "x-purpose"),
)
"""Headers that change what a request means: they are as below, or the request is not plain."""
_NAMED = (b"origin", b"user-agent", b"x-forwarded-for")
_LENGTH, _FORWARDED = 3, 6
"""Numbers of groups, in the order in which they open."""
_TEXT = r"[!-~][ -~]*+(?<! )"


def _any_of(names: Iterable[str]) -> str:
    """A pattern of names, and of a few more, that is quick to see that a name is none of them."""
    first = "".join(sorted({name[0] for name in names}))
    return f"[{first}{first.upper()}](?i:{'|'.join(name[1:] for name in names)})"


def _unless(group: int) -> str:
    """Matches where a group has matched nothing so far."""
    return f"(?({group})(?!))"


_HEADERS = (
    rf"[Cc]ontent-[Ll]ength: {_unless(_LENGTH)}([1-9][0-9]{{0,4}})",
    rf"[Oo]rigin: ({_TEXT})",
    rf"[Uu]ser-[Aa]gent: ({_TEXT})",
    rf"[Xx]-[Ff]orwarded-[Ff]or: {_unless(_FORWARDED)}({_TEXT})",
    r"[Cc]onnection: [Kk]eep-[Aa]live",
    rf"(?!{_any_of(_NOT_TO_MISS)}:)[!#$%&'*+.^_`|~0-9A-Za-z-]++: [ -~]*+",
)


def pattern(paths: Iterable[str], most_headers: int) -> re.Pattern[bytes]:
    """Matches the head of a plain POST to an address below one of these paths."""
    address = rf"(?:{'|'.join(map(re.escape, paths))})/(\w++)(?:\?([!-~]*+))?"
    headers = rf"(?>(?>{'|'.join(_HEADERS)})\r\n){{1,{most_headers}}}+"
    return re.compile(rf"POST {address} HTTP/1\.1\r\n{headers}\r\n".encode())


class PlainPosts(Generic[T]):
    """Those of one connection; most have the very same head but for Content-Length.

    look: makes of a head what is to be known of it.
    """

    def __init__(self, heads: re.Pattern[bytes], look: Callable[[Head], T]) -> None:
        self._heads, self._look = heads, look
        self._before, self._after = b"none so far", b""
        self._seen: T

    def read(self, data: bytes) -> tuple[T, bytes] | None:
        """What its head says, and its body, if the data is one plain POST, no less and no more."""
        if data.startswith(self._before):
            start = len(self._before)
            end = data.find(b"\r", start, start + 6)
            if end > 0 and data.startswith(self._after, end):
                body = data[end + len(self._after) :]
                return (self._seen, body) if data[start:end] == b"%d" % len(body) else None
        return self._read_anew(data)

    def _read_anew(self, data: bytes) -> tuple[T, bytes] | None:
        found = self._heads.match(data)
        if found is None or found.end() > MOST_BYTES:
            return None
        key, query, length, *values = found.groups()
        body = data[found.end() :]
        if length != b"%d" % len(body):
            return None
        named = {name: value for name, value in zip(_NAMED, values, strict=True) if value}
        self._seen = self._look(Head(key.decode(), query or b"", named))
        start, end = found.span(_LENGTH)
        self._before, self._after = data[:start], data[end : found.end()]
        return self._seen, body
