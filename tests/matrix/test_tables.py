"""docs/matrix.md names the scenarios that there are. Its figures: `python -m tests.matrix`."""

import re

from tests.matrix.all import SCENARIOS
from tests.matrix.tables import COLUMNS, described, read


def rows(browser: str) -> dict[str, list[int]]:
    """The figures of a browser's table, by scenario."""
    lines = re.findall(r"^\| (.*) \|$", read(browser), re.MULTILINE)[1:]
    cells = [line.split(" | ") for line in lines]
    return {name: list(map(int, figures)) for name, *figures in cells}


def test_the_scenarios_are_those_of_the_code() -> None:
    assert read("scenarios") == described(SCENARIOS)


def test_each_has_its_figures() -> None:
    assert list(rows("Chromium")) == [one.name for one in SCENARIOS]
    assert list(rows("Firefox")) == [one.name for one in SCENARIOS if not one.only]


def test_figures_are_what_the_scenarios_allow() -> None:
    for browser in ("Chromium", "Firefox"):
        found = rows(browser)
        for one in SCENARIOS:
            if one.name in found:
                figures = dict(zip(COLUMNS, found[one.name], strict=True))
                assert figures["stored"] + figures["lost"] == figures["calls"]
                assert figures["stored twice"] == 0
                assert one.lost or figures["lost"] == 0
                assert one.again or figures["sent again"] == 0
