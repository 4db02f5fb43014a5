"""`pintag event create` and `edit`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tracker.actions import editing, saving
from tracker.actions.editing import Edited
from tracker.actions.views import shown
from tracker.cli.events.arguments import (
    FieldChange,
    FieldsFile,
    Name,
    Removed,
    changed_fields,
)
from tracker.cli.events.arguments import (
    field as read_field,
)
from tracker.cli.events.showing import print_event
from tracker.cli.screen import Screen, harmless
from tracker.cli.store import JsonOption, SectionOption, UsageError, listed, print_json, read_json
from tracker.cli.store import stores as opened
from tracker.rules.definitions import Category
from tracker.rules.drafts import parse_draft
from tracker.rules.edits import told
from tracker.rules.moments import in_words


def create(
    name: Annotated[str, typer.Argument(help="Its name, unique in the section.")],
    category: Annotated[
        str, typer.Option(help="transactions, conversions or signals.")
    ] = Category.SIGNALS.value,
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="KEY:TYPE or KEY:TYPE:required; repeat it. Without any: the pre-made fields."
        ),
    ] = None,
    fields: Annotated[
        str | None, typer.Option(help="A JSON file with the list of fields; - for standard input.")
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save a new definition; its version 1 can be used at once."""
    sent: dict[str, Any] = {"category": category, "name": name, "description": description}
    if fields is not None:
        sent["fields"] = read_json(fields)
    elif field:
        sent["fields"] = [read_field(text) for text in field]
        if not any(each["key"] == "source" for each in sent["fields"]):
            sent["fields"].insert(0, {"key": "source", "type": "text", "required": True})
    draft = parse_draft(sent)
    if isinstance(draft, list):
        raise UsageError(f"The event was not saved:\n{listed(draft)}")
    with opened() as stores:
        section_id = stores.section(section).id
        with stores.database.transaction():
            made = saving.create(stores.database, section_id, draft, datetime.now(UTC))
            stores.note("created the event", made.name, section_id)
        prefix, option = stores.prefix, stores.option(section_id)
    print_event(made, prefix, as_json)
    if not as_json:
        typer.echo(f"Next: pintag event track {made.slug}{option}")


def edit(
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    description: Annotated[str | None, typer.Option(help="Another description.")] = None,
    field: FieldChange = None,
    remove: Removed = None,
    fields: FieldsFile = None,
    based_on: Annotated[
        int | None,
        typer.Option(help="Refuse if it was edited since: `edits` as `show --json` had it."),
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change name, description or fields; then it is locked for an hour."""
    now = datetime.now(UTC)
    with opened() as stores:
        definition = stores.definition(section, name)
        sent = {
            "name": new_name,
            "description": description,
            "fields": changed_fields(definition.versions[0].fields, field, remove, fields),
            "based_on": based_on,
        }
        edited = editing.edit(
            stores.database,
            stores.redis,
            definition,
            sent,
            now=now,
            cooldown=stores.settings.cooldown,
            note=lambda: stores.note(
                "edited the event", new_name or definition.name, definition.section_id
            ),
        )
        prefix = stores.prefix
    if as_json:
        print_json({"changes": edited.changes, "event": shown(edited.definition, prefix, now)})
    else:
        _print(edited, now)


def _print(edited: Edited, now: datetime) -> None:
    screen, definition = Screen(), edited.definition
    if not edited.changes:
        screen.line((f"{definition.name!r} is like that already: nothing was saved or locked.", ""))
        return
    screen.line((f"{definition.name!r} is saved.", "bold"))
    for sentence in told(edited.changes):
        screen.line((f"  {harmless(sentence)}", ""))
    if edited.version:
        usable = in_words(edited.version.usable_from, now)
        screen.line((f"Version {edited.version.number} can be used {usable}.", ""))
    if definition.locked_until:
        screen.line((f"It can be edited again {in_words(definition.locked_until, now)}.", ""))
