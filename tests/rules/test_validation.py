"""What a Validator makes of a hit's data: normalised bytes, or every error."""

import json

import pytest

from tracker.rules.fields import Field, FieldError, FieldType
from tracker.rules.validation import MAX_UNKNOWN, Validator


def field(key: str, type_: FieldType = FieldType.TEXT, required: bool = False) -> Field:
    return Field(id=f"fld_{key}", key=key, label=key.title(), type=type_, required=required)


ORDER = Validator(
    [
        field("source", required=True),
        field("reference", required=True),
        field("amount", FieldType.DECIMAL),
        field("count", FieldType.INTEGER),
        field("paid", FieldType.TIMESTAMP),
    ]
)
SOURCE_ONLY = Validator([field("source", required=True)])


def codes(validator: Validator, data: bytes) -> list[tuple[str, str]]:
    result = validator.validate(data, "Website")
    assert isinstance(result, list)
    assert all(error.message for error in result)
    return [(error.field, error.code) for error in result]


@pytest.mark.parametrize(
    ("data", "result"),
    [
        pytest.param(
            b'{"count":3,"reference":"A1","source":"Checkout"}',
            b'{"source":"Checkout","reference":"A1","count":3}',
            id="order of the version",
        ),
        pytest.param(b'{"reference":"A1"}', b'{"source":"Website","reference":"A1"}', id="source"),
        pytest.param(
            b'{"reference":"A1","source":null,"amount":null,"count":null}',
            b'{"source":"Website","reference":"A1"}',
            id="nulls",
        ),
        pytest.param(
            b'{"reference":"A1","count":"3","amount":"1e2","paid":0}',
            b'{"source":"Website","reference":"A1","amount":100,"count":3,'
            b'"paid":"1970-01-01T00:00:00Z"}',
            id="coerced",
        ),
        pytest.param(
            b'{"reference":"A1","reference":"A2"}',
            b'{"source":"Website","reference":"A2"}',
            id="the last of two counts",
        ),
        pytest.param(
            b'{"r\\u0065ference":"\\\\u0000"}',
            b'{"source":"Website","reference":"\\\\u0000"}',
            id="escapes",
        ),
    ],
)
def test_normalises(data: bytes, result: bytes) -> None:
    assert ORDER.validate(data, "Website") == result


@pytest.mark.parametrize("data", [b"", b"{}", b" { } "])
def test_no_data_is_an_empty_object(data: bytes) -> None:
    assert SOURCE_ONLY.validate(data, "API") == b'{"source":"API"}'


def test_reports_every_error_in_a_stable_order() -> None:
    data = b'{"zeta":1,"paid":"soon","count":1.0,"amount":"NaN","source":7,"alpha":2}'
    assert codes(ORDER, data) == [
        ("source", "wrong_type"),
        ("reference", "required"),
        ("amount", "wrong_type"),
        ("count", "wrong_type"),
        ("paid", "wrong_type"),
        ("zeta", "unknown_field"),
        ("alpha", "unknown_field"),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"{", "malformed"),
        (b'{"source":"\\ud83d"}', "malformed"),
        (b'{"\xff":1}', "malformed"),
        (b"\xff", "malformed"),
        (b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "too_deep"),
        (b"[" * 100_000, "not_an_object"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_unreadable_data_has_one_error(data: bytes, code: str) -> None:
    assert codes(ORDER, data) == [("", code)]


def test_nesting_of_900_in_a_field_is_that_fields_error() -> None:
    data = b'{"reference":' + b"[" * 900 + b"]" * 900 + b"}"
    assert codes(ORDER, data) in ([("reference", "wrong_type")], [("", "too_deep")])


def test_a_hundred_fields_and_100_kb() -> None:
    keys = [f"k{index}" for index in range(99)]
    validator = Validator([field("source", required=True), *map(field, keys)])
    data = json.dumps(dict.fromkeys(keys, "x" * 1000), separators=(",", ":")).encode()
    result = validator.validate(data, "Website")
    assert isinstance(result, bytes)
    assert json.loads(result) == {"source": "Website", **json.loads(data)}


def test_a_flood_of_unknown_keys_makes_a_bounded_answer() -> None:
    data = json.dumps({f"u{index}": 1 for index in range(9_000)}).encode()
    errors = SOURCE_ONLY.validate(data, "Website")
    assert isinstance(errors, list)
    assert len(errors) == MAX_UNKNOWN + 1
    assert "8,900 more" in errors[-1].message


def test_an_unknown_key_is_shown_so_that_jsonb_takes_it() -> None:
    errors = SOURCE_ONLY.validate(b'{"\\u0000' + b"x" * 500 + b'":1}', "Website")
    assert isinstance(errors, list)
    assert errors[0].field == "\ufffd" + "x" * 99


@pytest.mark.parametrize("key", ["class", "__init__", "f0", "import", "é", "a b", "self"])
def test_any_key_can_be_a_field(key: str) -> None:
    data = json.dumps({key: "x"}, ensure_ascii=False, separators=(",", ":")).encode()
    validator = Validator([field(key, required=True)])
    assert validator.fast(data, "") == data
    assert validator.validate(b"{}", "") == [
        FieldError(key, "required", f"`{key}` is required: send a value of the type Text.")  # type: ignore[arg-type]
    ]
