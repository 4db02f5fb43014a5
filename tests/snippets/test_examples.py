"""Examples of calls: what people copy from them must be right by the version."""

import json
import re
from dataclasses import replace
from datetime import date

import pytest

from tracker.rules.fields import Field, FieldType
from tracker.rules.validation import Validator
from tracker.snippets import forms
from tracker.snippets.config import SnippetConfig
from tracker.snippets.examples import object_of
from tracker.snippets.forms import FormName

FIELDS = (
    Field("fld_0", "source", "Source", FieldType.TEXT, required=True),
    *(
        Field(f"fld_{n}", f"a-{n}", "A", type_, required=n == 1)
        for n, type_ in enumerate(FieldType, 1)
    ),
)
CONFIG = SnippetConfig(
    "https://c.example", "key", "order", "Order", 1, date(2026, 11, 25), fields=FIELDS
)


def test_the_example_fits_the_version_once_source_is_filled_in() -> None:
    lines = re.sub("  // can be left out", "", object_of(CONFIG)).replace(",\n}", "\n}")
    sent = json.loads(lines)
    assert list(sent) == [field.key for field in FIELDS[1:]]
    stored = Validator(FIELDS).validate(json.dumps(sent).encode(), "Website")
    assert isinstance(stored, bytes), stored


def test_what_can_be_left_out_says_so() -> None:
    assert object_of(CONFIG).count("// can be left out") == len(FieldType) - 1


@pytest.mark.parametrize("key", ["plain", "with_line9"])
def test_keys_that_need_no_quotes_have_none(key: str) -> None:
    field = Field("fld_1", key, "A", FieldType.INTEGER, required=True)
    assert object_of(replace(CONFIG, fields=(field,))) == f"{{\n  {key}: 42,\n}}"


def test_an_event_without_fields_of_its_own() -> None:
    bare = replace(CONFIG, fields=FIELDS[:1])
    assert forms.example(bare, FormName.INLINE) == "pintag('order', {})"
    assert forms.example(bare, FormName.MODULE) == "track({})"
    assert forms.example(bare, FormName.CURL) == ""
