"""Values for the fields of an event, in forms that show a whole call."""

from tracker.rules.fields import FieldType
from tracker.rules.validation import SOURCE
from tracker.snippets.config import SnippetConfig


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
        found[SOURCE] = source if config.source is None else config.source
    return found
