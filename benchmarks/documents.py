"""Writes figures into the tables of Markdown documents, which say themselves what they show.

    <!-- table: fields | hits_per_second, all_us_per_hit -->
    …
    <!-- end of table -->

Before the bar: what grew, or the names of rows with semicolons between; after it: figures.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence

from benchmarks.figures import Figures, grown, short

_TABLE = re.compile(r"(<!-- table: (.+?) \| (.+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_WIDTH = 120
_MACHINE = re.compile(r"(<!-- machine -->\n).*?(<!-- end of machine -->)", re.DOTALL)


def filled(text: str, machine: Mapping[str, object], medians: Mapping[str, Figures]) -> str:
    """A document with its tables anew; those of what was not measured stay as they are."""

    def table(found: re.Match[str]) -> str:
        head, what, figures, end = found.groups()
        rows = rows_of(medians, what)
        name = what if rows else ""
        rows = rows or {row: medians[row] for row in what.split("; ") if row in medians}
        return head + _table(name, rows, figures.split(", ")) + end if rows else found[0]

    told = ", ".join(f"{name} {value}".replace("_", " ") for name, value in machine.items())
    lines = textwrap.fill(f"{told}.", _WIDTH, break_on_hyphens=False)
    text = _MACHINE.sub(lambda found: f"{found[1]}{lines}\n{found[2]}", text)
    return _TABLE.sub(table, text)


def rows_of(medians: Mapping[str, Figures], what: str) -> dict[str, Figures]:
    """Rows in which this grew, by how far."""
    return {
        row.removeprefix(f"{what}: "): figures
        for row, figures in medians.items()
        if grown(row) == what
    }


def _table(name: str, rows: Mapping[str, Figures], figures: Sequence[str]) -> str:
    """A row of the table for each size of what grew; else a column for each of the rows.

    Without figures that the machine could not tell.
    """
    figures = [figure for figure in figures if all(figure in of for of in rows.values())]
    if name and len(rows) > 1:
        cells = [[row, *(short(of[figure]) for figure in figures)] for row, of in rows.items()]
        return _lines([name, *map(_words, figures)], cells)
    head = [f"{name}: {row}" if name else row for row in rows]
    cells = [[_words(name), *(short(of[name]) for of in rows.values())] for name in figures]
    return _lines(["", *head], cells)


def _lines(head: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    rows = [f"| {' | '.join(row)} |" for row in (head, *cells)]
    rule = f"|---|{'---:|' * (len(head) - 1)}"
    return "".join(f"{row}\n".replace("|  |", "| |") for row in (rows[0], rule, *rows[1:]))


def _words(figure: str) -> str:
    """A figure's name for people."""
    return figure.replace("_", " ").replace(" us ", " µs ")
