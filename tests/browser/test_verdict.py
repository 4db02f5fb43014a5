"""The debug script's verdict on data is the server's: the same errors in the same words."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from tests.rules.test_validation_agrees import HOSTILE, VALID, versions
from tracker.rules.fields import Field, FieldType
from tracker.rules.hits import replace_lone_surrogates
from tracker.rules.validation import Validator
from tracker.snippets.code import verdict_code

Verdict = Callable[[list[Field], str], tuple[str, list[dict[str, str]]]]

AS_SENT = """
  ([fields, text]) => {
    // Exact numbers, as pages have them from JSON.rawJSON, whatever a number of JavaScript's holds.
    const exact = (key, value, {source}) =>
      typeof value == 'number' ? JSON.rawJSON(source) : value;
    const sent = JSON.stringify({source: 'Website', ...JSON.parse(text, exact)});
    return [sent, verdict(fields, sent)];
  }
"""
OFFSETS = ["", "Z", "z", "+01:00", "-0100", "+23:59", "-24:00", "+01", " Z", "+00:60"]
MOMENTS = st.builds(
    "{:04}-{:02}-{}{}{}:{:02}:{:02}{}{}".format,
    st.sampled_from([0, 1, 2, 99, 1900, 2000, 2026, 9998, 9999]),
    st.sampled_from([0, 1, 2, 11, 12, 13]),
    st.sampled_from(["00", "01", "28", "29", "30", "31", "32", "1"]),
    st.sampled_from(["T", "T", "t", " ", "_"]),
    st.sampled_from(["00", "01", "23", "24", "9"]),
    st.sampled_from([0, 59, 60]),
    st.sampled_from([0, 58, 59, 60]),
    st.sampled_from(["", "", ".", ",5", ".5", ".999999", ".9999994", ".9999995", ".99999999"]),
    st.sampled_from(OFFSETS),
)
DIGITS = st.sampled_from(["", "0", "00", "1", "9" * 19, "9223372036854775808", "0" * 40, "1" * 38])
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+", "--", " "]),
    DIGITS,
    st.sampled_from(["", "", ".", ".0", ".10", "." + "5" * 37, "." + "0" * 38]),
    st.sampled_from(
        ["", "", "e0", "E-2", "e37", "e38", "e-37", "e+", "e" + "9" * 18, "e1" + "0" * 18, "e-1000"]
    ),
)
TIMES = st.sampled_from(
    [99_999_999_999, 100_000_000_000, 253_402_300_799_999, 253_402_300_800_000, 62_135_596_800_000]
)
STRINGS = st.one_of(MOMENTS, NUMBERS, st.text(max_size=12), st.sampled_from(["true", "False"]))
PLAIN = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), STRINGS, st.just([]))
VALUES = st.one_of(
    STRINGS.map(json.dumps),
    TIMES.map(str),
    TIMES.map("-{}".format),
    PLAIN.map(json.dumps),
    st.lists(PLAIN, max_size=2).map(json.dumps),
    st.sampled_from(['"' + "😀" * 1000 + '"', '"' + "\\\\u0000" * 3 + '"', '"\\ud83d\\u0000"']),
    HOSTILE,
    *VALID.values(),
)
KEYS = st.one_of(
    st.sampled_from(["a", "b", "c", "class", "f0", "k-1", "A", "aa", "source", "__proto__", "10"]),
    st.text(max_size=3),
)
CORNERS = [
    "9999-12-31T23:59:59.9999994Z",  # rounded down, and then up beyond the last year
    "9999-12-31T23:59:59.9999995Z",
    "9999-12-31T23:59:59.9999995",
    "9999-12-31T23:59:59.9999995+01:00",
    "9999-12-31T23:59:59-00:01",
    "0001-01-01T00:59:59.9999994+01:00",  # not yet the first instant of UTC, and just so
    "0001-01-01T00:59:59.9999995+01:00",
    "2026-11-23T10:00:00.1234567890123Z",
    "2026-11-23T10:00:00+23:59",
    "2026-11-23T10:00:00+24:00",
    "253402300799999",
    "253402300800000",
    "-62135596800000",
    "-62135596800001",
    "0e999999999999999999",  # the longest exponent that can be read
    "0e1000000000000000000",
    "0.0e1000000000000000000",
    "0.0e1000000000000000001",
    "-0e99999999999999999999999999",
    "0e0000000000000000000001",
    "0e-37",
    "0.0e-37",
    "1e-1000000000000000000",
    "00000000000000000000000000000000000000000000000000.5e-36",
    "00000000000000000000000000000000000000000000000000.5e-37",
    "-9223372036854775808",
    "-9223372036854775809",
    "9223372036854775807",
    "\u0663",  # a digit, but not of ASCII
    "true\n",
    "1\n",
    "",
    ["true"],
    {"toJSON": 1},
    None,
]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Field], str]:
    fields = draw(versions())
    keys = draw(st.lists(st.one_of(KEYS, st.sampled_from([f.key for f in fields])), max_size=6))
    return fields, "{" + ",".join(f"{json.dumps(key)}:{draw(VALUES)}" for key in keys) + "}"


@pytest.fixture(scope="module")
def verdict(browser: Browser) -> Iterator[Verdict]:
    page = browser.new_page()
    page.evaluate(f"void (window.verdict = {verdict_code()})")

    def ask(fields: list[Field], text: str) -> tuple[str, list[dict[str, str]]]:
        shape = [[field.key, field.type.value, field.required] for field in fields]
        sent, errors = page.evaluate(AS_SENT, [shape, text])
        return sent, errors

    yield ask
    page.close()


def of_the_server(fields: list[Field], sent: str) -> list[dict[str, Any]]:
    """Its errors, of data as the collector passes it on."""
    found = Validator(fields).validate(replace_lone_surrogates(sent.encode()), "Website")
    errors: list[dict[str, Any]] = [] if isinstance(found, bytes) else msgspec.to_builtins(found)
    return errors


@settings(max_examples=60)
@given(case=cases())
def test_it_agrees(verdict: Verdict, case: tuple[list[Field], str]) -> None:
    compare(verdict, *case)


@pytest.mark.slow
@settings(max_examples=2_000)
@given(case=cases())
def test_it_agrees_for_long(verdict: Verdict, case: tuple[list[Field], str]) -> None:
    compare(verdict, *case)


def compare(verdict: Verdict, fields: list[Field], text: str) -> None:
    """Fails where the two judge the same data differently."""
    try:
        json.loads(text, parse_constant=lambda name: 1 / 0)
    except (ValueError, ZeroDivisionError):
        return  # Browsers can't have made it.
    sent, errors = verdict(fields, text)
    assert errors == of_the_server(fields, sent)


@settings(max_examples=30)
@given(type_=st.sampled_from(FieldType), values=st.lists(STRINGS.map(json.dumps), min_size=20))
def test_it_agrees_on_each_spelling(verdict: Verdict, type_: FieldType, values: list[str]) -> None:
    fields = [Field(f"f{n}", f"f{n}", "", type_) for n in range(len(values))]
    text = "{" + ",".join(f'"f{n}":{value}' for n, value in enumerate(values)) + "}"
    sent, errors = verdict(fields, text)
    assert errors == of_the_server(fields, sent)


@pytest.mark.parametrize("type_", FieldType)
def test_it_agrees_on_the_corners(verdict: Verdict, type_: FieldType) -> None:
    fields = [Field(f"f{n}", f"f{n}", "", type_) for n in range(len(CORNERS))]
    sent, errors = verdict(fields, json.dumps({f"f{n}": one for n, one in enumerate(CORNERS)}))
    assert errors == of_the_server(fields, sent)


def test_many_unknown_fields_and_long_keys(verdict: Verdict) -> None:
    fields = [Field("n", "n", "N", FieldType.INTEGER, required=True)]
    unknown = {"😀" * 200: 1, "\0": 2} | {f"k{number}": number for number in range(1_200)}
    sent, errors = verdict(fields, json.dumps(unknown))
    assert errors == of_the_server(fields, sent)
    assert errors[-1]["message"].startswith("And 1,1")
