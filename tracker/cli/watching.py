"""`pintag snippet watch`: what hits of snippets for trying out would have become, as they come."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

import msgspec
import orjson
import redis
import typer
from rich.console import Console
from rich.text import Text

from tracker.actions import trying
from tracker.actions.trying import Tried
from tracker.cli.screen import harmless
from tracker.cli.store import SectionOption, Stores
from tracker.cli.store import stores as opened
from tracker.json_text import dumps
from tracker.rules import told
from tracker.rules.errors import FieldError
from tracker.rules.outcomes import Outcome
from tracker.rules.told import ToldHit
from tracker.stores import trials
from tracker.stores.definitions import Definition

_STYLES = {
    Outcome.STORED: "bold green",
    Outcome.HELD: "bold yellow",
    Outcome.QUARANTINED: "bold red",
    Outcome.DROPPED: "bold magenta",
}


def watch(
    name: Annotated[str, typer.Argument(help="The event's name, slug or discriminator.")],
    past: Annotated[bool, typer.Option("--past", help="Show those of the last day first.")] = False,
    count: Annotated[
        int | None, typer.Option(min=1, help="End after so many hits, not by Ctrl-C.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each.")] = False,
    section: SectionOption = None,
) -> None:
    """Show what each hit of its snippet for trying out would have become; Ctrl-C ends it."""
    with opened() as stores, suppress(KeyboardInterrupt):
        definition = stores.definition(section, name)
        place = trials.OLDEST if past else trials.newest(stores.redis)
        if not as_json:
            _introduce(definition, stores.option(definition.section_id))
        for number, tried in enumerate(_trials(stores, definition, place), 1):
            if as_json:
                typer.echo(dumps({"event": definition.slug, **_told(tried)}))
            else:
                show(Console(highlight=False, emoji=False, soft_wrap=True), tried)
            if number == count:
                return


def _introduce(definition: Definition, option: str) -> None:
    typer.echo(
        f"Watching hits for trying out {harmless(definition.name)}. None of them is stored.\n"
        f"Their snippet: pintag snippet show {definition.slug}{option} --test\n",
        err=True,
    )


def _trials(stores: Stores, definition: Definition, place: str) -> Iterator[Tried]:
    """The definition's trials after a place; never ends."""
    while True:
        found, place = _read(stores.redis, place)
        yield from trying.of_definition(stores.database, definition, found)


def _read(client: redis.Redis, place: str) -> tuple[list[ToldHit], str]:
    # What answers too late, while a laptop slept, is no reason to end.
    with suppress(redis.TimeoutError):
        return trials.read(client, place)
    return [], place


def _told(tried: Tried) -> dict[str, object]:
    trial = tried.trial
    errors = [{"field": e.field, "code": e.code, "message": e.message} for e in trial.errors]
    return {
        "version": tried.version,
        "refused_origin": tried.shut_out or None,
        "received_at": told.received(trial),
        "outcome": trial.outcome,
        "reason": trial.reason,
        "errors": errors,
        "more_errors": trial.more_errors,
        "due_at": trial.due_at,
        "id": trial.id,
        "profile": list(trial.whose),
        "data": _as_json(trial.data),
        "page": trial.page,
        "agent": trial.agent,
        "key": trial.key,
    }


def _as_json(data: str) -> object:
    """The data in one line, whatever lines it came in; a text of what is no object."""
    if told.named(data) is None:
        return data
    return orjson.Fragment(msgspec.json.format(data, indent=-1))


# -- on a terminal


def show(console: Console, tried: Tried) -> None:
    """One trial: what it would have become, all that is wrong with it, and what it said."""
    trial = tried.trial
    head = (
        (f"{told.received(trial):%H:%M:%S}Z  ", "dim"),
        (trying.verdict(tried), "bold red" if tried.shut_out else _STYLES[trial.outcome]),
    )
    _line(console, *head, (f"  version {tried.version}", "dim"))
    if reason := trying.why(tried):
        _line(console, (f"  {reason}", ""))
    mark = ("  ✗ " if console.encoding.startswith("utf") else "  x ", "red")
    for error in trial.errors:
        _line(console, mark, *_error(error))
    if trial.more_errors:
        _line(console, mark, (f"and {trial.more_errors} more", "red"))
    for label, text in told.facts(trial):
        _line(console, (f"    {label.ljust(9)} ", "dim"), (text, ""))
    console.print()


def _error(error: FieldError) -> tuple[tuple[str, str], ...]:
    field = (error.field or "the whole hit", "bold red")
    return field, (f": {error.message} ", ""), (f"({error.code})", "dim")


def _line(console: Console, *parts: tuple[str, str]) -> None:
    """A line, and no other: what was sent must not look like what we say."""
    escaped = [(harmless(text).replace("\n", "\\n"), style) for text, style in parts]
    console.print(Text.assemble(*escaped))
