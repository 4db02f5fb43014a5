"""`pintag quarantine …`: rejected hits, and what to do about them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import quarantining, replaying
from tracker.cli.screen import Screen, harmless
from tracker.cli.store import JsonOption, SectionOption, Stores, UsageError, print_json
from tracker.cli.store import stores as opened
from tracker.cli.waiting import wait
from tracker.rules.outcomes import Outcome, Reason
from tracker.stores import quarantine
from tracker.stores.definitions import Definition

app = typer.Typer(help="Rejected hits, kept whole.", no_args_is_help=True)

ReasonOption = Annotated[str | None, typer.Option(help="Only hits with this reason.")]
Ids = Annotated[list[int] | None, typer.Argument(help="Ids, as `quarantine list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All of them (or all of --reason).")]


@app.command("list")
def list_(
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most hits to list.")] = 50,
    section: Annotated[str | None, typer.Option(help="Only hits of this section.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest hits in quarantine, and how many there are of each reason."""
    with opened() as stores:
        of = stores.section(section).id if section else None
        counts = quarantine.counts(stores.database, of)
        hits = quarantine.listed(stores.database, _reason(reason), limit, of)
    if as_json:
        print_json([_shown(hit) for hit in hits])
        return
    console = Console(highlight=False)
    if not counts:
        console.print("The quarantine is empty.")
        return
    table = Table("Id", "Received", "Reason", "Event", "What is wrong", box=None)
    for hit in hits:
        wrong = "; ".join(
            f"{e['field']}: {e['code']}" if e["field"] else e["message"] for e in hit.errors
        )
        version = f" v{hit.version_number}" if hit.version_number else ""
        table.add_row(
            str(hit.id),
            f"{hit.received_at:%F %T}Z",
            hit.reason,
            Text((hit.event or "") + version),
            Text(harmless(wrong)),
        )
    console.print(table)
    for name, event, count in counts:
        console.print(f"  {count:>8,}  {name}  {event or ''}", markup=False)


@app.command()
def show(id_: Annotated[int, typer.Argument(metavar="ID")], as_json: JsonOption = False) -> None:
    """Show one hit whole, with everything that is wrong with it."""
    with opened() as stores:
        hit = quarantine.get(stores.database, id_)
    if hit is None:
        raise UsageError(f"There is no hit {id_} in quarantine.")
    if as_json:
        print_json(_shown(hit))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{hit.reason}: {Reason(hit.reason).meaning}", style="bold", markup=False)  # type: ignore[call-arg]
    console.print(f"  received {hit.received_at:%F %T}Z by snippet {hit.snippet_key}")
    if sender := ", ".join(part for part in (hit.agent, hit.address) if part):
        console.print(harmless(f"  sent by {sender}"), markup=False)
    if hit.event:
        console.print(f"  {hit.event}, version {hit.version_number}", markup=False)
    for error in hit.errors:
        wrong = f"  {error['field']}: {error['message']} ({error['code']})"
        console.print(harmless(wrong), markup=False)
    console.print(harmless(hit.raw.decode("utf-8", "backslashreplace")), markup=False)


def _shown(hit: quarantine.QuarantinedHit) -> dict[str, object]:
    return {
        "id": hit.id,
        "reason": hit.reason,
        "errors": hit.errors,
        "event": hit.event,
        "version": hit.version_number,
        "hit_id": str(hit.hit_id) if hit.hit_id else None,
        "snippet_key": hit.snippet_key,
        "received_at": hit.received_at,
        "address": hit.address,
        "agent": hit.agent,
        "raw": hit.raw.decode("utf-8", "backslashreplace"),
    }


@app.command()
def replay(
    ids: Ids = None,
    reason: ReasonOption = None,
    every: All = False,
    event: Annotated[str | None, typer.Option(help="Only hits of this event's snippets.")] = None,
    section: SectionOption = None,
    version: Annotated[
        int | None,
        typer.Option(help="A later version of their event, by number; default: their own."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of them.")
    ] = False,
) -> None:
    """Run hits through the same steps again, as a job; those rejected again stay.

    All others leave the quarantine: they are stored, are duplicates, or are dropped, which the
    ledger counts.
    """
    with opened() as stores:
        definition = stores.definition(section, event, hidden_too=True) if event else None
        chosen = _chosen(stores, ids, reason, every, definition)
        against = None
        if version is not None:
            against = replaying.choose(stores.database, chosen, version, datetime.now(UTC))
        job = replaying.replay(stores.redis, chosen, dry_run=dry_run, version=against)
        did = "tried a replay of quarantined hits" if dry_run else "replayed quarantined hits"
        stores.note(did, _many(len(chosen)), definition.section_id if definition else None)
        useless = _NO_DRY_RUN if dry_run else ""
        counts: dict[str, int] = wait(job, "the replay", "replaying", useless=useless)
    would = "would be" if dry_run else "now"
    for name, count in sorted(counts.items()):
        typer.echo(f"{count} {would} {name}")
    for line in _summary(sum(counts.values()), len(chosen), dry_run):
        Screen().line((line, "dim"))


_NO_DRY_RUN = "There is no dry run without a jobs process, and none is running."


def _summary(tried: int, chosen: int, dry_run: bool) -> Iterator[str]:
    yield f"{_many(tried)} {'tried, nothing was changed' if dry_run else 'replayed'}"
    if tried < chosen:
        yield f"{chosen - tried:,} left alone: another replay has them, or they are gone"


@app.command()
def discard(
    ids: Ids = None,
    reason: ReasonOption = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete hits for good; the ledger remembers how many."""
    with opened() as stores:
        chosen = _chosen(stores, ids, reason, every)
        if not yes:
            typer.confirm(f"Delete {_many(len(chosen))} for good?", abort=True)
        with stores.database.transaction():
            count = quarantining.discard(stores.database, chosen)
            stores.note("discarded quarantined hits", _many(count))
    typer.echo(f"{_many(count)} discarded.")


def _chosen(
    stores: Stores,
    ids: list[int] | None,
    reason: str | None,
    every: bool,
    definition: Definition | None = None,
) -> list[int]:
    if not (ids or reason or every or definition):
        raise UsageError("Say which hits: ids, --reason REASON or --all.")
    of = definition.id if definition else None
    chosen = quarantine.matching(stores.database, ids or [], _reason(reason), of)
    if not chosen:
        raise UsageError("No hit in quarantine matches.")
    return chosen


def _many(count: int) -> str:
    return f"{count:,} hit{'' if count == 1 else 's'}"


def _reason(text: str | None) -> str | None:
    reasons = [reason.value for reason in Reason if reason.outcome is Outcome.QUARANTINED]
    if text is not None and text not in reasons:
        raise UsageError(f"There is no reason {text!r}. The reasons are: {', '.join(reasons)}.")
    return text
