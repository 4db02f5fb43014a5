"""The quarantine of a section, or of hits of no section: groups, one hit whole, discarding."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
import psycopg

from tracker.rules.outcomes import Reason
from tracker.stores import batches, quarantine
from tracker.stores.quarantine import Pin, QuarantinedHit, Summary

WINDOW = 5_000
"""Hits that are looked at: the newest. Older ones come in once those are replayed or discarded."""
MOST_GROUPS = 25
EXAMPLES = 3
MAX_PAGE = 200
"""Characters."""


class Group(msgspec.Struct, frozen=True):
    """Hits that are wrong in the same way, of the same event, fields and page; the newest first.

    page: without its query, "" where the hit says none; id: names the group in addresses; event and
    version_number: what they were rejected by, and pin: what their snippets are pinned to, or None.
    """

    id: str
    reason: Reason
    event: str | None
    slug: str | None
    version_number: int | None
    hidden: bool
    fields: tuple[str, ...]
    page: str
    hits: list[int]
    newest_at: datetime
    pin: Pin | None

    @property
    def examples(self) -> list[int]:
        return self.hits[:EXAMPLES]


class Overview(msgspec.Struct, frozen=True):
    """The groups, the largest first; total: all of the section's; more: groups left out."""

    groups: list[Group]
    seen: int
    total: int
    more: int


def overview(connection: psycopg.Connection, section_id: int | None) -> Overview:
    """What is in quarantine of a section, or of none: at most MOST_GROUPS groups of the newest."""
    found = quarantine.newest_of(connection, section_id, WINDOW)
    groups = sorted(grouped(found), key=lambda group: (-len(group.hits), -group.hits[0]))
    total = quarantine.count_of(connection, section_id)
    shown = groups[:MOST_GROUPS]
    return Overview(shown, len(found), max(total, len(found)), len(groups) - len(shown))


def hits_of_group(
    connection: psycopg.Connection, section_id: int | None, group: str, up_to: int
) -> list[int]:
    """A group's hits as far as they were there when `up_to` was the newest; oldest first."""
    for one in grouped(quarantine.newest_of(connection, section_id, WINDOW)):
        if one.id == group:
            return sorted(id_ for id_ in one.hits if id_ <= up_to)
    return []


def grouped(found: Sequence[Summary]) -> list[Group]:
    """The groups of hits that are given the newest first."""
    groups: dict[str, Group] = {}
    for hit in found:
        fields, page = tuple(dict.fromkeys(sorted(hit.fields))), _page(hit.raw)
        # Where none was found as they came, one may be by now: they stay the group that was shown.
        pin = hit.pin if hit.version_id else None
        key = repr((hit.reason, hit.version_id, pin, fields, page))
        id_ = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:20]
        if id_ not in groups:
            groups[id_] = Group(
                id_,
                Reason(hit.reason),  # type: ignore[call-arg]
                hit.event,
                hit.slug,
                hit.version_number,
                hit.hidden,
                fields,
                page,
                [],
                hit.received_at,
                pin,
            )
        groups[id_].hits.append(hit.id)
    return list(groups.values())


class _Page(msgspec.Struct):
    page: str = ""


_decode_page = msgspec.json.Decoder(_Page).decode
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def _page(raw: bytes | None) -> str:
    """The page that a hit says it is from, as far as many visitors share it."""
    try:
        page = _decode_page(raw).page if raw else ""
        parts = urlsplit(page)
    except (*_BAD, ValueError):
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:MAX_PAGE] if parts.netloc else ""


# -- one hit


class Part(msgspec.Struct, frozen=True):
    """A field of a hit: `value` as it was written, "" where it is left out, and what is wrong."""

    name: str
    value: str
    errors: list[str]


class _Data(msgspec.Struct):
    data: dict[str, msgspec.Raw] = {}


_decode_data = msgspec.json.Decoder(_Data).decode


def parts(hit: QuarantinedHit) -> list[Part]:
    """A hit's fields with their errors, and what is wrong with anything else, that first."""
    try:
        data = {name: text(bytes(raw)) for name, raw in _decode_data(hit.raw).data.items()}
    except _BAD:
        data = {}
    errors: dict[str, list[str]] = {}
    for error in hit.errors:
        errors.setdefault(error["field"], []).append(error["message"])
    others = [name for name in errors if name not in data]
    return [Part(name, data.get(name, ""), errors.get(name, [])) for name in (*others, *data)]


def text(raw: bytes) -> str:
    """What came, as text that can be shown: without signatures, which are good for more."""
    return _SIGNATURE.sub(r"\1…", raw.decode("utf-8", "backslashreplace"))


_SIGNATURE = re.compile(r'("signature"\s*:\s*")[0-9a-fA-F]{16,}')
"""A claim's, in hits as JSON: found also where the rest of it is none."""


# -- what can be done


def discard(connection: psycopg.Connection, ids: Sequence[int]) -> int:
    """Delete hits for good, in one transaction with the ledger; returns how many they were."""
    with connection.transaction():
        moves = quarantine.discard(connection, ids)
        batches.count(connection, moves)
    return moves.total()
