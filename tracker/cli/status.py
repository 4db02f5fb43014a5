"""`pintag status`: all figures of the installation, on a terminal."""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from tracker.actions.overseeing import Overview, look
from tracker.cli.screen import harmless
from tracker.cli.store import JsonOption, print_json
from tracker.rules.sizes import size
from tracker.settings import load
from tracker.stores import database, hit_queue, queues
from tracker.stores.processes import Report

PATIENCE = 3.0
"""Seconds that Redis has to answer."""
SHOWN = 10
"""Errors and tables; --json has all."""
_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def status(as_json: JsonOption = False) -> None:
    """Show whether hits are taken and stored: queue, processes, outcomes, servers, errors."""
    settings = load()
    with (
        hit_queue.connect(settings.redis_url, PATIENCE) as client,
        queues.connect(settings, client, PATIENCE) as queue,
    ):
        seen = look(lambda: database.connect(settings.database_url), client, queue)
    if as_json:
        print_json(told(seen))
    else:
        _print(seen, Console(highlight=False))
    if seen.verdict.level == "problem":
        raise typer.Exit(1)


def told(seen: Overview) -> dict[str, object]:
    """The overview as JSON."""
    base = seen.database
    return {
        "at": seen.at,
        "version": seen.version,
        "verdict": seen.verdict,
        "away": seen.all_away,
        "accepted_per_second": seen.rate("collector"),
        "committed_per_second": seen.rate("worker"),
        "accepted": seen.accepted if seen.queue else None,
        "queued": seen.queued if seen.queue else None,
        "waiting_seconds": seen.waiting,
        "states": dict(seen.states) if base else None,
        "outcomes": [
            {"outcome": outcome, "reason": reason, "hits": hits}
            for (outcome, reason), hits in sorted(seen.first.items())
        ]
        if base
        else None,
        "database": {
            **msgspec.structs.asdict(base.server),
            "schema": base.schema,
            "held_due": base.held_due,
        }
        if base
        else None,
        "redis": seen.redis,
        "queue": msgspec.to_builtins(seen.queue, str_keys=True),
    }


def _print(seen: Overview, console: Console) -> None:
    colour = _COLOURS[seen.verdict.level]
    console.print(seen.verdict.sentence, style=colour)
    if seen.verdict.remedy:
        console.print(f"→ {seen.verdict.remedy}", style=colour)
    for server, why in seen.all_away.items():
        console.print(f"{server} can't be reached: {harmless(why)}", style="yellow", markup=False)
    for title, lines in _tables(seen):
        console.print(f"\n{title}", style="bold")
        widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
        if not lines:
            console.print("none yet")
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
            console.print(Text(harmless("  ".join(cells).rstrip())), soft_wrap=True)


def _tables(seen: Overview) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    yield "Now", list(_now(seen))
    if seen.database:
        yield (
            "As they came in (replays and erasures are not in it)",
            [
                (f"{hits:,}", outcome, reason)
                for (outcome, reason), hits in sorted(seen.first.items())
            ],
        )
    if seen.redis:
        yield "Processes", [_process(one, seen.at_ms) for one in seen.redis.processes]
        if seen.redis.jobs:
            yield (
                "Jobs",
                [
                    (job.name, job.state, f"{job.done:,} of {job.total:,}")
                    for job in seen.redis.jobs
                ],
            )
        if seen.redis.refused:
            refused = sorted(seen.redis.refused.items())
            yield "Requests refused", [(f"{count:,}", name) for name, count in refused]
    if seen.database:
        yield (
            "Largest tables",
            [(size(one.bytes), one.name) for one in seen.database.server.tables[:SHOWN]],
        )
    if seen.redis and seen.redis.errors:
        yield (
            "Warnings and errors, newest first",
            [
                (_at(one.at_ms), one.process, one.event, one.words, f"×{one.times}")
                for one in seen.redis.errors[:SHOWN]
            ],
        )


def _now(seen: Overview) -> Iterator[tuple[str, str]]:
    if seen.redis:
        yield f"{seen.rate('collector'):,.1f}/s", "hits taken, over the last minute"
        yield f"{seen.rate('worker'):,.1f}/s", "hits committed"
    if seen.queue:
        yield (
            f"{seen.queued:,}",
            "queued"
            + (f", the oldest for {seen.waiting:,.1f} s" if seen.waiting is not None else ""),
        )
        for address, server in seen.queue.servers.items():
            limit = f" of {size(server.limit)}" if server.limit else ", without a limit"
            where = f" at {address}" if len(seen.queue.servers) > 1 else ""
            yield (
                f"{size(server.memory)}{limit}",
                f"memory of {server.name} {server.version}{where}",
            )
    if seen.database:
        due = f", next due {seen.database.held_due:%F %T}Z" if seen.database.held_due else ""
        yield f"{seen.held:,}", f"held{due}"
        yield f"{seen.quarantined:,}", "in quarantine"
        server_version = f"PostgreSQL {seen.database.server.version}"
        yield size(seen.database.server.bytes), f"{server_version}, schema {seen.database.schema}"


def _process(one: Report, now_ms: int) -> tuple[str, ...]:
    silent = f"silent since {_at(one.at_ms)}" if one.is_silent(now_ms) else "runs"
    hits = f"{one.figure('hits/s'):,.1f} hits/s" if one.kind in ("collector", "worker") else ""
    partitions = one.words.get("partitions", "")
    cpu = f"{one.figure('cpu/s'):.0%} CPU"
    owned = f"partitions {partitions}" if partitions else ""
    return one.kind, f"{one.host}:{one.pid}", one.version, silent, cpu, hits, owned


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000):%F %T}{time.strftime(' %Z')}"
