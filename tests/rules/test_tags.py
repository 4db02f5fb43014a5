"""Signed tags: who made them, for which snippet, and until when."""

import pytest

from tracker.rules import claims
from tracker.rules.claims import Trust
from tracker.rules.keyspaces import Keyspace
from tracker.rules.signing import Secrets
from tracker.rules.tags import error, sign

SECRET, KEY = "s3cret", "AbC-9_x"
TRUST = Trust("harbour", Secrets(SECRET), signed_tags=True)
EXPIRES = 1_795_426_200
NOW = EXPIRES * 1000 - 1
TAG = sign(SECRET, "harbour", KEY, EXPIRES)


def test_a_good_tag() -> None:
    assert error(TAG, TRUST, KEY, NOW) is None
    assert error(TAG.upper(), TRUST, KEY, NOW) is None
    assert len(TAG) < 100


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("", "required"),
        ("1", "bad_format"),
        (TAG + "0", "bad_format"),
        (TAG[:-1], "bad_format"),
        (f" {TAG}", "bad_format"),
        (f"{TAG}\n", "bad_format"),
        (f"-{TAG}", "bad_format"),
        (TAG.replace(".", ":"), "bad_format"),
        (TAG[:-64] + "é" * 64, "bad_format"),
        ("١" + TAG[1:], "bad_format"),
        ("9" * 13 + TAG[10:], "bad_format"),
        (f"{EXPIRES + 1}{TAG[10:]}", "bad_signature"),
        (f"0{TAG}", "bad_signature"),
        (TAG[:-64] + "0" * 64, "bad_signature"),
        (sign("other", "harbour", KEY, EXPIRES), "bad_signature"),
        (sign(SECRET, "quay", KEY, EXPIRES), "bad_signature"),
        (sign(SECRET, "harbour", "another", EXPIRES), "bad_signature"),
    ],
)
def test_what_is_no_tag_of_this_snippet(tag: str, code: str) -> None:
    found = error(tag, TRUST, KEY, NOW)
    assert found is not None
    assert (found.field, found.code) == ("tag", code)


def test_it_ends_when_it_expires() -> None:
    found = error(TAG, TRUST, KEY, EXPIRES * 1000)
    assert found is not None
    assert found.code == "expired"
    assert str(EXPIRES) in found.message


def test_without_a_secret_no_tag_is_good() -> None:
    found = error(TAG, Trust("harbour", signed_tags=True), KEY, NOW)
    assert found is not None
    assert found.code == "bad_signature"


def test_a_claim_is_no_tag() -> None:
    """What is signed says what it is, so that one signature can't pass for another's."""
    signed = claims.sign(SECRET, "harbour", Keyspace.EMAIL, KEY, EXPIRES)
    assert error(f"{EXPIRES}.{signed}", TRUST, KEY, NOW) is not None
