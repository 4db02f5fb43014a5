"""Draws a run's figures, and writes them into the tables of the documents.

    python -m benchmarks.plot docs FIGURES.jsonl …

Of what was not measured, plots and tables stay as they are.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.documents import filled, rows_of
from benchmarks.drawing import Chart, draw
from benchmarks.figures import Figures

PROCESSES = ("collector", "valkey", "worker", "postgres")
ALONG = {
    "rate": "share of the highest rate that is kept up with, end to end",
    "events": "events in the table",
    "events, known visitors": "events in the table",
    "fields": "fields of the definition",
    "definitions": "definitions, with the hits spread over them",
    "visitors": "visitors who sent all hits",
    "connections": "connections, all of them busy",
    "hits a POST": "hits in a POST",
    "workers": "workers",
    "collectors": "collectors that share a port",
}
"""What grows, and how the plots name it."""
_WHOLE = (
    "collector, 1 a POST",
    "collector, 1 a POST, by a proxy",
    "collector, 10 a POST",
    "worker",
    "end to end",
)


def read(files: Iterable[Path]) -> tuple[dict[str, object], dict[str, Figures]]:
    """The machine of the last run that is in these files of JSON lines, and all runs' medians."""
    machine: dict[str, object] = {}
    medians: dict[str, Figures] = {}
    for file in files:
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            machine = line.get("machine", machine)
            if "median_of" in line:
                figures = {name: line[name] for name in line if name not in ("row", "median_of")}
                medians[line["row"]] = figures
    return machine, medians


def charts(medians: Mapping[str, Figures]) -> dict[str, Chart]:
    """The charts of what was measured, by the names of their files."""
    found = {}
    for what, along in ALONG.items():
        rows = rows_of(medians, what)
        if len(rows) > 1:
            name = re.sub(r"\W+", "-", what)
            found[f"growth-{name}"] = _costs(f"What a hit costs, by {what}", along, rows)
    if rows := rows_of(medians, "rate"):
        names = ("answer_p50_ms", "answer_p99_ms", "visible_p50_ms", "visible_p99_ms")
        found["growth-rate-latency"] = Chart(
            "How long an answer takes, and until an event is visible",
            "milliseconds",
            ALONG["rate"],
            list(rows),
            _series(rows, {name.removesuffix("_ms").replace("_", " "): name for name in names}),
            lines=True,
        )
    if rows := rows_of(medians, "events"):
        found["growth-events-copy"] = Chart(
            "The worker beside a bare COPY of the same rows",
            "rows a second",
            ALONG["events"],
            list(rows),
            _series(rows, {"COPY": "copy_rows_per_second", "worker": "hits_per_second"}),
            lines=True,
        )
    if medians.keys() >= set(_WHOLE):
        found["costs"] = _costs("What a hit costs", "", {row: medians[row] for row in _WHOLE})
    return found


def _costs(title: str, along: str, rows: Mapping[str, Figures]) -> Chart:
    """CPU time by process, those on each other."""
    series = _series(rows, {name: f"{name}_us_per_hit" for name in PROCESSES})
    return Chart(title, "CPU µs a hit", along, list(rows), series)


def _series(rows: Mapping[str, Figures], names: Mapping[str, str]) -> dict[str, list[float]]:
    """A figure of all rows, by the name that a series has; 0 in rows that lack it."""
    return {name: [row.get(figure, 0.0) for row in rows.values()] for name, figure in names.items()}


def write(docs: Path, machine: Mapping[str, object], medians: Mapping[str, Figures]) -> None:
    """Draw into `images` there, and put what was measured into the documents' tables."""
    for name, chart in charts(medians).items():
        (docs / "images" / f"{name}.svg").write_text(draw(chart), encoding="utf-8")
    for file in docs.glob("*.md"):
        before = file.read_text(encoding="utf-8")
        after = filled(before, machine, medians)
        if after != before:
            file.write_text(after, encoding="utf-8")


def main(
    docs: Annotated[Path, typer.Argument(help="The documents' folder; plots go to its images.")],
    figures: Annotated[list[Path], typer.Argument(help="Files of JSON lines.")],
) -> None:
    """Draw a run's figures, and write them into the tables of the documents."""
    write(docs, *read(figures))


if __name__ == "__main__":
    typer.run(main)
