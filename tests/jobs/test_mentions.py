"""Whom a hit names, and an event's claims without someone."""

import json
import time

import pytest

from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.mentions import mentioned, without

PREFIX = "com.pintag"
ANN = Identity(Keyspace.WEB, "visitor-ann")
ANN_MAIL = Identity(Keyspace.EMAIL, "ann@example.com")
ANN_PHONE = Identity(Keyspace.MOBILE, "46701234567")
ANN_CRM = Identity(Keyspace.CRM_ID, "Ann-1")
SIGNED = {"key": " Ann@Example.com", "expires": 1, "signature": "00"}


@pytest.mark.parametrize(
    ("hit", "named"),
    [
        ({}, set()),
        ({"visitor": None, "claims": None}, set()),
        ({"visitor": ""}, set()),
        ({"visitor": "visitor-ann", "data": {"visitor": "visitor-ben"}}, {ANN}),
        ({"claims": {"email": "ANN@example.com "}}, {ANN_MAIL}),
        ({"claims": {"com.pintag.keyspaces.email": "ann@example.com"}}, {ANN_MAIL}),
        ({"claims": {"email": SIGNED}, "visitor": "visitor-ann"}, {ANN, ANN_MAIL}),
        ({"claims": {"mobile": "+46 (0)70"}}, set()),
        ({"claims": {"mobile": "0046 70-123 45 67", "crm-id": "Ann-1"}}, {ANN_PHONE, ANN_CRM}),
        ({"claims": {"web": "visitor-ann"}}, {ANN}),
        ({"claims": {"email": None}}, set()),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_whom_a_hit_names(hit: dict[str, object], named: set[Identity]) -> None:
    assert mentioned(json.dumps(hit).encode(), PREFIX) == named


@pytest.mark.parametrize(
    "raw",
    [
        b'{"visitor": "x", "claims": {"e-mail": "Ann@example.com"}}',
        b'{"claims": {"e-mail": {"key": "Ann@example.com"}}}',
        b'{"claims": ["Ann@example.com"]}',
        b'{"claims": {"email": ["Ann@example.com"]}}',
        b'{"claims": {"email": {"address": "Ann@example.com"}}}',
        b'{"claims": "Ann@example.com"}',
        b'{"visitor": ["Ann@example.com"]}',
        b'{"claims": {"email": "Ann@example.com"}, "data": {oops}}',
        b'{"claims": {"email": "\\u0041nn@example.com"',
        b'{"claims": {"email": "Ann@example.com',
        b'["Ann@example.com"]',
        b'"Ann@example.com"',
    ],
    ids=str,
)
def test_of_what_is_badly_written_too(raw: bytes) -> None:
    assert ANN_MAIL in mentioned(raw, PREFIX)


@pytest.mark.parametrize(
    "raw",
    [b"", b"?", b"\xff", b"[" * 100_000, b'{"visitor": "\\', b'{"Ann@example.com": 1, oops}'],
    ids=lambda raw: str(raw[:30]),
)
def test_names_nobody(raw: bytes) -> None:
    assert ANN_MAIL not in mentioned(raw, PREFIX)


@pytest.mark.parametrize("piece", [b'"', b'"\\"', b"\\", b'"a" :', b'"\\\\'], ids=str)
def test_hostile_hits_take_little_time(piece: bytes) -> None:
    since = time.process_time()
    mentioned(b"?" + piece * (100_000 // len(piece)), PREFIX)
    assert time.process_time() - since < 2


@pytest.mark.parametrize(
    ("claims", "left"),
    [
        ('{"email":"ann@example.com"}', None),
        ('{"email":"ANN@example.com","crm-id":"7"}', '{"crm-id":"7"}'),
        ('{"email":"ben@example.com","x":1e999999}', '{"email":"ben@example.com","x":1e999999}'),
        ('{"mail":"ann@example.com","mobile":"46701234567"}', '{"mobile":"46701234567"}'),
    ],
)
def test_claims_without_someone(claims: str, left: str | None) -> None:
    assert without(claims, {ANN, ANN_MAIL}, PREFIX) == left
