"""docs/fields.md says what the code does."""

from pathlib import Path

import pytest

from tracker.rules.definitions import Category, premade_fields
from tracker.rules.fields import COERCIONS, ErrorCode, FieldType

PAGE = (Path(__file__).parents[2] / "docs" / "fields.md").read_text(encoding="utf-8")


def test_the_coercion_table_is_the_codes() -> None:
    rows = [f"| `{c.type}` | {c.spelling} | `{c.example}` | `{c.stored}` |" for c in COERCIONS]
    assert "\n".join(rows) in PAGE


def test_the_error_table_is_the_codes() -> None:
    assert "\n".join(f"| `{code}` | {code.meaning} |" for code in ErrorCode) in PAGE


@pytest.mark.parametrize("type_", FieldType)
def test_types_and_their_labels_are_documented(type_: FieldType) -> None:
    assert f"| `{type_}` | {type_.label} |" in PAGE


@pytest.mark.parametrize("category", Category)
def test_premade_fields_are_documented(category: Category) -> None:
    fields = ", ".join(f"`{field.key}` {field.type}" for field in premade_fields(category))
    assert f"| `{category}` | {fields} |" in PAGE
