"""What the commands show on a terminal: steps with a spinner, and lines where there is none."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Column
from rich.text import Text


class Screen:
    """Standard output, and standard error for what went wrong."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._tick = "✓" if self._console.encoding.startswith("utf") else "ok"

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """Show that something is going on, and then how long it took."""
        since = time.monotonic()
        with self._console.status(f"{doing} …", spinner="dots"):
            yield
        took = f"{time.monotonic() - since:.1f} s"
        self.line((f"  {self._tick} ", "green"), (done, ""), (f"  {took}", "dim"))

    def title(self, text: str) -> None:
        self.line((text, "bold"))

    def say(self, text: str) -> None:
        """Something happened that people should know of."""
        self.line((time.strftime("  %H:%M:%S  "), "dim"), (text, "yellow"))

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values. Values are never cut or wrapped: people copy them."""
        width = max(len(name) for name, _ in rows) + 2
        self.line()
        for name, value in rows:
            self.line((f"  {name.ljust(width)}", "bold"), (value, "cyan"))
        self.line()

    def line(self, *parts: tuple[str, str]) -> None:
        """A line of (text, style) parts."""
        self._console.print(Text.assemble(*parts), soft_wrap=True)


def whole(heading: str, values: Iterable[str]) -> Column:
    """A table's column of these values, which are never cut or wrapped: people copy them."""
    return Column(heading, min_width=max(map(len, values), default=0), no_wrap=True)


def complain(message: str) -> None:
    """Say on standard error what is wrong: the first line is what, the others are what to do."""
    first, *others = message.splitlines() or [""]
    console = Console(file=sys.stderr, highlight=False)
    console.print(Text.assemble((first, "bold red")), soft_wrap=True)
    for line in others:
        console.print(Text(line), soft_wrap=True)


def harmless(text: str) -> str:
    """What strangers sent, with characters that a terminal would obey written as escapes."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )
