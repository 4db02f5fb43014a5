"""The documentation names everything there is, and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from benchmarks.measure_sizes import sizes
from tracker.api.metrics import FIGURES
from tracker.cli import app
from tracker.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of operations.md, without its head."""
    section = OPERATIONS.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in table[1:]]


def test_the_settings_table_is_that_of_the_code() -> None:
    expected = [
        [
            f"`{setting.metadata['variable']}`",
            "" if setting.default == "" else f"`{setting.default}`",
            setting.metadata["meaning"],
        ]
        for setting in fields(Settings)
    ]
    assert rows("Settings") == expected


def test_the_commands_table_is_that_of_the_code() -> None:
    assert rows("Commands") == list(commands(typer.main.get_command(app), "pintag"))


def test_the_metrics_table_is_that_of_the_code() -> None:
    expected = [
        [f"`{one.name}`", one.kind, " ".join(f"`{label}`" for label in one.labels), one.meaning]
        for one in FIGURES
    ]
    assert rows("Metrics") == expected


def test_the_sizes_of_snippets_are_those_of_the_code() -> None:
    """Uncompressed: what gzip makes of them depends on the machine's zlib a little."""
    text = (DOCS / "snippet.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `?([^|`]+?)`? \| [^|]+ \| ([\d,]+) \| [\d,]+ \|$", text, re.MULTILINE)
    assert dict(told) == {name: f"{one['bytes']:,.0f}" for name, one in sizes().items()}


def commands(command: Any, name: str) -> Iterator[list[str]]:
    """Names and first lines of help; of a group, those of its commands."""
    if group := getattr(command, "commands", None):
        for word, one in group.items():
            yield from commands(one, f"{name} {word}")
    else:
        yield [f"`{name}`", command.help.strip().splitlines()[0]]
