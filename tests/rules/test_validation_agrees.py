"""The fast way takes a subset of what the slow way takes, and writes the same bytes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.fields import INT64, Field, FieldType
from tracker.rules.validation import Validator

KEYS = st.sampled_from(["a", "b", "c", "class", "f0", "k-1"])
VALID: dict[FieldType, st.SearchStrategy[str]] = {
    FieldType.TEXT: st.text(max_size=20).map(json.dumps),
    FieldType.BOOLEAN: st.sampled_from(["true", "false", '"true"', '"false"']),
    FieldType.DATE: st.dates().map(lambda day: f'"{day.isoformat()}"'),
    FieldType.TIMESTAMP: st.one_of(
        st.datetimes().map(lambda moment: f'"{moment.isoformat()}Z"'),
        st.integers(-(10**15), 10**15).map(str),
        st.integers(-(10**15), 10**15).map('"{}"'.format),
    ),
    FieldType.INTEGER: st.integers(-(2**65), 2**65).map(str),
    FieldType.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False).map(
        lambda number: str(number).lower()
    ),
}
HOSTILE = st.sampled_from(
    ["null", "[]", "{}", "1.0", "1e3", "1e999999", "-0", "-0.0", "0e9", '""', '"1"', '"1_0"']
    + ['"NaN"', '" 1"', '"٣"', '"\\u0000"', '"\\\\u0000"', '"\\u0031"', '"\\ud83d"', "01", "nul"]
    + ['"2026-W47-1"', '"2026-11-23"', '"2026-11-23T24:00:00Z"', '"2026-11-23 10:00:00+0100"']
    + ['"0001-01-01T00:00:00+05:00"', '"9999-12-31T23:59:59.9999999Z"', '"x\xa0"', "[[[[]]]]"]
    + [str(INT64[0]), str(INT64[0] - 1), str(INT64[1]), str(INT64[1] + 1), "9" * 400]
    + ['"' + "é" * length + '"' for length in (1000, 1001)]
)


@st.composite
def versions(draw: st.DrawFn) -> list[Field]:
    keys = draw(st.lists(KEYS, unique=True, max_size=5))
    fields = [
        Field(key, key, key, draw(st.sampled_from(FieldType)), required=draw(st.booleans()))
        for key in keys
    ]
    source = Field("source", "source", "Source", FieldType.TEXT, required=True)
    fields.insert(draw(st.integers(0, len(fields))), source)
    return fields


@st.composite
def members(draw: st.DrawFn, fields: list[Field]) -> str:
    chosen = draw(st.sampled_from(fields))
    key = draw(st.sampled_from([chosen.key] * 9 + ["unknown"]))
    value = draw(st.one_of(VALID[chosen.type], VALID[chosen.type], HOSTILE))
    space = draw(st.sampled_from(["", "", " ", "\n"]))
    return f"{json.dumps(key)}{space}:{space}{value}{space}"


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Field], bytes]:
    fields = draw(versions())
    if draw(st.booleans()):  # each field once, as a well-made hit has them
        parts = [f"{json.dumps(f.key)}:{draw(VALID[f.type])}" for f in fields]
        parts = draw(st.permutations(parts))
    else:
        parts = draw(st.lists(members(fields), max_size=8))
    return fields, ("{" + ",".join(parts) + "}").encode(errors="surrogatepass")


@settings(max_examples=300)
@given(cases())
def test_fast_is_a_subset_of_slow_with_equal_bytes(case: tuple[list[Field], bytes]) -> None:
    fields, data = case
    validator = Validator(fields)
    fast, slow = validator.fast(data, "Website"), validator.slow(data, "Website")
    if fast is not None:
        assert fast == slow
    assert validator.validate(data, "Website") == slow
    if isinstance(slow, bytes):
        assert validator.slow(slow, "other") == slow, "what is normalised stays"


@settings(max_examples=200)
@given(versions(), st.binary(max_size=60))
def test_no_bytes_make_it_raise(fields: list[Field], data: bytes) -> None:
    assert isinstance(Validator(fields).validate(data, "Website"), bytes | list)


@pytest.mark.parametrize("type_", FieldType)
def test_the_fast_way_takes_each_type(type_: FieldType) -> None:
    value: dict[FieldType, Any] = {
        FieldType.TEXT: "x",
        FieldType.BOOLEAN: True,
        FieldType.DATE: "2026-11-23",
        FieldType.TIMESTAMP: "2026-11-23T08:30:00Z",
        FieldType.INTEGER: 3,
        FieldType.DECIMAL: 2,
    }
    data = json.dumps({"a": value[type_]}, separators=(",", ":")).encode()
    assert Validator([Field("fld_a", "a", "A", type_)]).fast(data, "") == data
