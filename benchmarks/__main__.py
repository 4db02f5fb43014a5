"""`python -m benchmarks`: all measurements, or one of them; docs/benchmarks.md says which."""

import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from benchmarks import (
    machine,
    measure_abuse,
    measure_collector,
    measure_sizes,
    measure_snippet,
    measure_store,
    measure_whole,
    measure_worker,
    plot,
)
from benchmarks.figures import Report, tables
from benchmarks.growth import measure as growth
from benchmarks.growth.measure import Along
from benchmarks.growth.sizes import Sizes
from benchmarks.stack import BenchmarkError, stack
from tracker.embedded import EmbeddedError


class Measurement(StrEnum):
    """What can be measured."""

    COLLECTOR = "collector"
    WORKER = "worker"
    END_TO_END = "end-to-end"
    GROWTH = "growth"
    STORE = "store"
    ABUSE = "abuse"
    SIZES = "sizes"
    SNIPPET = "snippet"


def run(
    seconds: Annotated[float, typer.Option(help="Of load in a round.", min=0.1, max=60)] = 4.0,
    rounds: Annotated[int, typer.Option(help="Rounds of each.", min=1, max=50)] = 5,
    only: Annotated[Measurement | None, typer.Option(help="Just this one.")] = None,
    hits: Annotated[
        int, typer.Option(help="Queued for the worker in a round; 0: 10,000 a second.", min=0)
    ] = 0,
    rate: Annotated[
        float, typer.Option(help="Hits a second end to end (0: by a ramp) and beside abuse.", min=0)
    ] = 0.0,
    along: Annotated[Along | None, typer.Option(help="Growth along just this.")] = None,
    events: Annotated[
        int,
        typer.Option(
            help="In the table of the store, and in the largest one of growth.", min=1_000
        ),
    ] = 1_000_000,
    growth_rounds: Annotated[
        int, typer.Option(help="Rounds of each size of growth, and of the store.", min=1, max=50)
    ] = 1,
    docs: Annotated[
        Path | None, typer.Option(help="Folder of documents to write plots and tables into.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File for the JSON lines.")] = None,
) -> None:
    """Measure on servers of its own, in a temporary folder, over loopback only.

    Sizes of snippets need no servers; one that is over its budget is a failure. What snippets cost
    a page needs Chromium.
    """
    wanted = {only} if only else set(Measurement)
    hits = hits or int(measure_worker.HITS_PER_SECOND * seconds)
    with ExitStack() as opened:
        lines: TextIO = (
            opened.enter_context(json.open("w", encoding="utf-8")) if json else sys.stdout
        )
        report = Report(lines)
        facts = machine.facts()
        report.about(facts)
        try:
            if Measurement.SIZES in wanted:
                measure_sizes.measure(report)
            if Measurement.SNIPPET in wanted:
                measure_snippet.measure(report, rounds)
            alone = {Measurement.SIZES, Measurement.SNIPPET}
            servers = opened.enter_context(stack()) if wanted - alone else None
            if servers and Measurement.COLLECTOR in wanted:
                measure_collector.measure(servers, report, seconds, rounds)
            if servers and Measurement.WORKER in wanted:
                measure_worker.measure(servers, report, hits, rounds)
            if servers and Measurement.END_TO_END in wanted:
                measure_whole.measure(servers, report, seconds, rounds, rate)
            if servers and Measurement.GROWTH in wanted:
                sizes = Sizes(seconds, growth_rounds, hits, events, rate)
                growth.measure(servers, report, sizes, along)
            if servers and Measurement.STORE in wanted:
                measure_store.measure(servers, report, hits, growth_rounds, events)
            if servers and Measurement.ABUSE in wanted:
                measure_abuse.measure(servers, report, seconds, rounds, rate)
        except (BenchmarkError, EmbeddedError) as error:
            print(f"The benchmark failed: {error}", file=sys.stderr)
            raise typer.Exit(1) from None
        medians = report.finish()
    tables(medians, Console())
    if docs:
        plot.write(docs, facts, medians)


if __name__ == "__main__":
    typer.run(run)
