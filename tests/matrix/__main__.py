"""`python -m tests.matrix`: play every scenario in every browser, and write docs/matrix.md.

Words after it play only the scenarios whose names have one of them, and write nothing.
"""

import sys
import time
from contextlib import ExitStack

from tests.matrix.all import SCENARIOS
from tests.matrix.browsers import Browser
from tests.matrix.case import Figures, Scenario, Snippets, run, shown
from tests.matrix.chromium import chromium
from tests.matrix.firefox import firefox
from tests.matrix.tables import Results, write
from tests.tools.install import find_firefox
from tests.whole.installation import Installation, temporary


def main(words: list[str]) -> int:
    """0 if all is as it must be."""
    wanted = [one for one in SCENARIOS if any(word in one.name.lower() for word in words or [""])]
    since = time.monotonic()
    path = find_firefox()
    with temporary() as pintag, ExitStack() as stack:
        browsers: list[Browser] = [stack.enter_context(chromium())]
        if path:
            browsers.append(stack.enter_context(firefox(path)))
        snippets = shown(pintag)
        results: Results = {one.name: _play(wanted, one, pintag, snippets) for one in browsers}
    good = all(None not in played.values() for played in results.values())
    if good and path and not words:
        write(results, SCENARIOS)
    print(
        f"{'All as it must be' if good else 'Not as it must be'}; {time.monotonic() - since:.0f} s"
    )
    return 0 if good else 1


def _play(
    scenarios: list[Scenario], browser: Browser, pintag: Installation, snippets: Snippets
) -> dict[str, Figures | None]:
    played: dict[str, Figures | None] = {}
    for scenario in scenarios:
        if scenario.only and browser.name != "Chromium":
            continue
        played[scenario.name] = None
        try:
            figures = run(scenario, browser, pintag, snippets)
            scenario.check(figures)
            played[scenario.name] = figures
            print(f"{browser.name}: {scenario.name}: {figures}", flush=True)
        except AssertionError as error:
            print(f"{browser.name}: {scenario.name} FAILED: {error}", flush=True)
    return played


if __name__ == "__main__":
    sys.exit(main([word.lower() for word in sys.argv[1:]]))
