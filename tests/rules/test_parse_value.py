"""What each type takes, refuses, and makes of it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.fields import (
    COERCIONS,
    Coercion,
    ErrorCode,
    FieldType,
    RefusedValueError,
    parse_value,
)


def stored(type_: FieldType, raw: str | bytes) -> str:
    """The JSON that a value is stored as, or the code of its refusal."""
    try:
        value = parse_value(type_, raw.encode() if isinstance(raw, str) else raw)
    except RefusedValueError as refused:
        return refused.code
    return msgspec.json.encode(value).decode()


@pytest.mark.parametrize("row", COERCIONS, ids=lambda row: f"{row.type}: {row.spelling}")
def test_every_documented_spelling_is_taken(row: Coercion) -> None:
    assert stored(row.type, row.example) == row.stored


@pytest.mark.parametrize("type_", FieldType)
@pytest.mark.parametrize("raw", ["null", "[]", "{}", "[" * 5000 + "]" * 5000])
def test_no_type_takes_null_lists_and_objects(type_: FieldType, raw: str) -> None:
    assert stored(type_, raw) == "wrong_type"


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        ('""', '""'),
        ('"' + "😀" * 1000 + '"', '"' + "😀" * 1000 + '"'),
        ('"' + "x" * 1001 + '"', "too_long"),
        ('"a\\u0000b"', "nul"),
        ('"\\\\u0000"', '"\\\\u0000"'),
        (b'"\xff"', "malformed"),
        ("1", "wrong_type"),
        ("true", "wrong_type"),
    ],
)
def test_text(raw: str | bytes, result: str) -> None:
    assert stored(FieldType.TEXT, raw) == result


@pytest.mark.parametrize("raw", ["0", "1", '"True"', '"yes"', '""', '" true"'])
def test_boolean_takes_no_other_word(raw: str) -> None:
    assert stored(FieldType.BOOLEAN, raw) == "wrong_type"


@pytest.mark.parametrize(
    "raw",
    ['"2026-02-30"', '"2026-W47-1"', '"20261123"', '"0000-01-01"', '"2026-11-23T00:00:00Z"', "1"],
)
def test_date_takes_no_other_form(raw: str) -> None:
    assert stored(FieldType.DATE, raw) == "wrong_type"


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        ('"2026-11-23 09:30:00.1234567z"', '"2026-11-23T09:30:00.123457Z"'),
        ("-1", '"1969-12-31T23:59:59Z"'),
        ("99999999999", '"5138-11-16T09:46:39Z"'),
        ("100000000000", '"1973-03-03T09:46:40Z"'),
        ("253402300799999", '"9999-12-31T23:59:59.999000Z"'),
        ("253402300800000", "out_of_range"),
        ("-62135596800", '"0001-01-01T00:00:00Z"'),
        ("-62135596801", "out_of_range"),
        ("9" * 5000, "out_of_range"),
        ('"0001-01-01T00:00:00+05:00"', "out_of_range"),
        ('"9999-12-31T23:59:59-01:00"', "out_of_range"),
        ('"2026-11-23T09:30:00"', "wrong_type"),
        ('"2026-11-23T09:30:60Z"', "wrong_type"),
        ('"2026-11-23"', "wrong_type"),
        ("1.5", "wrong_type"),
        ('""', "wrong_type"),
        ("true", "wrong_type"),
    ],
    ids=lambda text: text[:40],
)
def test_timestamp(raw: str, result: str) -> None:
    assert stored(FieldType.TIMESTAMP, raw) == result


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "out_of_range"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9223372036854775809", "out_of_range"),
        ("-0", "0"),
        ('"' + "0" * 9000 + '5"', "5"),
        ('"' + "1" * 9000 + '"', "out_of_range"),
        ("1.0", "wrong_type"),
        ("1e3", "wrong_type"),
        ('"+1"', "wrong_type"),
        ('"1_000"', "wrong_type"),
        ('"١"', "wrong_type"),
        ('" 1"', "wrong_type"),
        ('"1\\n"', "wrong_type"),
        ("true", "wrong_type"),
    ],
    ids=lambda text: text[:40],
)
def test_integer(raw: str, result: str) -> None:
    assert stored(FieldType.INTEGER, raw) == result


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        ("0.1", "0.1"),
        ("1" * 38, "1" * 38),
        ("1" * 39, "too_many_digits"),
        ("0." + "1" * 37, "0." + "1" * 37),
        ("0." + "1" * 38, "too_many_digits"),
        ("1e37", "1" + "0" * 37),
        ("1e38", "too_many_digits"),
        ("1e-7", "0.0000001"),
        ("1e999999", "too_many_digits"),
        ("1e-999999", "too_many_digits"),
        ("1e" + "9" * 5000, "too_many_digits"),
        ("0e30", "0"),
        ("0e999999", "0"),
        ("-0.00", "0.00"),
        ('"007.5"', "7.5"),
        ('"NaN"', "wrong_type"),
        ('"Infinity"', "wrong_type"),
        ('"1_0"', "wrong_type"),
        ('" 1"', "wrong_type"),
        ('"1,5"', "wrong_type"),
        ('".5"', "wrong_type"),
        ('"5."', "wrong_type"),
        ('""', "wrong_type"),
        ("true", "wrong_type"),
    ],
    ids=lambda text: text[:40],
)
def test_decimal(raw: str, result: str) -> None:
    assert stored(FieldType.DECIMAL, raw) == result


@settings(max_examples=200)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**30)))
def test_decimals_are_exact(number: object) -> None:
    text = f"{number:f}"
    result = stored(FieldType.DECIMAL, text)
    if result != ErrorCode.TOO_MANY_DIGITS:
        assert result == text.removeprefix("-" if not any(c in "123456789" for c in text) else "")


@settings(max_examples=200)
@given(st.sampled_from(FieldType), st.text(alphabet="0123456789-+.eE:TZtz _WNan", max_size=30))
def test_what_is_stored_is_taken_again_and_stays(type_: FieldType, text: str) -> None:
    once = stored(type_, msgspec.json.encode(text))
    if once not in list(ErrorCode):
        assert stored(type_, once) == once
