"""What changed between two versions, and whether hits of the old one would still validate."""

import json
import re
from itertools import permutations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.diffs import Change, ChangeKind, compare
from tracker.rules.fields import Field, FieldType
from tracker.rules.validation import Validator

T = FieldType
SOURCE = Field("fld_s", "source", "Source", T.TEXT, required=True)


def field(key: str, type_: FieldType = T.INTEGER, required: bool = False, **parts: str) -> Field:
    return Field(
        id=parts.get("id", f"fld_{key}"),
        key=key,
        label=parts.get("label", key),
        type=type_,
        required=required,
        description=parts.get("description", ""),
    )


A, B = field("a"), field("b", T.TEXT)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        pytest.param([A], [A], [], id="nothing"),
        pytest.param([], [A], [("added", "a", True, None, "integer")], id="added"),
        pytest.param(
            [], [field("a", required=True)], [("added", "a", False, None, "integer")],
            id="added, required",
        ),
        pytest.param([A], [], [("removed", "a", False, "integer", None)], id="removed"),
        pytest.param(
            [A], [field("c", id="fld_a", label="a")], [("renamed", "c", False, "a", "c")],
            id="renamed",
        ),
        pytest.param(
            [A], [field("a", T.DECIMAL)], [("retyped", "a", True, "integer", "decimal")],
            id="integer to decimal",
        ),
        pytest.param(
            [A], [field("a", T.TEXT)], [("retyped", "a", False, "integer", "text")],
            id="integer to text",
        ),
        pytest.param(
            [A], [field("a", required=True)],
            [("required", "a", False, "optional", "required")], id="required",
        ),
        pytest.param(
            [field("a", required=True)], [A],
            [("optional", "a", True, "required", "optional")], id="optional",
        ),
        pytest.param(
            [A], [field("a", label="An a")], [("relabelled", "a", True, "a", "An a")],
            id="relabelled",
        ),
        pytest.param(
            [A], [field("a", description="x")], [("redescribed", "a", True, "", "x")],
            id="redescribed",
        ),
        pytest.param(
            [A, B], [B, A], [("reordered", "", True, "a, b", "b, a")], id="reordered",
        ),
        pytest.param(
            [A], [field("a", T.DECIMAL, required=True)],
            [
                ("retyped", "a", True, "integer", "decimal"),
                ("required", "a", False, "optional", "required"),
            ],
            id="two changes of a field",
        ),
        pytest.param(
            [A], [field("c", T.TEXT, id="fld_a", label="a"), field("a", id="fld_n")],
            [
                ("renamed", "c", True, "a", "c"),
                ("retyped", "c", True, "integer", "text"),
                ("added", "a", True, None, "integer"),
            ],
            id="renamed, and a new field has its key",
        ),
        pytest.param(
            [A], [field("a", id="fld_n")],
            [("added", "a", True, None, "integer"), ("removed", "a", True, "integer", None)],
            id="another field under the same key",
        ),
    ],
)  # fmt: skip
def test_changes(
    old: list[Field], new: list[Field], changes: list[tuple[str, str, bool, str, str]]
) -> None:
    found = compare([SOURCE, *old], [SOURCE, *new])
    assert [
        (c.kind, c.field, c.fits, c.before, c.after) for c in found if c.kind != "reordered"
    ] == [change for change in changes if change[0] != "reordered"]
    assert [c.kind for c in found] == [change[0] for change in changes]
    assert all(change.sentence.endswith(".") for change in found)
    assert not any(c.fits and "rejected" in c.sentence for c in found)


VALUES: dict[FieldType, list[str]] = {
    T.TEXT: ['""', '"x"', '"' + "é" * 1000 + '"'],
    T.BOOLEAN: ["true", '"false"'],
    T.DATE: ['"2026-11-23"', '"0001-01-01"', '"9999-12-31"'],
    T.TIMESTAMP: ['"2026-11-23T08:30:00Z"', "1795422600", '"1795422600250"'],
    T.INTEGER: ["0", "-0", '"007"', str(2**63 - 1), str(-(2**63)), '"-' + "0" * 400 + '7"'],
    T.DECIMAL: ["12.50", "1e3", '"9.99"'],
}
"""Values of each type, of which at least one is refused by every type that does not take all."""
SPELLINGS: dict[FieldType, st.SearchStrategy[str]] = {
    **{type_: st.sampled_from(values) for type_, values in VALUES.items()},
    T.INTEGER: st.integers(-(2**63), 2**63 - 1).map(str) | st.sampled_from(VALUES[T.INTEGER]),
    T.DATE: st.dates().map(lambda day: f'"{day.isoformat()}"'),
    T.TEXT: st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9).map(
        json.dumps
    ),
}
KEYS = ("source", "a", "b", "c")


@st.composite
def versions(draw: st.DrawFn) -> list[Field]:
    """Any fields over few keys and ids, so that they meet; `source` is among them."""
    ids = draw(st.permutations(["fld_1", "fld_2", "fld_3", "fld_4"]))
    keys = [*draw(st.lists(st.sampled_from(KEYS[1:]), unique=True)), "source"]
    return [
        Field(id_, "source", "Source", T.TEXT, required=True)
        if key == "source"
        else Field(id_, key, "", draw(st.sampled_from(T)), required=draw(st.booleans()))
        for id_, key in zip(ids, draw(st.permutations(keys)), strict=False)
    ]


@st.composite
def valid_hits(draw: st.DrawFn, fields: list[Field]) -> bytes:
    sent = [f for f in fields if (f.required and f.key != "source") or draw(st.booleans())]
    return _hit({field.key: draw(SPELLINGS[field.type]) for field in sent})


def _hit(values: dict[str, str]) -> bytes:
    return ("{" + ",".join(f'"{key}":{value}' for key, value in values.items()) + "}").encode()


def takes(fields: list[Field], hit: bytes) -> bool:
    return isinstance(Validator(fields).validate(hit, "Website"), bytes)


@settings(max_examples=200)
@given(st.data(), versions(), versions())
def test_what_fits_is_never_rejected(
    data: st.DataObject, old: list[Field], new: list[Field]
) -> None:
    hit = data.draw(valid_hits(old))
    assert takes(old, hit)
    if all(change.fits for change in compare(old, new)):
        assert takes(new, hit)


@settings(max_examples=200)
@given(versions(), versions())
def test_what_does_not_fit_is_rejected_for_some_hit(old: list[Field], new: list[Field]) -> None:
    if not all(change.fits for change in compare(old, new)):
        assert not all(takes(new, hit) for hit in telling_hits(old))


def telling_hits(fields: list[Field]) -> list[bytes]:
    """Hits that are valid under the fields: the barest, and for each value one with all fields."""
    must = {f.key: VALUES[f.type][0] for f in fields if f.required and f.key != "source"}
    every = {field.key: VALUES[field.type][0] for field in fields}
    hits = [must, every]
    hits += [{**every, f.key: value} for f in fields for value in VALUES[f.type]]
    return [_hit(hit) for hit in hits]


@given(versions(), versions())
def test_no_changes_exactly_if_equal(old: list[Field], new: list[Field]) -> None:
    assert compare(old, old) == []
    assert (compare(old, new) == []) is (old == new)


@pytest.mark.parametrize(("old", "new"), [*permutations(T, 2)])
def test_every_pair_of_types(old: FieldType, new: FieldType) -> None:
    [change] = compare([SOURCE, field("a", old)], [SOURCE, field("a", new)])
    assert change.fits is ((old, new) in {(T.INTEGER, T.DECIMAL), (T.DATE, T.TEXT)})
    taken = [takes([SOURCE, field("a", new)], _hit({"a": value})) for value in VALUES[old]]
    assert all(taken) is change.fits


def test_two_fields_that_exchange_their_keys() -> None:
    first = [SOURCE, field("a", T.TEXT), field("b", T.TEXT)]
    second = [SOURCE, field("b", T.TEXT, id="fld_a"), field("a", T.TEXT, id="fld_b")]
    renamed: list[Change] = [c for c in compare(first, second) if c.kind == "renamed"]
    assert [(c.field, c.fits) for c in renamed] == [("b", True), ("a", True)]
    for one, other in product([first, second], repeat=2):
        assert takes(one, b'{"a":"x"}') is takes(other, b'{"a":"x"}')


def test_the_docs_name_every_kind_of_change() -> None:
    docs = Path(__file__).parents[2] / "docs" / "events.md"
    table = docs.read_text(encoding="utf-8").split("## Comparing two versions")[1].split("\n## ")[0]
    named = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    kinds = {name for row in named for name in re.findall(r"`(\w+)`", row)}
    assert set(ChangeKind) == kinds - set(FieldType)
