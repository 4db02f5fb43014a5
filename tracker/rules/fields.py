"""Fields: their shape, and what a JSON value of each type may be. docs/fields.md is the prose."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

import msgspec

from tracker.rules.described import Described
from tracker.rules.errors import ErrorCode as ErrorCode
from tracker.rules.errors import FieldError as FieldError

MAX_TEXT = 1_000
"""Characters (code points) of a text value."""
MAX_DIGITS = 38
"""Digits of a decimal, integer and fraction together, written out without an exponent."""
INT64 = (-(2**63), 2**63 - 1)
FIRST_MS = 100_000_000_000
"""A Unix time of this size or more is in milliseconds, below it in seconds (until year 5138)."""


class FieldType(Described):
    """What kind of value a field holds; `.label` is its name on the pages."""

    label: str

    TEXT = "text", "Text"
    BOOLEAN = "boolean", "True/False"
    DATE = "date", "Date"
    TIMESTAMP = "timestamp", "Time stamp"
    INTEGER = "integer", "Number"
    DECIMAL = "decimal", "Number with decimals"


class Field(msgspec.Struct, frozen=True):
    """One field of a version, as stored in `version.fields`.

    `id` stays when key or label change; `key` is what hits carry; `label` is for people.
    """

    id: str
    key: str
    label: str
    type: FieldType
    required: bool = False
    description: str = ""


class RefusedValueError(ValueError):
    """A value that its type does not take."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Coercion(msgspec.Struct, frozen=True):
    """An accepted spelling of a type: what it is, a JSON example, and the JSON it is stored as."""

    type: FieldType
    spelling: str
    example: str
    stored: str


_T = FieldType
COERCIONS = (
    Coercion(_T.TEXT, "a string", '"Checkout"', '"Checkout"'),
    Coercion(_T.BOOLEAN, "true or false", "true", "true"),
    Coercion(_T.BOOLEAN, "the same word as a string", '"false"', "false"),
    Coercion(_T.DATE, "a string YYYY-MM-DD", '"2026-11-23"', '"2026-11-23"'),
    Coercion(_T.TIMESTAMP, "RFC 3339", '"2026-11-23T09:30:00+01:00"', '"2026-11-23T08:30:00Z"'),
    Coercion(_T.TIMESTAMP, "Unix seconds", "1795422600", '"2026-11-23T08:30:00Z"'),
    Coercion(_T.TIMESTAMP, "Unix milliseconds", "1795422600250", '"2026-11-23T08:30:00.250000Z"'),
    Coercion(_T.TIMESTAMP, "either as a string", '"1795422600"', '"2026-11-23T08:30:00Z"'),
    Coercion(_T.INTEGER, "a whole number", "-42", "-42"),
    Coercion(_T.INTEGER, "its digits as a string", '"007"', "7"),
    Coercion(_T.DECIMAL, "a number", "12.50", "12.50"),
    Coercion(_T.DECIMAL, "a number with an exponent", "1.25e3", "1250"),
    Coercion(_T.DECIMAL, "either as a string", '"12.50"', "12.50"),
)
"""Every spelling that is taken, and no other; a test runs the examples and reads the docs."""

Value = str | bool | int | date | datetime | msgspec.Raw
"""A normalised value: `msgspec.json.encode` writes it in the stored form."""


def parse_value(type_: FieldType, raw: bytes) -> Value:
    """Return what `raw`, one valid JSON value with no space around it, means in a field of a type.

    This is the authority: the fast path of a Validator may only take what this takes, and must
    make the same of it. A null is the caller's; here it is a wrong type.
    Raises RefusedValueError.
    """
    return _PARSERS[type_](raw)


def _text(raw: bytes) -> str:
    text = _string(raw, "Expected a text: send a JSON string.")
    if len(text) > MAX_TEXT:
        message = f"A text has at most {MAX_TEXT:,} characters, this one has {len(text):,}."
        raise RefusedValueError(ErrorCode.TOO_LONG, f"{message} Shorten it.")
    if "\0" in text:
        raise RefusedValueError(
            ErrorCode.NUL, "A text cannot hold the character NUL: take out \\u0000."
        )
    return text


def _boolean(raw: bytes) -> bool:
    word = _unquoted(raw)
    if word not in (b"true", b"false"):
        raise _wrong("Expected true or false: send one of them, bare or as a string.")
    return word == b"true"


def _date(raw: bytes) -> date:
    expected = "Expected a real date: send a string like 2026-11-23 (year-month-day)."
    _string(raw, expected)
    try:
        return msgspec.json.decode(raw, type=date)
    except msgspec.ValidationError:
        raise _wrong(expected) from None


def _timestamp(raw: bytes) -> datetime:
    digits = _unquoted(raw)
    if _INTEGER.fullmatch(digits):
        return _unix(_int64(digits))
    expected = "Expected an instant: send a string like 2026-11-23T09:30:00Z, or Unix time."
    _string(raw, expected)
    try:
        moment = msgspec.json.decode(raw, type=datetime)
    except msgspec.ValidationError:
        raise _wrong(expected) from None
    if moment.tzinfo is None:
        raise _wrong("A time without an offset is no instant: end it with Z or, say, +01:00.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _out_of_range("An instant lies in the years 1 to 9999 of UTC.") from None


def _unix(number: int) -> datetime:
    ms = number if abs(number) >= FIRST_MS else number * 1_000
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        message = "An instant lies in the years 1 to 9999: send Unix seconds or milliseconds."
        raise _out_of_range(message) from None


def _integer(raw: bytes) -> int:
    digits = _unquoted(raw)
    if not _INTEGER.fullmatch(digits):
        raise _wrong("Expected a whole number: send digits only, without point or exponent.")
    return _int64(digits)


def _int64(digits: bytes) -> int:
    # Counted before int(), which refuses thousands of digits with an error of its own.
    magnitude = digits.lstrip(b"-0") or b"0"
    number = int(magnitude) if len(magnitude) <= 19 else 2**64
    number = -number if digits.startswith(b"-") else number
    if not INT64[0] <= number <= INT64[1]:
        raise _out_of_range(f"A whole number lies between {INT64[0]} and {INT64[1]}.")
    return number


def is_written_out(raw: bytes) -> bool:
    """Whether `raw` is a decimal just as `parse_value` would write it: nearly all of them are."""
    return len(raw) <= MAX_DIGITS and _WRITTEN_OUT.fullmatch(raw) is not None


def _decimal(raw: bytes) -> msgspec.Raw:
    text = _unquoted(raw)
    if is_written_out(text):
        return msgspec.Raw(text)  # nearly all: twice as fast
    if not _DECIMAL.fullmatch(text):
        raise _wrong("Expected a number: send digits, with a point before any decimals.")
    try:
        number = Decimal(text.decode())
    except InvalidOperation:  # an exponent of more than 18 digits
        raise _too_many_digits() from None
    # Counted before writing out: 1e999999 must not become a megabyte.
    if _written_digits(number) > MAX_DIGITS:
        raise _too_many_digits()
    return msgspec.Raw(f"{number or abs(number):f}".encode())  # no -0


def _written_digits(number: Decimal) -> int:
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # it is finite
    before = len(digits) + exponent if number else 1
    return max(before, 1) + max(-exponent, 0)


def _string(raw: bytes, expected: str) -> str:
    if not raw.startswith(b'"'):
        raise _wrong(expected)
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusedValueError(
            ErrorCode.MALFORMED, "The string is not valid UTF-8: mend it."
        ) from None


def _unquoted(raw: bytes) -> bytes:
    return _string(raw, "").encode() if raw.startswith(b'"') else raw


def _wrong(message: str) -> RefusedValueError:
    return RefusedValueError(ErrorCode.WRONG_TYPE, message)


def _out_of_range(message: str) -> RefusedValueError:
    return RefusedValueError(ErrorCode.OUT_OF_RANGE, message)


def _too_many_digits() -> RefusedValueError:
    message = f"A number has at most {MAX_DIGITS} digits, written out: round it or send a text."
    return RefusedValueError(ErrorCode.TOO_MANY_DIGITS, message)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(rb"-?\d+")
_WRITTEN_OUT = re.compile(rb"-?[1-9]\d*(?:\.\d+)?")
_DECIMAL = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_PARSERS: dict[FieldType, Callable[[bytes], Value]] = {
    FieldType.TEXT: _text,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.TIMESTAMP: _timestamp,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
}
