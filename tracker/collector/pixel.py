"""The pixel: one hit in the address of an image, for mails and pages without JavaScript."""

import os
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from tracker.rules import ids

GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_OWN = ("_id", "_at", "_visitor", "_page", "_referrer")
_SENDERS = ("_test", "_tag")
MAX_PARAMETERS = 200


def parameters(query: bytes) -> dict[str, str]:
    """The address's parameters, decoded; of a name that comes twice, the last one counts.

    Raises ValueError for more than 200 of them.
    """
    return dict(
        parse_qsl(
            query.decode("utf-8", "replace"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="replace",
            max_num_fields=MAX_PARAMETERS,
        )
    )


def of_sender(given: Mapping[str, str]) -> dict[str, str]:
    """What `_test` and `_tag` say: the same as `test` and `tag` in the address of a POST."""
    return {name[1:]: given[name] for name in _SENDERS if name in given}


def envelope(given: Mapping[str, str], referer: str | None, now_ms: int) -> bytes:
    """The envelope that says the same as the address: `_id`, `_at`… and the fields as strings.

    Without `_id` the collector mints one, and a repeated request is then another hit.
    """
    own = {name[1:]: given[name] for name in _OWN if name in given}
    at = own.get("at", "")
    hit = {
        "id": own.get("id") or mint(now_ms),
        "at": int(at) if at.isascii() and at.isdecimal() and len(at) < 16 else at or now_ms,
        "visitor": own.get("visitor"),
        "page": own.get("page") or referer,
        "referrer": own.get("referrer"),
        "data": {name: text for name, text in given.items() if name not in _OWN + _SENDERS},
    }
    return msgspec.json.encode({"sent": now_ms, "hits": [hit]})


def mint(now_ms: int) -> str:
    """A hit id for a sender that gave none."""
    return str(ids.mint(now_ms, os.urandom(ids.RANDOM_BYTES)))
