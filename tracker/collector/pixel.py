"""The pixel: one hit in the address of an image, for mails and pages without JavaScript."""

import os
from urllib.parse import parse_qsl

import msgspec

from tracker.rules import ids

GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_OWN = ("_id", "_at", "_visitor", "_page", "_referrer")
MAX_PARAMETERS = 200


def envelope(query: bytes, referer: str | None, now_ms: int) -> bytes:
    """The envelope that says the same as the address: `_id`, `_at`… and the fields as strings.

    Without `_id` the collector mints one, and a repeated request is then another hit.
    Raises ValueError for an address with more than 200 parameters.
    """
    given = dict(
        parse_qsl(
            query.decode("utf-8", "replace"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="replace",
            max_num_fields=MAX_PARAMETERS,
        )
    )
    own = {name[1:]: given.pop(name) for name in _OWN if name in given}
    at = own.get("at", "")
    hit = {
        "id": own.get("id") or mint(now_ms),
        "at": int(at) if at.isascii() and at.isdecimal() and len(at) < 16 else at or now_ms,
        "visitor": own.get("visitor"),
        "page": own.get("page") or referer,
        "referrer": own.get("referrer"),
        "data": given,
    }
    return msgspec.json.encode({"sent": now_ms, "hits": [hit]})


def mint(now_ms: int) -> str:
    """A hit id for a sender that gave none."""
    return str(ids.mint(now_ms, os.urandom(ids.RANDOM_BYTES)))
