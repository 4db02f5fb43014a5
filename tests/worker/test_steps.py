"""Which outcome each hit comes to, and what is said to be wrong with it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.worker.cast import ANN, GOOD, hit, new_id
from tracker.rules.claims import Trust
from tracker.rules.errors import ErrorCode
from tracker.rules.fields import Field, FieldType
from tracker.rules.hits import MAX_TIME_MS, QueuedHit
from tracker.rules.ids import DAY_MS, read_uuid7
from tracker.rules.outcomes import Reason
from tracker.settings import Settings
from tracker.stores.catalog import PinnedVersion
from worker import batch, steps
from worker.context import Context
from worker.steps import STEPS, Verdict, Work, run

RECEIVED = 1_795_422_600_000
FIELDS = [
    Field("fld_1", "source", "Source", FieldType.TEXT, True),
    Field("fld_2", "reference", "Reference", FieldType.TEXT, True),
    Field("fld_3", "amount", "Amount", FieldType.DECIMAL),
]
NOW, HOUR = datetime(2026, 11, 23, tzinfo=UTC), timedelta(hours=1)
CONTEXT = Context(Settings())
CONTEXT.trusts = {1: Trust("harbour")}
CONTEXT.now = NOW
CONTEXT.pinned = {
    "booking": PinnedVersion(7, 1, False, msgspec.json.encode(FIELDS), NOW),
    "retired": PinnedVersion(8, 1, True, msgspec.json.encode(FIELDS), NOW),
    "coming": PinnedVersion(9, 1, False, msgspec.json.encode(FIELDS), NOW + HOUR),
}
MINTED = new_id(RECEIVED)


def taken(key: str = "booking", **changes: Any) -> Work:
    return judged(json.dumps(hit(**{"id": MINTED, **changes})).encode(), key)


def judged(raw: bytes, key: str = "booking") -> Work:
    return run(QueuedHit(0, f"{RECEIVED}-0", key, RECEIVED, raw), CONTEXT)


def wrong(work: Work) -> tuple[str, list[tuple[str, str]]]:
    assert work.verdict is not None
    assert all(error.message for error in work.verdict.errors)
    return str(work.verdict.reason), [(e.field, str(e.code)) for e in work.verdict.errors]


def test_a_good_hit_passes_all_steps() -> None:
    work = taken(data={"reference": "B-1", "amount": "1.50"}, claims={"email": "ann@example.com"})
    assert work.verdict is None
    assert work.data == b'{"source":"Website","reference":"B-1","amount":1.50}'
    assert work.claims == '{"email":"ann@example.com"}'
    assert (str(work.id), work.pinned) == (MINTED, CONTEXT.pinned["booking"])


@pytest.mark.parametrize(
    ("changes", "reason", "errors"),
    [
        ({"key": "nobodys"}, "unknown_snippet", [("", "malformed")]),
        ({"key": "retired"}, "hidden", []),
        ({"id": "1"}, "malformed", [("id", "bad_format")]),
        ({"id": "6fa459ea-ee8a-4ca4-894e-db77e160355e"}, "malformed", [("id", "bad_format")]),
        ({"at": -1}, "malformed", [("at", "out_of_range")]),
        ({"at": MAX_TIME_MS + 1}, "malformed", [("at", "out_of_range")]),
        ({"at": "noon"}, "malformed", [("", "malformed")]),
        ({"visitor": 5}, "malformed", [("", "malformed")]),
        ({"claims": ["email"]}, "malformed", [("", "malformed")]),
        ({"visitor": "v" * 201}, "malformed", [("visitor", "too_long")]),
        ({"visitor": "a\0"}, "malformed", [("visitor", "nul")]),
        (
            {"id": "x", "at": -1, "visitor": "\0" * 201, "page": "\0", "referrer": "\0"},
            "malformed",
            [
                ("id", "bad_format"),
                ("at", "out_of_range"),
                ("visitor", "too_long"),
                ("visitor", "nul"),
                ("page", "nul"),
                ("referrer", "nul"),
            ],
        ),
        ({"visitor": None}, "no_identifier", []),
        ({"visitor": ""}, "no_identifier", []),
        ({"data": {}}, "invalid_data", [("reference", "required")]),
        ({"data": {"reference": "\0"}}, "invalid_data", [("reference", "nul")]),
        ({"data": [GOOD]}, "invalid_data", [("", "not_an_object")]),
        (
            {"data": {"amount": "dear", "colour": "red", "a\0": 1}},
            "invalid_data",
            [
                ("reference", "required"),
                ("amount", "wrong_type"),
                ("colour", "unknown_field"),
                ("a\N{REPLACEMENT CHARACTER}", "unknown_field"),
            ],
        ),
    ],
)
def test_a_hit_that_is_not_stored(
    changes: dict[str, Any], reason: str, errors: list[tuple[str, str]]
) -> None:
    assert wrong(taken(**changes)) == (reason, errors)


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{", b"\xff", b'"hit"', b'{"id":1}', b'{"data":' + b"[" * 50_000],
    ids=["empty", "null", "list", "cut off", "bytes", "text", "parts missing", "deep"],
)
def test_what_is_no_hit_at_all(raw: bytes) -> None:
    assert wrong(judged(raw)) == ("malformed", [("", "malformed")])


def test_bytes_in_claims_that_are_no_text() -> None:
    raw = json.dumps(hit(id=MINTED, claims={"email": "?"})).encode().replace(b'"?"', b'"\xff"')
    assert wrong(judged(raw)) == ("malformed", [("claims", "malformed")])


@pytest.mark.parametrize("text", ["", "v" * 200, "\U0001f600" * 200])
def test_lengths_are_counted_in_characters(text: str) -> None:
    work = taken(visitor=text or ANN, page="p" * 50_000)
    assert work.verdict is None


@pytest.mark.parametrize(
    ("early", "refused"),
    [
        (30 * DAY_MS - 1000, False),
        (30 * DAY_MS, False),
        (30 * DAY_MS + 1, True),
        (30 * DAY_MS + 1000, True),
        (-DAY_MS + 1000, False),
        (-DAY_MS, False),
        (-DAY_MS - 1, True),
        (-DAY_MS - 1000, True),
    ],
)
def test_how_far_the_time_in_an_id_may_be_from_the_receipt(early: int, refused: bool) -> None:
    work = taken(id=new_id(RECEIVED - early))
    if refused:
        assert wrong(work) == ("id_time", [("id", "out_of_range")])
    else:
        assert work.verdict is None


def test_ids_and_receipts_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    class Watched(QueuedHit, frozen=True):
        @property
        def received_ms(self) -> int:
            read.append(self.stream_id)
            return super().received_ms

    def watched(text: str) -> UUID | None:
        read.append(text)
        return read_uuid7(text)

    monkeypatch.setattr(steps, "read_uuid7", watched)
    raw = json.dumps(hit(id=MINTED)).encode()
    batch.event_row(run(Watched(0, f"{RECEIVED}-0", "booking", RECEIVED, raw), CONTEXT))
    assert read == [f"{RECEIVED}-0", MINTED]


@pytest.mark.parametrize("place", range(len(STEPS) + 1))
def test_an_exception_in_any_step_is_our_bug(place: int) -> None:
    def broken(work: Work, context: Context) -> Verdict | None:
        raise ValueError("\0 and \ud800")

    places = (*STEPS[:place], broken, *STEPS[place:])
    raw = json.dumps(hit(id=MINTED)).encode()
    work = run(QueuedHit(0, f"{RECEIVED}-0", "booking", RECEIVED, raw), CONTEXT, places)
    assert work.verdict is not None
    assert work.verdict.reason is Reason.INTERNAL_ERROR
    (error,) = work.verdict.errors
    assert error.code is ErrorCode.MALFORMED
    assert error.message == r"broken: ValueError('\x00 and \ud800')"
