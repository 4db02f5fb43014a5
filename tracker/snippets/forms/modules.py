"""The forms for bundlers and module scripts: an ES module, and its types."""

from tracker.rules.fields import Field, FieldType
from tracker.rules.validation import SOURCE
from tracker.snippets import code
from tracker.snippets.config import SnippetConfig
from tracker.snippets.examples import BARE
from tracker.snippets.forms.form import Rendered, connections, script_sources
from tracker.snippets.texts import doc_comment, json_hole, one_line, title

TYPES = {
    FieldType.TEXT: "string",
    FieldType.BOOLEAN: 'boolean | "true" | "false"',
    FieldType.DATE: "string",
    FieldType.TIMESTAMP: "string | number | Date",
    FieldType.INTEGER: "number | string",
    FieldType.DECIMAL: "number | string",
}
"""What TypeScript may pass for a field: the spellings of docs/fields.md, and a Date for an instant,
which JSON makes of it. It would make one for a day, too, which is refused: whose day is it?
"""
_HINTS = {
    FieldType.DATE: "As YYYY-MM-DD.",
    FieldType.TIMESTAMP: "A Date, RFC 3339 or Unix time.",
    FieldType.INTEGER: "Beyond 2^53 as a string of digits.",
    FieldType.DECIMAL: "As a string it stays exact.",
}


def module(config: SnippetConfig) -> Rendered:
    """A file for a site to serve or bundle, with the runtime in it."""
    text = code.template("module.js.j2").render(
        comment=one_line(title(config)),
        runtime=code.runtime(),
        config=json_hole(config.public),
        slug=json_hole(config.slug),
    )
    csp = (script_sources(config, addresses=["'self'"]), connections(config))
    return Rendered(text, csp, code.integrity_of(text))


def types(config: SnippetConfig) -> Rendered:
    """What TypeScript must know of the module, made from the version's fields."""
    text = code.template("types.d.ts.j2").render(
        comment=one_line(title(config)),
        name=doc_comment(config.event_name),
        description=doc_comment(config.description),
        fields=[_property(field) for field in config.fields],
        needed=any(not _optional(field) for field in config.fields),
    )
    return Rendered(text)


def _property(field: Field) -> tuple[str, str]:
    """A comment, and a property with its type."""
    parts = [field.label, _ended(field.description), _HINTS.get(field.type, "")]
    if field.key == SOURCE:
        parts.append("Filled in if it is left out.")
    comment = doc_comment(_ended(parts[0]) + " " + " ".join(part for part in parts[1:] if part))
    key = field.key if BARE.fullmatch(field.key) else json_hole(field.key)
    type_ = TYPES[field.type]
    return comment, f"{key}?: {type_} | null" if _optional(field) else f"{key}: {type_}"


def _optional(field: Field) -> bool:
    return not field.required or field.key == SOURCE


def _ended(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
