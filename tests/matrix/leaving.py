"""Scenarios of pages that go away, or sleep."""

from tests.matrix.browsers import wait
from tests.matrix.case import Case, scenario
from tests.matrix.chromium import ChromiumTab
from tests.matrix.proxy import Hang, Pass, Refuse

NOBODY_HEARD = "No page was left to hear the answer."


@scenario("Three calls, and the tab is closed at once.", again=NOBODY_HEARD)
def close(case: Case) -> None:
    """Page close."""
    tab = case.open()
    case.book(tab, 3)
    tab.close()


@scenario("The tab is closed while the collector takes its time to answer.", again=NOBODY_HEARD)
def close_unanswered(case: Case) -> None:
    """Page close, unanswered."""
    case.behave(Hang())
    tab = case.open()
    case.book(tab, 3)
    case.until_sent(3)
    tab.close()


@scenario("Three calls, and the page is loaded again at once.", again=NOBODY_HEARD)
def reload(case: Case) -> None:
    """Reload."""
    tab = case.open()
    case.book(tab, 3)
    tab.reload()
    case.book(tab)
    case.settle(tab)


@scenario("A call in the click that leaves the page, three times.", again=NOBODY_HEARD)
def link(case: Case) -> None:
    """Link click."""
    tab = case.open()
    for _ in range(3):
        case.click(tab, "#leave")
        wait(tab, "location.pathname == '/other' && document.readyState == 'complete'")


@scenario("A call in the submit of a form that leaves the page.", again=NOBODY_HEARD)
def form(case: Case) -> None:
    """Form post."""
    tab = case.open()
    case.click(tab, "#send")
    wait(tab, "location.pathname == '/sent' && document.readyState == 'complete'")


@scenario("The page itself makes a call in its `pagehide`.", again=NOBODY_HEARD)
def last_words(case: Case) -> None:
    """Call in pagehide."""
    tab = case.open()
    tab.run("addEventListener('pagehide', () => book())")
    case.calls += 1
    tab.goto(case.site.address + "/other")


NO_LOCK = "navigator.locks.query().then(({ held }) => !held.length)"
"""Browsers don't keep a page that has a lock, as it does while it sends and 0.1 s after that."""


@scenario("Away by a link, a call there, and back into the page that was kept; a call there, too.")
def back(case: Case) -> None:
    """Back/forward cache."""
    tab = case.open()
    case.book(tab)
    case.settle(tab)
    wait(tab, NO_LOCK)
    tab.goto(case.site.address + "/other")
    case.book(tab)
    case.settle(tab)
    tab.back()
    wait(tab, "shown.at(-1) === true")
    case.book(tab)
    case.settle(tab)


@scenario("The same while the collector says 503, which ends when the visitor is back.")
def back_in_an_outage(case: Case) -> None:
    """Back/forward cache, 503."""
    case.behave(Refuse(503, 1))
    tab = case.open()
    case.book(tab)
    case.until_sent(1)
    tab.goto(case.site.address + "/other")
    case.book(tab)
    case.until_sent(4)  # leaving a page, too, sends what waits
    tab.back()
    wait(tab, "location.pathname == '/'")
    case.behave(Pass())
    case.book(tab)
    case.settle(tab)


FREEZE = "Freezing a tab takes Chromium's DevTools."


@scenario(
    "Calls in a hidden tab, which is then frozen, thawed and shown again; another tab has a call"
    " meanwhile.",
    only=FREEZE,
    again="The other tab sends when it is hidden, whoever has the lock: it may be its last chance.",
)
def freeze(case: Case) -> None:
    """Tab freeze."""
    tab = case.open()
    other = case.open()
    wait(tab, "document.hidden")
    case.book(tab, 2)
    assert isinstance(tab, ChromiumTab)
    tab.freeze()
    case.book(other)
    tab.thaw()
    tab.front()
    case.book(tab)
    case.settle(tab)


@scenario(
    "The tab is frozen with its hits under way, and closed without a chance to hear the answer.",
    only=FREEZE,
    again=NOBODY_HEARD,
)
def frozen_and_closed(case: Case) -> None:
    """Tab freeze, closed."""
    case.behave(Hang())
    tab = case.open()
    case.book(tab, 2)
    case.until_sent(2)
    case.open()
    wait(tab, "document.hidden")
    assert isinstance(tab, ChromiumTab)
    tab.freeze()
    tab.close()
