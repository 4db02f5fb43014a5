"""The documentation names everything there is, and nothing else."""

import re
from dataclasses import fields
from pathlib import Path

import typer

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


def test_every_command_is_in_some_document() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert f"pintag {name}" in text, f"no document mentions `pintag {name}`"
