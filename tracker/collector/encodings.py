"""Content-Encoding and ETags by the headers of a request, as in RFC 9110 (8.8, 12.5.3, 13.1)."""

import gzip

import brotli  # type: ignore[import-untyped]

PREFERRED = ("br", "gzip", "identity")
"""The smallest first; `identity` is the text as it is."""


def choose(accepted: str | None) -> str:
    """The encoding that the client of this Accept-Encoding likes most, of ours; ties by size.

    Without a header it is `identity`. So it is for one that refuses all: text beats a 406.
    """
    if accepted is None:
        return "identity"
    qualities = _qualities(accepted)
    others = qualities.get("*", 0.0)
    ours = {name: qualities.get(name, others) for name in PREFERRED}
    best = max(PREFERRED, key=ours.__getitem__)
    return best if ours[best] else "identity"


def _qualities(accepted: str) -> dict[str, float]:
    """How much each encoding is liked, 0 to 1; unmentioned ones are not in it, but identity is."""
    qualities = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        qualities[name.strip()] = quality if 0 <= quality <= 1 else 0.0
    if "*" not in qualities:
        qualities.setdefault("identity", 0.0001)
    return qualities


def encode(body: bytes, encoding: str) -> bytes:
    """The body as an encoding has it, as small as it gets: it is kept, and sent many times."""
    if encoding == "br":
        return bytes(brotli.compress(body, mode=brotli.MODE_TEXT, quality=11))
    if encoding == "gzip":
        return gzip.compress(body, 9, mtime=0)
    return body


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether a client has what this ETag names: then 304 is enough.

    Weakly: proxies make ETags weak (`W/`) when they compress, or merely pass through.
    """
    if if_none_match is None:
        return False
    known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in known or etag in known
