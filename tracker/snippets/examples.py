"""Values for the fields of an event, in forms that show a whole call."""

import re

from tracker.rules.fields import FieldType
from tracker.rules.validation import SOURCE
from tracker.snippets.config import SnippetConfig
from tracker.snippets.texts import json_hole

BARE = re.compile("[A-Za-z][A-Za-z0-9_]*")
"""Keys that JavaScript takes without quotes."""


def examples(config: SnippetConfig, source: str) -> dict[str, str | bool | int]:
    """A value for each field, by key, that its type takes; source: where this form sends from.

    Decimals are texts, which no JSON library makes a binary float of.
    """
    day = config.date.isoformat()
    values: dict[FieldType, str | bool | int] = {
        FieldType.TEXT: "Example",
        FieldType.BOOLEAN: True,
        FieldType.DATE: day,
        FieldType.TIMESTAMP: f"{day}T09:30:00Z",
        FieldType.INTEGER: 42,
        FieldType.DECIMAL: "12.50",
    }
    found = {field.key: values[field.type] for field in config.fields}
    if SOURCE in found:
        found[SOURCE] = source
    return found


def object_of(config: SnippetConfig) -> str:
    """The fields as a JavaScript object, but for `source`, which is filled in where it is left out;
    a comment at those that need not be sent.
    """
    values = examples(config, "")
    fields = [field for field in config.fields if field.key != SOURCE]
    if not fields:
        return "{}"
    lines = []
    for field in fields:
        key = field.key if BARE.fullmatch(field.key) else json_hole(field.key)
        hint = "" if field.required else "  // can be left out"
        lines.append(f"  {key}: {json_hole(values[field.key])},{hint}")
    return "\n".join(["{", *lines, "}"])
