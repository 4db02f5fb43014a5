"""`pintag event diff`, `check` and `pages`: what a change would do, and who sends what."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import checking, comparing, installed
from tracker.actions.checking import Check
from tracker.cli.events.arguments import FieldChange, FieldsFile, Name, Removed, changed_fields
from tracker.cli.screen import Screen, harmless
from tracker.cli.store import JsonOption, SectionOption, UsageError, print_json
from tracker.cli.store import stores as opened
from tracker.stores.recent_events import MOST


def diff(
    name: Name,
    old: Annotated[str | None, typer.Argument(metavar="[FROM]", help="A version's number.")] = None,
    new: Annotated[str | None, typer.Argument(metavar="[TO]", help="A version's number.")] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions, by default the two newest: would old hits still validate?"""
    with opened() as stores:
        found = comparing.diff(stores.definition(section, name), old, new)
    if as_json:
        print_json(
            {
                "from": found.old.number,
                "to": found.new.number,
                "fits": found.fits,
                "changes": found.changes,
            }
        )
        return
    screen = Screen()
    screen.line((f"From version {found.old.number} to version {found.new.number}:", "bold"))
    for change in found.changes:
        sign, style = ("✓", "green") if change.fits else ("✗", "red")
        screen.line((f"  {sign} {change.kind:<12}", style), (change.sentence, ""))
    verdict = "fits" if found.fits else "need not fit"
    screen.line((f"A hit that is valid under version {found.old.number} {verdict}.", ""))


def check(
    name: Name,
    field: FieldChange = None,
    remove: Removed = None,
    fields: FieldsFile = None,
    hits: Annotated[int, typer.Option(help="How many of the newest events.")] = checking.HITS,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many of the newest events new fields would have rejected; saves nothing."""
    with opened() as stores:
        definition = stores.definition(section, name)
        sent = changed_fields(definition.versions[0].fields, field, remove, fields)
        if sent is None:
            raise UsageError("Say which fields to check: --fields FILE, --field or --remove.")
        found = checking.check(stores.database, definition, sent, now=datetime.now(UTC), hits=hits)
    if as_json:
        print_json(found)
    else:
        _print_check(found, hits)


def _print_check(found: Check, hits: int) -> None:
    screen = Screen()
    which = f"the newest {hits:,} events" if found.checked == hits else _which(found)
    rejected = f"{found.rejected:,} of {which} would have been rejected."
    screen.line((rejected, "bold red" if found.rejected else "bold green"))
    for complaint in found.complaints:
        subject = harmless(complaint.field) or "(the whole)"
        screen.line((f"{complaint.events:>8,}  {subject}: {complaint.code}", ""))
        for example in complaint.examples:
            value = f" {example.value}" if example.value else ""
            text = f"          {example.event_id}, version {example.version}:{value}"
            screen.line((harmless(text), "dim"))
    _print_reach(screen, found.since, found.whole)


def _which(found: Check) -> str:
    return f"{found.checked:,} events since {found.since:%F %T}Z"


def _print_reach(screen: Screen, since: datetime, whole: bool) -> None:
    if not whole:
        screen.line(
            (
                f"Only the newest {MOST:,} events of the installation were looked at, back to"
                f" {since:%F %T}Z: of what is older nothing is said.",
                "yellow",
            )
        )


def pages(name: Name, section: SectionOption = None, as_json: JsonOption = False) -> None:
    """Show which pages sent which version in the last 30 days."""
    with opened() as stores:
        definition = stores.definition(section, name)
        found = installed.pages(stores.database, definition, now=datetime.now(UTC))
    if as_json:
        print_json(found)
        return
    table = Table("Version", "Events", "Last seen", "Page", box=None)
    for use in found.pages:
        page = Text("(none named)" if use.page is None else harmless(use.page))
        table.add_row(str(use.version), f"{use.events:,}", f"{use.last_seen:%F %T}Z", page)
    nothing = f"No event since {found.since:%F %T}Z."
    Console(highlight=False, soft_wrap=True).print(table if found.pages else nothing)
    screen = Screen()
    if found.more:
        screen.line((f"Only the {installed.MOST_PAGES:,} pages seen last are listed.", "yellow"))
    _print_reach(screen, found.since, found.whole)
