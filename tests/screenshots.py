"""`python -m tests.screenshots`: a picture of every page, of an installation with some life.

On a desktop and a phone, light and dark, into build/screenshots; with --readme, those that the
README shows.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.tour import stops
from tests.tour.life import Life, lived
from tests.tour.stops import Stop
from tests.tour.visiting import DESKTOP, PHONE, Size, visitor
from tracker.pages.page import Page

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "screenshots"
IMAGES = ROOT / "docs" / "images"
README = {
    "define": ("event-edit", "header", 800),
    "paste": ("event", "#snippet", 745),
    "watch": ("live", "header", 560),
}
"""The README's pictures: a stop, what of it is on top, and the height."""
MOST_BYTES = 150_000
SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Picture:
    """A stop as it is taken, whole, or where `top` says what it begins with, as far as it fits."""

    page: Page
    stop: Stop
    size: Size
    scheme: str
    path: Path
    top: str = ""

    def take(self, life: Life, browser: Browser) -> None:
        options = {"color_scheme": self.scheme, "reduced_motion": "reduce"}
        with visitor(life, browser, self.size, stranger=self.stop.stranger, **options) as someone:
            tab = someone.open(self.page, self.stop)
            if self.top:
                tab.locator(self.top).evaluate("it => it.scrollIntoView()")
            tab.screenshot(path=self.path, full_page=not self.top)


def all_of(folder: Path, only: str) -> Iterator[Picture]:
    """Every stop whose name has `only` in it, in both sizes and schemes."""
    for page, stop in stops.every():
        for name, size in SIZES.items():
            for scheme in SCHEMES:
                if only in stop.name:
                    path = folder / f"{stop.name}-{name}-{scheme}.png"
                    yield Picture(page, stop, size, scheme, path)


def of_readme() -> Iterator[Picture]:
    """Those of the README."""
    found = {stop.name: (page, stop) for page, stop in stops.every()}
    for name, (stop, top, height) in README.items():
        yield Picture(*found[stop], (1280, height), "light", IMAGES / f"{name}.png", top)


def main(arguments: list[str]) -> int:
    """0, unless a picture for the README is too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots")
    parser.add_argument("--only", default="", metavar="NAME", help="stops with this in their name")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--readme", action="store_true", help="those of the README, into docs")
    chosen = parser.parse_args(arguments)
    pictures = list(of_readme() if chosen.readme else all_of(chosen.to, chosen.only))
    with lived() as life, chromium() as browser:
        for picture in pictures:
            picture.path.parent.mkdir(parents=True, exist_ok=True)
            picture.take(life, browser)
            print(f"{picture.path} {picture.path.stat().st_size:,} bytes", flush=True)
    return int(chosen.readme and any(one.path.stat().st_size > MOST_BYTES for one in pictures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
