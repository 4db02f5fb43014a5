"""Which claims are proven, which are not, and what is wrong with the rest."""

import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest

from tracker.rules.claims import Claims, Trust, read, sign
from tracker.rules.hits import MAX_TIME_MS
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.signing import Secrets

SECRET, SLUG, PREFIX = "the harbour's secret", "harbour", "com.pintag"
TRUST = Trust(SLUG, Secrets(SECRET))
QUAYS = Trust("quay", Secrets(SECRET))
EXPIRES = 1_795_422_600
BEFORE, AT = EXPIRES * 1000 - 1, EXPIRES * 1000
EMAIL = Identity(Keyspace.EMAIL, "ann@example.com")
MOBILE = Identity(Keyspace.MOBILE, "46701234567")
CRM = Identity(Keyspace.CRM_ID, "A-1")


def signed(keyspace: Keyspace, key: str, /, **changes: Any) -> dict[str, Any]:
    """A good claim of Harbour's, with changes made after it was signed."""
    signature = sign(SECRET, SLUG, keyspace, key, EXPIRES)
    return {"key": key, "expires": EXPIRES, "signature": signature, **changes}


def sorted_out(sent: dict[str, Any], trust: Trust = TRUST, received_ms: int = BEFORE) -> Claims:
    raws = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in sent.items()}
    return read(raws, trust, PREFIX, received_ms)


def test_the_signature_is_the_documented_one() -> None:
    message = f"pintag-claim-v1\nharbour\nemail\n{EXPIRES}\n Ann@Example.com"
    expected = hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert sign(SECRET, SLUG, Keyspace.EMAIL, " Ann@Example.com", EXPIRES) == expected


@pytest.mark.parametrize(
    ("sent", "proven"),
    [
        ({"email": signed(Keyspace.EMAIL, "ann@example.com")}, [EMAIL]),
        ({"email": signed(Keyspace.EMAIL, " Ann@Example.COM ")}, [EMAIL]),
        ({"com.pintag.keyspaces.email": signed(Keyspace.EMAIL, "ann@example.com")}, [EMAIL]),
        ({"email": signed(Keyspace.EMAIL, "ann@example.com", more=1)}, [EMAIL]),
        ({"mobile": signed(Keyspace.MOBILE, "+46 (70) 123 45 67")}, [MOBILE]),
        (
            {
                "mobile": signed(Keyspace.MOBILE, "46701234567"),
                "email": signed(Keyspace.EMAIL, "ann@example.com"),
                "crm-id": signed(Keyspace.CRM_ID, "A-1"),
            },
            [CRM, EMAIL, MOBILE],
        ),
    ],
)
def test_signed_claims_are_proven_in_order_of_preference(
    sent: dict[str, Any], proven: list[Identity]
) -> None:
    claims = sorted_out(sent)
    assert list(claims.proven.values()) == proven
    assert (claims.unproven, claims.expired, claims.errors) == ({}, [], [])


def test_of_two_claims_in_a_keyspace_the_first_counts() -> None:
    claims = sorted_out(
        {
            "com.pintag.keyspaces.email": signed(Keyspace.EMAIL, "ann@example.com"),
            "email": signed(Keyspace.EMAIL, "ben@example.com"),
        }
    )
    assert list(claims.proven.values()) == [EMAIL]
    assert list(claims.unproven) == ["email"]


@pytest.mark.parametrize(
    ("sent", "trust", "code"),
    [
        (signed(Keyspace.EMAIL, "ann@example.com", key="ben@example.com"), TRUST, "bad_signature"),
        (signed(Keyspace.EMAIL, "ann@example.com", expires=EXPIRES + 1), TRUST, "bad_signature"),
        (signed(Keyspace.EMAIL, "ann@example.com", signature="é"), TRUST, "bad_signature"),
        (signed(Keyspace.EMAIL, "ann@example.com", signature=""), TRUST, "bad_signature"),
        (signed(Keyspace.MOBILE, "ann@example.com"), TRUST, "bad_signature"),
        (
            signed(Keyspace.EMAIL, "ann@example.com"),
            QUAYS,
            "bad_signature",
        ),
        (signed(Keyspace.EMAIL, "ann@example.com"), Trust(SLUG, Secrets("other")), "bad_signature"),
        (signed(Keyspace.EMAIL, "ann@example.com"), Trust(SLUG, None), "bad_signature"),
        (signed(Keyspace.EMAIL, "ann@example.com"), Trust(SLUG, None, True), "bad_signature"),
        (signed(Keyspace.EMAIL, "ann"), TRUST, "bad_format"),
    ],
)
def test_signed_claims_that_are_wrong(sent: dict[str, Any], trust: Trust, code: str) -> None:
    claims = sorted_out({"email": sent}, trust)
    assert [(e.field, str(e.code)) for e in claims.errors] == [("claims.email", code)]
    assert (claims.proven, claims.unproven) == ({}, {})


@pytest.mark.parametrize("expires", [-1, EXPIRES * 1000, MAX_TIME_MS // 1000 + 1, 2**70])
def test_an_expiry_that_is_no_time_in_seconds(expires: int) -> None:
    signature = sign(SECRET, SLUG, Keyspace.EMAIL, EMAIL.key, expires)
    claims = sorted_out({"email": {"key": EMAIL.key, "expires": expires, "signature": signature}})
    assert [str(error.code) for error in claims.errors] == ["out_of_range"]


def test_a_signature_in_capitals_is_good() -> None:
    claim = signed(Keyspace.EMAIL, "ann@example.com")
    claims = sorted_out({"email": {**claim, "signature": claim["signature"].upper()}})
    assert list(claims.proven.values()) == [EMAIL]


@pytest.mark.parametrize(("received_ms", "expired"), [(BEFORE, False), (AT, True), (AT + 1, True)])
def test_claims_expire_by_the_receipt(received_ms: int, expired: bool) -> None:
    claims = sorted_out({"email": signed(Keyspace.EMAIL, EMAIL.key)}, received_ms=received_ms)
    assert bool(claims.expired) is expired
    assert (EMAIL in claims.unproven.values()) is expired
    assert (EMAIL in claims.proven.values()) is not expired
    assert claims.errors == []


@pytest.mark.parametrize(
    ("sent", "unproven"),
    [
        ({"email": "Ann@example.com"}, {"email": EMAIL}),
        ({"email": "ann"}, {}),
        ({"e-mail": "ann@example.com"}, {}),
        ({"org.other.keyspaces.email": "ann@example.com"}, {}),
        ({"web": "visitor"}, {"web": Identity(Keyspace.WEB, "visitor")}),
        ({"web": signed(Keyspace.WEB, "visitor")}, {"web": Identity(Keyspace.WEB, "visitor")}),
        ({"email": 5}, {}),
        ({"email": ["ann@example.com"]}, {}),
        ({"email": {"key": "ann@example.com"}}, {}),
        ({"email": {"key": "ann@example.com", "expires": "1", "signature": ""}}, {}),
        ({"email": None}, {}),
    ],
)
def test_unsigned_claims_and_what_is_none(
    sent: dict[str, Any], unproven: dict[str, Identity]
) -> None:
    claims = sorted_out(sent)
    assert (claims.proven, claims.unproven) == ({}, unproven)
    assert (claims.expired, claims.errors) == ([], [])


@pytest.mark.parametrize("raw", [b"[" * 50_000, b'{"key":' * 20_000, b'"\xff"', b"1e999999", b"{"])
def test_claims_that_are_hard_to_read(raw: bytes) -> None:
    assert read({"email": msgspec.Raw(raw)}, TRUST, PREFIX, BEFORE) == Claims()


@pytest.mark.parametrize("received_ms", [BEFORE, AT])
def test_a_section_that_trusts_its_pages(received_ms: int) -> None:
    sent = {"email": signed(Keyspace.EMAIL, "ann@example.com"), "mobile": "+46701234567"}
    claims = sorted_out({**sent, "web": "visitor"}, Trust(SLUG, Secrets(SECRET), True), received_ms)
    assert list(claims.proven.values()) == [EMAIL, MOBILE]
    assert list(claims.unproven) == ["web"]
