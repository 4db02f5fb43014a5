"""A draft from a client: checked as a whole, every error in one answer."""

from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.definitions import Draft
from tracker.rules.drafts import complete_fields, parse_draft
from tracker.rules.fields import Field, FieldType

SOURCE = {"key": "source", "type": "text", "required": True}
PREVIOUS = [
    Field("fld_s", "source", "Source", FieldType.TEXT, required=True),
    Field("fld_a", "amount", "Amount", FieldType.DECIMAL),
]


def sent(*fields: Any, **parts: Any) -> dict[str, Any]:
    return {"category": "signals", "name": "Poll", "fields": [SOURCE, *fields], **parts}


def drafted(*fields: Any, **parts: Any) -> Draft:
    draft = parse_draft(sent(*fields, **parts), PREVIOUS)
    assert isinstance(draft, Draft)
    return draft


def errors_of(body: object) -> list[tuple[str, str]]:
    errors = parse_draft(body, PREVIOUS)
    assert isinstance(errors, list)
    assert all(error.message for error in errors)
    return [(error.field, error.code) for error in errors]


def test_without_fields_the_premade_ones_are_there() -> None:
    draft = parse_draft(b'{"category":"conversions","name":"Member","fields":null}')
    assert isinstance(draft, Draft)
    assert [field.key for field in draft.fields or []] == ["source", "stage"]


def test_spaces_are_taken_off_and_a_label_defaults_to_the_key() -> None:
    draft = drafted({"key": " stage ", "type": "text"}, name="  Poll ")
    assert draft.name == "Poll"
    assert draft.fields
    assert (draft.fields[1].key, draft.fields[1].label) == ("stage", "stage")


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("Loyalty tier", "loyalty_tier"),
        ("Grüße!", "grue"),
        ("a.b-c", "a_b_c"),
        ("2nd visit", ""),
        ("ヌル", ""),
    ],
)
def test_a_wrong_field_name_hears_of_one_that_would_do(name: str, proposal: str) -> None:
    errors = parse_draft(sent({"key": name, "type": "text"}), PREVIOUS)
    assert isinstance(errors, list)
    [error] = errors
    assert error.message.startswith("A field name starts with a letter")
    assert error.message.endswith(f"follow: `{proposal}` would do." if proposal else "follow.")
    if proposal:
        assert drafted({"key": proposal, "type": "text"})


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        pytest.param(b"{", [("", "malformed")], id="not JSON"),
        pytest.param(b'"\\ud83d"', [("", "malformed")], id="half an emoji"),
        pytest.param(b"[" * 5_000, [("", "too_deep")], id="deep"),
        pytest.param([], [("", "not_an_object")], id="a list"),
        pytest.param({}, [("category", "required"), ("name", "required")], id="empty"),
        pytest.param(sent(name="  "), [("name", "required")], id="blank name"),
        pytest.param(sent(name="x" * 101), [("name", "too_long")], id="long name"),
        pytest.param(sent(name="a\nb"), [("name", "control_character")], id="name of two lines"),
        pytest.param(
            sent(description="a\0" * 501),
            [("description", "too_long"), ("description", "control_character")],
            id="description",
        ),
        pytest.param(sent(name="x\ud83d"), [("name", "control_character")], id="surrogate"),
        pytest.param(sent(extra=1), [("extra", "unknown_field")], id="unknown"),
        pytest.param(sent(**{"": 1, "name": ""}), [("", "unknown_field"), ("name", "required")]),
        pytest.param(sent(fields={}), [("fields", "wrong_type")], id="fields no list"),
        pytest.param(sent(fields=[]), [("fields", "source")], id="no fields"),
        pytest.param(
            sent(fields=[{"key": "source", "type": "integer"}]),
            [("fields[0].type", "source"), ("fields[0].required", "source")],
            id="source of another kind",
        ),
        pytest.param(sent(7), [("fields[1]", "not_an_object")], id="field no object"),
        pytest.param(
            sent({"key": "source", "type": "text", "required": True}),
            [("fields[1].key", "duplicate")],
            id="same key",
        ),
        pytest.param(
            sent({"key": "a", "type": "text", "id": "fld_a"}, {"key": "b", "type": "text"}),
            None,
            id="a known id",
        ),
        pytest.param(
            sent({"key": "a", "type": "text", "id": "fld_x"}),
            [("fields[1].id", "unknown_id")],
            id="an unknown id",
        ),
        pytest.param(
            sent({"key": "a", "type": "date", "label": "L" * 101, "description": "d" * 1001}),
            [("fields[1].label", "too_long"), ("fields[1].description", "too_long")],
            id="long label",
        ),
        pytest.param(
            sent(*({"key": f"k{i}", "type": "text"} for i in range(100))),
            [("fields", "too_many")],
            id="101 fields",
        ),
    ],
)
def test_errors(body: object, errors: list[tuple[str, str]] | None) -> None:
    if errors is None:
        assert isinstance(parse_draft(body, PREVIOUS), Draft)
    else:
        assert errors_of(body) == errors


@pytest.mark.parametrize("key", ["1a", "a b", "_a", "å", "a" * 65, "a.b"])
def test_bad_keys(key: str) -> None:
    assert errors_of(sent({"key": key, "type": "text"})) == [("fields[1].key", "bad_format")]


def test_wrong_types_and_broken_rules_come_in_one_answer() -> None:
    body = {
        "category": "sales",
        "name": "",
        "description": 5,
        "colour": "red",
        "fields": [
            {"key": 7, "type": "number", "required": "yes", "id": 1},
            {"key": "9", "type": "text", "size": 3},
            {"type": "text"},
        ],
    }
    assert sorted(errors_of(body)) == [
        ("category", "wrong_type"),
        ("colour", "unknown_field"),
        ("description", "wrong_type"),
        ("fields", "source"),
        ("fields[0].id", "wrong_type"),
        ("fields[0].key", "wrong_type"),
        ("fields[0].required", "wrong_type"),
        ("fields[0].type", "wrong_type"),
        ("fields[1].key", "bad_format"),
        ("fields[1].size", "unknown_field"),
        ("fields[2].key", "required"),
        ("name", "required"),
    ]


def ids(draft: Draft) -> list[str]:
    numbers = count()
    return [field.id for field in complete_fields(draft, lambda: f"new{next(numbers)}", PREVIOUS)]


def test_fields_keep_their_ids_by_id_or_by_key() -> None:
    renamed = {"key": "total", "type": "decimal", "id": "fld_a"}
    same_key = {"key": "amount", "type": "integer"}
    other = {"key": "other", "type": "text"}
    assert ids(drafted(renamed, other)) == ["fld_s", "fld_a", "new0"]
    assert ids(drafted(same_key, other)) == ["fld_s", "fld_a", "new0"]
    assert ids(drafted(same_key, renamed)) == ["fld_s", "new0", "fld_a"]


def test_fields_go_through_json_and_back() -> None:
    fields = complete_fields(drafted(), lambda: "fld_x", PREVIOUS)
    assert msgspec.json.decode(msgspec.json.encode(fields), type=list[Field]) == fields


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["category", "name", "fields", "key", "type", "id", "x"]), inner
        )
    ),
    max_leaves=15,
)


@settings(max_examples=200)
@given(JSON)
def test_no_json_makes_it_raise(body: object) -> None:
    assert isinstance(parse_draft(body), Draft | list)
    assert isinstance(parse_draft(msgspec.json.encode(body)), Draft | list)
