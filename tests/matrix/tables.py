"""The tables of docs/matrix.md, between its markers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path

from tests.matrix.case import Figures, Scenario

DOC = Path(__file__).parents[2] / "docs" / "matrix.md"
Results = Mapping[str, Mapping[str, Figures | None]]
"""By browser and scenario; None where one failed."""
COLUMNS = ("calls", "sent", "stored", "lost", "stored twice", "sent again")


def described(scenarios: Iterable[Scenario]) -> str:
    """What happens in each scenario, and why a figure of it may not be 0."""
    rows = ([one.name, " ".join(filter(None, [one.what, *_reasons(one)]))] for one in scenarios)
    return _table(["scenario", "what happens"], "---|---", rows)


def counted(played: Mapping[str, Figures | None]) -> str:
    """One browser's figures."""
    rows = ([name, *map(str, astuple(one))] for name, one in played.items() if one)
    return _table(["scenario", *COLUMNS], "---" + "|--:" * len(COLUMNS), rows)


def write(results: Results, scenarios: Iterable[Scenario]) -> None:
    """Put all tables into the document."""
    text = _put(DOC.read_text(encoding="utf-8"), "scenarios", described(scenarios))
    for browser, played in results.items():
        text = _put(text, browser, counted(played))
    DOC.write_text(text, encoding="utf-8")


def read(name: str) -> str:
    """The table that the document has there."""
    begin, end = _markers(name)
    return DOC.read_text(encoding="utf-8").split(f"{begin}\n")[1].split(f"\n{end}")[0]


def _reasons(scenario: Scenario) -> Iterable[str]:
    reasons = (("Lost", scenario.lost), ("Sent again", scenario.again))
    return (f"*{word}:* {reason}" for word, reason in reasons if reason)


def _table(head: list[str], rule: str, rows: Iterable[list[str]]) -> str:
    lines = (" | ".join(row) for row in [head, *rows])
    first, *others = (f"| {line} |" for line in lines)
    return "\n".join([first, f"|{rule}|", *others])


def _put(text: str, name: str, table: str) -> str:
    begin, end = _markers(name)
    assert begin in text, f"docs/matrix.md has no place for {name}"
    return re.sub(f"{begin}\n.*?{end}", lambda _: f"{begin}\n{table}\n{end}", text, flags=re.DOTALL)


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- end of {name} -->"
