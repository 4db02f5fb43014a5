"""Figures of rounds, their medians, and how they are shown: JSON lines and tables."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TextIO

from rich.console import Console
from rich.table import Table

Figures = Mapping[str, float]


class Report:
    """Takes the figures of every round, and writes each down at once as a line of JSON."""

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines
        self._rounds: defaultdict[str, list[Figures]] = defaultdict(list)

    def about(self, facts: Mapping[str, object]) -> None:
        """Write down what is the same for the whole run."""
        self._write({"machine": facts})

    def add(self, row: str, figures: Figures) -> None:
        """One round of a row."""
        self._rounds[row].append(figures)
        self._write({"row": row, "round": len(self._rounds[row]), **_rounded(figures)})

    def finish(self) -> dict[str, dict[str, float]]:
        """Write the medians down and return them, by row. A ratio is the median of its rounds'."""
        medians = {
            row: {name: median(one[name] for one in rounds) for name in rounds[0]}
            for row, rounds in self._rounds.items()
        }
        for row, figures in medians.items():
            rounds = len(self._rounds[row])
            self._write({"row": row, "median_of": rounds, **_rounded(figures)})
        return medians

    def _write(self, content: Mapping[str, object]) -> None:
        self._lines.write(json.dumps(content) + "\n")
        self._lines.flush()


def tables(medians: Mapping[str, Figures], console: Console) -> None:
    """Print the medians: one table for rows with the same figures, and what grows in them."""
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for row, figures in medians.items():
        alike[(grown(row), *figures)].append(row)
    for (_, *names), rows in alike.items():
        console.print(_table(names, rows, medians))


def grown(row: str) -> str:
    """What grows in rows such as `fields: 12`; nothing in others."""
    return row.rpartition(": ")[0]


def _table(names: Sequence[str], rows: list[str], medians: Mapping[str, Figures]) -> Table:
    shown = {name: name.replace("_", " ") for name in names}
    lies = len(rows) > len(names)  # what there is more of goes downwards
    table = Table("", *(shown.values() if lies else rows), title_justify="left", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    if lies:
        for row in rows:
            table.add_row(row, *(short(medians[row][name]) for name in names))
    else:
        for name in names:
            table.add_row(shown[name], *(short(medians[row][name]) for row in rows))
    return table


def per_hit(cpu_seconds: Mapping[str, float], hits: int) -> dict[str, float]:
    """CPU microseconds a hit of each process, and of all together."""
    costs = {f"{name}_us_per_hit": 1e6 * used / hits for name, used in cpu_seconds.items()}
    return {**costs, "all_us_per_hit": sum(costs.values())} if len(costs) > 1 else costs


def in_memory(megabytes: Mapping[str, float]) -> dict[str, float]:
    """The figures of `memory_mb`."""
    return {f"{name}_mb": used for name, used in megabytes.items()}


def _rounded(figures: Figures) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


def short(value: float) -> str:
    """A figure in three digits or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
