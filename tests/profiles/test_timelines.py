"""Timelines: pages that stay where they are, filters, and what a view leaves out."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.profiles.cast import ANN, ANN_CRM, ANN_WEB, BEN, NOW, Harbour, edit
from tracker.rules.keyspaces import Keyspace
from tracker.stores import timelines
from tracker.stores.timelines import BadCursorError, Filters, View


def hours(*hours: float) -> list[Any]:
    return [NOW + timedelta(hours=hour) for hour in hours]


def test_the_newest_come_first_with_exact_decimals(harbour: Harbour) -> None:
    data = b'{"amount": 0.1234567890123456789012345678901234567, "reference": "B"}'
    raw = json.dumps(harbour.item(data="?")).encode().replace(b'"?"', data)
    harbour.post(ANN, harbour.item(hours=-1), raw, harbour.item(harbour.poll, hours=1))
    events = harbour.show(ANN).events
    assert [event.event_time for event in events] == hours(1, 0, -1)
    assert [event.name for event in events] == ["Poll", "Booking", "Booking"]
    assert list(events[1].data) == ["source", "reference", "amount"]
    assert events[1].data["amount"] == Decimal("0.1234567890123456789012345678901234567")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_pages_hold_each_event_once_while_others_arrive(harbour: Harbour, limit: int) -> None:
    """Some lie at the same moment, on two identifiers; newer ones come between the pages."""
    harbour.merge(ANN, ANN_WEB)
    for identity in (ANN, ANN_WEB):
        harbour.post(identity, *(harbour.item(hours=hour) for hour in (1, 2, 2, 2)))
    expected = harbour.shown(ANN)
    seen = []
    cursor = None
    while True:
        page = harbour.show(ANN, limit=limit, cursor=cursor)
        assert len(page.events) <= limit
        seen += [event.id for event in page.events]
        harbour.post(ANN_WEB, harbour.item(hours=3))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == expected
    assert len(set(seen)) == 8


@pytest.mark.parametrize(
    "cursor", ["x", "\0", "é", "W10", "WyIyMDI2LTExLTIzVDEyOjAwOjAwIiwgMV0", "=" * 9, "bnVsbA"]
)
def test_cursors_that_no_page_gave_out(harbour: Harbour, cursor: str) -> None:
    with pytest.raises(BadCursorError, match="next_cursor"):
        harbour.show(ANN, cursor=cursor)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"event": "booking"}, [3, 1, 0]),
        ({"event": "poll"}, [2]),
        ({"event": "\0"}, []),
        ({"version": "ver_2"}, [3]),
        ({"event": "poll", "version": "ver_2"}, []),
        ({"since": 1}, [3, 2, 1]),
        ({"until": 1}, [0]),
        ({"since": 1, "until": 3}, [2, 1]),
        ({"since": 3, "until": 1}, []),
    ],
    ids=str,
)
def test_filters(harbour: Harbour, filters: dict[str, Any], expected: list[int]) -> None:
    edited = edit(harbour, NOW)
    harbour.post(ANN, harbour.item(), harbour.item(hours=1), harbour.item(harbour.poll, hours=2))
    harbour.post(ANN, harbour.item(edited, hours=3, data={"reference": "B-2"}))
    for name in filters.keys() & {"since", "until"}:
        filters = {**filters, name: NOW + timedelta(hours=filters[name])}
    [whole, found] = (harbour.show(ANN, filters=f).events for f in (Filters(), Filters(**filters)))
    assert found == [whole[3 - number] for number in expected]


def test_a_discriminator_filters_too(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item(), harbour.item(harbour.poll))
    [event] = harbour.show(ANN, filters=Filters(event=harbour.poll.discriminator)).events
    assert event.name == "Poll"


def test_hidden_definitions_vanish_but_nothing_is_deleted(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item(), harbour.item(harbour.poll))
    harbour.db.execute("UPDATE definition SET hidden_at = now() WHERE name = 'Poll'")
    assert [event.name for event in harbour.show(ANN).events] == ["Booking"]
    assert harbour.balanced() == {"stored": 2}


def test_a_denied_operation_leaves_the_events_out(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item(), harbour.item(harbour.poll))
    harbour.db.execute(
        "UPDATE definition SET denied_operations = '{email:read,web:write}' WHERE name = 'Poll'"
    )
    names = {
        denied: [event.name for event in harbour.show(ANN, view=View(denied=denied)).events]
        for denied in ("", "email:read", "web:read", "email:write")
    }
    assert names.pop("email:read") == ["Booking"]
    assert all(sorted(others) == ["Booking", "Poll"] for others in names.values())


def test_identifiers_claims_and_merges_of_other_keyspaces_are_left_out(harbour: Harbour) -> None:
    for other in (ANN_WEB, ANN_CRM):
        harbour.merge(ANN, other)
    harbour.merge(ANN_WEB, ANN_CRM)
    harbour.unmerge(ANN_WEB)
    harbour.merge(ANN_CRM, ANN_WEB)
    harbour.post(ANN, harbour.item())
    claims = {
        "email": "ann@example.com",
        "com.pintag.keyspaces.crm-id": {"key": "A-1", "expires": 1, "signature": "ab"},
        "e-mail": "ann@example.com",
        "mobile": 46,
    }
    harbour.db.execute("UPDATE event SET claims = %s", (json.dumps(claims),))

    view = View(keyspaces=frozenset({Keyspace.CRM_ID, Keyspace.WEB}), prefix="com.pintag")
    shown = harbour.show(ANN_CRM, view=view)
    assert {one.keyspace for one in shown.identifiers} == {"web", "crm-id"}
    assert shown.events[0].claims == {"com.pintag.keyspaces.crm-id": "A-1"}
    merges = [
        (merge.kind, merge.first.key, merge.second and merge.second.key) for merge in shown.merges
    ]
    assert merges == [("merged", "A-1", "visitor-ann"), ("unmerged", "visitor-ann", None)]

    everything = harbour.show(ANN_CRM)
    assert len(everything.identifiers) == 3
    assert len(everything.merges) == 4
    assert everything.events[0].claims == {
        "email": "ann@example.com",
        "com.pintag.keyspaces.crm-id": "A-1",
        "e-mail": "ann@example.com",
    }


def test_nobody(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item())
    assert harbour.show(ANN).next_cursor is None
    assert harbour.db.execute("SELECT count(*) FROM profile").fetchall() == [(1,)]
    with pytest.raises(AssertionError):
        harbour.show(BEN)


def test_a_page_is_read_off_the_index(harbour: Harbour) -> None:
    """However long the timeline is, and however many others there are."""
    harbour.post(ANN, harbour.item())
    harbour.db.execute(
        "INSERT INTO event (id, section_id, identifier_id, version_id, event_time, received_at,"
        " data) SELECT gen_random_uuid(), section_id, identifier_id + n % 2, version_id,"
        " event_time - n * interval '1 minute', received_at, data"
        " FROM event, generate_series(1, 20000) AS n"
    )
    harbour.db.execute("ANALYZE event")
    statements = []
    execute = harbour.db.cursor_factory.execute

    class Noting(harbour.db.cursor_factory):  # type: ignore[name-defined, misc]
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            statements.append((query, params))
            return execute(self, query, params, **how)

    harbour.db.cursor_factory = Noting
    middle = timelines.Position(NOW - timedelta(minutes=9_000), timelines.START.id)
    assert len(harbour.show(ANN, cursor=middle.cursor(), limit=50).events) == 50
    harbour.db.cursor_factory = psycopg.Cursor
    [(query, params)] = [one for one in statements if "LATERAL" in str(one[0])]
    [(plan,)] = harbour.db.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query, params).fetchall()
    scans = [node for node in nodes(plan[0]["Plan"]) if "Scan" in node["Node Type"]]
    on_index = [node for node in scans if "identifier_id_event_time" in node.get("Index Name", "")]
    assert on_index
    assert sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans) < 200


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]
