"""One scenario in one browser: its website, its way to the collector, and what is counted."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.embedded.waiting import until
from tests.matrix.browsers import NOTHING_WAITS, Browser, Tab, wait
from tests.matrix.proxy import Behaviour, Pass, Proxy, proxy
from tests.matrix.site import Site, page, website
from tests.whole.installation import Installation

_CASES = itertools.count(1)
_ROWS = (
    "SELECT coalesce(data->>'reference', data->>'subject') FROM event"
    " WHERE coalesce(data->>'reference', data->>'subject') LIKE %s"
)


@dataclass(frozen=True)
class Figures:
    """What became of a scenario's calls, after the visitor's next page view.

    sent: hits in requests that came through, as often as they came; again: hits that the worker
    knew by their ids, and did not store once more.
    """

    calls: int
    sent: int
    stored: int
    lost: int
    twice: int
    again: int


@dataclass(frozen=True)
class Snippets:
    """What `pintag snippet show` prints, with the collector's address in it."""

    booking: str
    vote: str
    hosted: str
    asking: str
    """Of a section that requires consent."""


def shown(pintag: Installation) -> Snippets:
    """The snippets of the demo section."""
    booking, vote = (pintag.pintag("snippet", "show", slug) for slug in ("booking", "poll-vote"))
    hosted = pintag.pintag("snippet", "show", "booking", "--form", "hosted")
    pintag.pintag("section", "set", "--consent")
    asking = pintag.pintag("snippet", "show", "booking")
    pintag.pintag("section", "set", "--no-consent")
    return Snippets(booking, vote, hosted, asking)


@dataclass
class Case:
    """A visitor on a website that has pasted snippets."""

    name: str
    browser: Browser
    pintag: Installation
    site: Site
    proxy: Proxy
    snippets: Snippets
    calls: int = 0
    next_page: str = "/next"
    opened: list[Tab] = field(default_factory=list)

    def page(self, *before: str) -> str:
        """A page of these parts, with the buttons of site.py."""
        return page(self.name, *before)

    def open(self, path: str = "/") -> Tab:
        """A new tab on a page of the site."""
        tab = self.browser.tab()
        tab.goto(self.site.address + path)
        return tab

    def book(self, tab: Tab, times: int = 1) -> None:
        """So many calls, in one turn of the page."""
        self.calls += times
        tab.run(f"book({times})")

    def click(self, tab: Tab, selector: str) -> None:
        """On a thing whose handler makes a call."""
        self.calls += 1
        tab.click(selector)

    def behave(self, behaviour: Behaviour) -> None:
        """From the next request on."""
        with self.proxy.changed:
            self.proxy.behaviour = behaviour

    def until_sent(self, hits: int) -> None:
        """Until that many hits came through, repeated ones counted."""
        until(lambda: self.proxy.sent >= hits, f"{hits} hits are sent", seconds=60)

    def until_taken(self, hits: int) -> None:
        """Until the collector has taken that many."""
        until(lambda: self.proxy.taken >= hits, f"{hits} hits are taken", seconds=60)

    def settle(self, tab: Tab) -> None:
        """Until nothing waits in the storage."""
        wait(tab, NOTHING_WAITS)

    def until_tried(self, tab: Tab) -> None:
        """Until a request of the page came to its end, also one that nobody listened to."""
        wait(tab, "performance.getEntriesByType('resource').some((one) => /v1/.test(one.name))")

    def next_view(self) -> None:
        """Everything works again, and the visitor comes back."""
        self.behave(Pass())
        self.settle(self.open(self.next_page))
        self.browser.close_all()
        self.proxy.over.set()
        until(lambda: self.proxy.under_way == 0, "all requests are answered", seconds=60)

    def states(self) -> Counter[str]:
        """The ledger's counts, once nothing is queued; it must balance."""
        audit = self.pintag.audit()
        assert audit.problems == []
        return audit.states

    def figures(self, before: Counter[str]) -> Figures:
        """What has been counted since the ledger said that."""
        after = self.states()
        with self.pintag.database() as connection:
            rows = connection.execute(_ROWS, (f"{self.name}-%",)).fetchall()
        stored = Counter(reference for (reference,) in rows)
        if after["quarantined"] != before["quarantined"]:
            raise AssertionError(self.pintag.pintag("quarantine", "list"))
        assert self.proxy.preflights == 0
        return Figures(
            calls=self.calls,
            sent=self.proxy.sent,
            stored=len(stored),
            lost=self.calls - len(stored),
            twice=len(rows) - len(stored),
            again=after["duplicate"] - before["duplicate"],
        )


@dataclass(frozen=True)
class Scenario:
    """A visit. lost, again: why these figures may be more than 0; only: why just in Chromium."""

    name: str
    what: str
    play: Callable[[Case], None]
    lost: str = ""
    again: str = ""
    only: str = ""

    def check(self, figures: Figures) -> None:
        """Raises AssertionError."""
        assert figures.stored > 0 or self.lost, figures
        assert figures.twice == 0, figures
        assert figures.lost == 0 or self.lost, figures
        assert figures.again == 0 or self.again, figures


SCENARIOS: list[Scenario] = []


def scenario(
    what: str, *, lost: str = "", again: str = "", only: str = ""
) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Declares one: its function's docstring is its name."""

    def declare(play: Callable[[Case], None]) -> Callable[[Case], None]:
        name = (play.__doc__ or "").strip().rstrip(".")
        SCENARIOS.append(Scenario(name, what, play, lost, again, only))
        return play

    return declare


@contextmanager
def _case(browser: Browser, pintag: Installation, snippets: Snippets) -> Iterator[Case]:
    name = f"case{next(_CASES)}"
    with ExitStack() as stack:
        way = stack.enter_context(proxy(pintag.collector))
        ours = Snippets(
            *(text.replace(pintag.collector, way.address) for text in vars(snippets).values())
        )
        site = stack.enter_context(website(page(name, ours.booking, ours.vote)))
        stack.callback(browser.close_all)
        yield Case(name, browser, pintag, site, way, ours)


def run(scenario: Scenario, browser: Browser, pintag: Installation, snippets: Snippets) -> Figures:
    """Play it, come back once more, and count."""
    with _case(browser, pintag, snippets) as case:
        before = case.states()
        scenario.play(case)
        case.next_view()
        return case.figures(before)


def nonced(html: str, nonce: str) -> str:
    """With this nonce on every script."""
    return re.sub(r"<script\b", f'<script nonce="{nonce}"', html)
