"""`pintag event list` and `show`."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions.views import shown
from tracker.cli.events.arguments import Name
from tracker.cli.screen import whole
from tracker.cli.store import JsonOption, SectionOption, print_json
from tracker.cli.store import stores as opened
from tracker.rules.definitions import current_version, deprecated_at
from tracker.rules.edits import locked
from tracker.rules.moments import in_words
from tracker.stores import definitions
from tracker.stores.definitions import Definition, Version


def list_(section: SectionOption = None, as_json: JsonOption = False) -> None:
    """List the section's events."""
    now = datetime.now(UTC)
    with opened() as stores:
        section_id = stores.section(section).id
        found = definitions.visible(stores.database, section_id)
        prefix, option = stores.prefix, stores.option(section_id)
    if as_json:
        print_json([shown(definition, prefix, now) for definition in found])
        return
    slugs = whole("Slug", (definition.slug for definition in found))
    table = Table("Category", "Name", slugs, "Tracking", "Version", "Fields", box=None)
    for definition in found:
        version = current_version(definition.versions, now) or definition.versions[0]
        table.add_row(
            definition.category,
            Text(definition.name),
            definition.slug,
            "on" if definition.web_tracking else "off",
            str(version.number),
            " ".join(field.key for field in version.fields),
        )
    Console().print(table if found else f"No events yet: pintag event create NAME{option}")


def show(name: Name, section: SectionOption = None, as_json: JsonOption = False) -> None:
    """Show an event with its versions and fields."""
    with opened() as stores:
        definition, prefix = stores.definition(section, name), stores.prefix
    print_event(definition, prefix, as_json)


def print_event(definition: Definition, prefix: str, as_json: bool) -> None:
    """Print a definition, for people or for scripts."""
    now = datetime.now(UTC)
    if as_json:
        print_json(shown(definition, prefix, now))
        return
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    console.print(definition.name, style="bold", markup=False)
    for line in _about(definition, now):
        console.print(f"  {line}", markup=False)
    for version in definition.versions:
        mark = _mark(version, definition, now)
        console.print(f"  version {version.number} ({version.public_id}, {mark})", markup=False)
        for field in version.fields:
            required = "required" if field.required else ""
            console.print(f"    {field.key:<20} {field.type:<10} {required}", markup=False)


def _about(definition: Definition, now: datetime) -> Iterator[str]:
    yield f"{definition.category} · {definition.discriminator}"
    if definition.description:
        yield definition.description
    yield f"web tracking is {'on' if definition.web_tracking else 'off'}"
    denied = ", ".join(definition.denied_operations)
    yield f"API clients may not use {denied}" if denied else "API clients may read and write it"
    days = definition.ttl_days
    yield f"its events are deleted after {days:,} days" if days else "its events are kept for ever"
    if until := locked(definition.locked_until, now):
        yield f"it can be edited again {in_words(until, now)}"


def _mark(version: Version, definition: Definition, now: datetime) -> str:
    if version.usable_from > now:
        return f"can be used {in_words(version.usable_from, now)}"
    deprecated = deprecated_at(version, definition.versions, now)
    return f"deprecated since {deprecated:%F %T}Z" if deprecated else "current"
