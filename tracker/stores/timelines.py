"""Timelines: a profile's events, the newest first, a page at a time, in PostgreSQL."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from tracker.rules import clocks, keyspaces
from tracker.rules.keyspaces import Keyspace
from tracker.stores.profiles import EVERY_KEYSPACE

PAGE = 100
"""Most events of a page."""


class BadCursorError(ValueError):
    """A cursor that no page gave out; the message says what to do."""


class Position(NamedTuple):
    """A place in a timeline: events that come after it are older, or of a smaller id."""

    event_time: datetime
    id: UUID

    def cursor(self) -> str:
        """The position as a text that only `read_cursor` knows how to read."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


START = Position(datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))
OLDEST = datetime.min.replace(tzinfo=UTC)


def read_cursor(cursor: str) -> Position:
    """The position of a page's cursor. Raises BadCursorError."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = msgspec.json.decode(text, type=Position)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        position = None
    if position is None or position.event_time.tzinfo is None:
        raise BadCursorError("No page gave out this cursor: send `next_cursor` of the one before.")
    return position


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted: all, or those of a definition, a version, a span of time.

    event: a discriminator or slug; version: a public id; since is in the span, until is not.
    """

    event: str | None = None
    version: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever asks may see; by default all that is not hidden.

    denied: events of definitions that deny this operation are left out, such as `email:read`;
    prefix: the installation's, by which claims may name their keyspace; hidden: events of hidden
    definitions too.
    """

    keyspaces: frozenset[Keyspace] = EVERY_KEYSPACE
    denied: str = ""
    prefix: str = ""
    hidden: bool = False


EVERYTHING = View()


class TimelineEvent(msgspec.Struct, frozen=True):
    """An event of a profile, with the definition and version that it came with.

    `data` is in the order of the version's fields; decimals are Decimal, exact. `claims` are the
    keys that were claimed, by keyspace, as they were sent. `address` and `agent` are the sender's,
    as far as they are kept. `sent_at` is by the sender's clock; `clock_ms` says that this clock was
    wrong, and by how many milliseconds `event_time` is later than what it said.
    """

    id: UUID
    name: str
    slug: str
    category: str
    discriminator: str
    version_id: str
    version_number: int
    event_time: datetime
    received_at: datetime
    sent_at: datetime | None
    clock_ms: int | None
    page: str | None
    referrer: str | None
    address: str | None
    agent: str | None
    data: dict[str, Any]
    claims: dict[str, str]

    @property
    def clock(self) -> str:
        """What was wrong with the sender's clock, if anything."""
        return clocks.told(self.clock_ms) if self.clock_ms else ""


class Page(msgspec.Struct, frozen=True):
    """Events of a timeline, and the position after which the next page begins, if there is one."""

    events: list[TimelineEvent]
    next: Position | None


def read(
    connection: psycopg.Connection,
    section_id: int,
    identifiers: Sequence[int],
    *,
    after: Position = START,
    limit: int = PAGE,
    filters: Filters = Filters(),  # noqa: B008 - it is frozen
    view: View = EVERYTHING,
) -> Page:
    """A page of the events that belong to these identifiers, of up to `limit`."""
    if filters.until is not None:
        # The smallest id there is: what happened at that moment is out, too.
        after = min(after, Position(filters.until, UUID(int=0)))
    versions = _versions_shown(connection, section_id, filters, view)
    since = filters.since or OLDEST
    rows = _rows(connection, identifiers, versions, since, after, limit + 1)
    known = _described(connection, {row["version_id"] for row in rows})
    events = [_event(row, known[row["version_id"]], view) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(events, Position(events[-1].event_time, events[-1].id) if more else None)


def _versions_shown(
    connection: psycopg.Connection, section_id: int, filters: Filters, view: View
) -> list[int]:
    """Hidden definitions vanish from timelines; nothing of them is deleted."""
    rows = connection.execute(
        "SELECT v.id, d.discriminator, d.slug, v.public_id FROM version v"
        " JOIN definition d ON d.id = v.definition_id"
        " WHERE d.section_id = %s AND (%s OR d.hidden_at IS NULL)"
        " AND %s <> ALL (d.denied_operations)",
        (section_id, view.hidden, view.denied),
    )
    # Filtered here, not there: what a stranger asks for may hold what PostgreSQL refuses.
    return [
        id_
        for id_, *event, version in rows
        if filters.event in (None, *event) and filters.version in (None, version)
    ]


def _rows(
    connection: psycopg.Connection,
    identifiers: Sequence[int],
    versions: Sequence[int],
    since: datetime,
    after: Position,
    limit: int,
) -> list[dict[str, Any]]:
    """The next events of each identifier, and of those the next: each comes off the index."""
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(
            "SELECT e.id, e.version_id, e.event_time, e.received_at, e.sent_at, e.clock_ms, e.page,"
            " e.referrer, e.address, e.agent, e.data::text AS data, e.claims"
            " FROM unnest(%(identifiers)s::bigint[]) AS i(id)"
            " CROSS JOIN LATERAL (SELECT * FROM event WHERE identifier_id = i.id"
            " AND version_id = ANY(%(versions)s::bigint[]) AND event_time >= %(since)s"
            " AND (event_time, id) < (%(time)s, %(id)s)"
            " ORDER BY event_time DESC, id DESC LIMIT %(limit)s) AS e"
            " ORDER BY e.event_time DESC, e.id DESC LIMIT %(limit)s",
            {
                "identifiers": list(identifiers),
                "versions": list(versions),
                "since": since,
                "time": after.event_time,
                "id": after.id,
                "limit": limit,
            },
        ).fetchall()


def _described(connection: psycopg.Connection, versions: set[int]) -> dict[int, dict[str, Any]]:
    """What events say of their versions, by the versions' ids."""
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        rows = cursor.execute(
            "SELECT v.id, d.name, d.slug, d.category, d.discriminator,"
            " v.public_id AS version_id, v.number AS version_number,"
            " jsonb_path_query_array(v.fields, '$[*].key') AS keys"
            " FROM version v JOIN definition d ON d.id = v.definition_id WHERE v.id = ANY(%s)",
            (list(versions),),
        ).fetchall()
    return {row.pop("id"): row for row in rows}


def _event(row: dict[str, Any], version: Mapping[str, Any], view: View) -> TimelineEvent:
    parts = {**row, **version}
    parts["data"] = _ordered(parts["data"], parts.pop("keys"))
    parts["claims"] = _claims(parts["claims"], view)
    return TimelineEvent(**parts)


def _ordered(data: str, keys: list[str]) -> dict[str, Any]:
    values = json.loads(data, parse_float=Decimal)
    return {key: values[key] for key in keys if key in values}


class _Signed(msgspec.Struct):
    key: str


_decode_claims = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_claim = msgspec.json.Decoder(str | _Signed).decode


def _claims(text: str | None, view: View) -> dict[str, str]:
    """The claims that the view lets through, without their signatures: those are good for more."""
    claims = {}
    for name, raw in _decode_claims(text).items() if text else ():
        keyspace = keyspaces.find(name, view.prefix)
        # What is in no keyspace may still be somebody's address: only who may see all sees it.
        if keyspace in view.keyspaces or view.keyspaces == EVERY_KEYSPACE:
            try:
                claim = _decode_claim(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue  # of no shape that means anything
            claims[name] = claim if isinstance(claim, str) else claim.key
    return claims
