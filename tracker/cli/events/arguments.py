"""What several of the event commands are told: an event, and fields."""

from typing import Annotated, Any

import msgspec
import typer

from tracker.cli.store import UsageError, read_json
from tracker.rules.fields import Field, FieldType

Name = Annotated[str, typer.Argument(help="The event's name, slug or discriminator.")]
FieldChange = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        help="KEY:TYPE or KEY:TYPE:required; adds the field, or changes it. Repeat it.",
    ),
]
Removed = Annotated[
    list[str] | None, typer.Option("--remove", metavar="KEY", help="Takes a field out. Repeat it.")
]
FieldsFile = Annotated[
    str | None,
    typer.Option("--fields", help="A JSON file with all fields, in order; - for standard input."),
]


def field(text: str) -> dict[str, Any]:
    """A field from KEY:TYPE or KEY:TYPE:required. Raises UsageError."""
    key, _, rest = text.partition(":")
    type_, _, required = rest.partition(":")
    if type_ not in list(FieldType) or required not in ("", "required"):
        types = ", ".join(FieldType)
        raise UsageError(f"--field {text}: write KEY:TYPE or KEY:TYPE:required; types: {types}.")
    return {"key": key, "type": type_, "required": bool(required)}


def changed_fields(
    previous: list[Field], changed: list[str] | None, removed: list[str] | None, file: str | None
) -> object:
    """The fields that an edit sends: all of a file, or the newest version's with changes.

    None where no option says anything about fields. Raises UsageError.
    """
    if file is not None:
        if changed or removed:
            raise UsageError("--fields names all fields: leave out --field and --remove.")
        return read_json(file)
    if not changed and not removed:
        return None
    fields: dict[str, dict[str, Any]] = {one.key: {**msgspec.to_builtins(one)} for one in previous}
    for key in removed or []:
        if fields.pop(key, None) is None:
            raise UsageError(f"--remove {key}: the fields are: {', '.join(fields)}.")
    for one in map(field, changed or []):
        fields[one["key"]] = {**fields.get(one["key"], {}), **one}
    return list(fields.values())
