"""What the scenarios do with a browser, whichever it is."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from tests.embedded.waiting import until

NOTHING_WAITS = """(() => {
  try {
    return !Object.keys(localStorage).some((key) => key.startsWith('pintag.h.'))
  } catch (error) { return true }
})()"""


class Tab(Protocol):
    """A tab of a real window."""

    def goto(self, address: str) -> None:
        """Returns once it has loaded."""

    def run(self, expression: str) -> Any:
        """The value of an expression in the page; JSON can hold it."""

    def click(self, selector: str) -> None:
        """As a person does."""

    def reload(self) -> None: ...

    def back(self) -> None:
        """Returns once the page before is there."""

    def front(self) -> None:
        """Show it; the tab that was shown is hidden."""

    def close(self) -> None: ...


class Browser(Protocol):
    """A running browser with one window; every case has origins of its own in it."""

    name: str

    def tab(self) -> Tab:
        """A new one, in front."""

    def offline(self, off: bool) -> None:
        """Whether its open tabs have a network."""

    def close_all(self) -> None:
        """All tabs that cases opened."""

    def storage_denied(self) -> AbstractContextManager["Browser"]:
        """One whose pages may keep nothing."""


def wait(tab: Tab, condition: str) -> None:
    """Until the condition holds in the page."""
    until(lambda: tab.run(condition), condition, seconds=60)
