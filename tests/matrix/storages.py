"""Scenarios of storages that are full or denied."""

from tests.matrix.browsers import NOTHING_WAITS, Tab
from tests.matrix.case import Case, scenario
from tests.matrix.proxy import Pass, Refuse

FILL = """(() => {
  let size = 1 << 22
  let n = 0
  while (size) {
    try { localStorage['the site ' + n++] = 'x'.repeat(size) } catch (error) { size >>= 1 }
  }
  try { localStorage.more = 'x' } catch (error) { return true }
})()"""


def _full(case: Case) -> Tab:
    tab = case.open()
    assert tab.run(FILL)
    return tab


def _denied(tab: Tab) -> None:
    assert tab.run("(() => { try { return !localStorage } catch (error) { return true } })()")


@scenario("The site itself has filled the storage to the last byte.")
def full(case: Case) -> None:
    """Storage full."""
    tab = _full(case)
    case.book(tab, 3)
    case.until_taken(3)


@scenario("The storage is full, and the collector says 503 for a while; the page stays.")
def full_in_an_outage(case: Case) -> None:
    """Storage full, 503."""
    case.behave(Refuse(503, 1))
    tab = _full(case)
    case.book(tab, 3)
    case.until_sent(3)
    case.behave(Pass())
    case.until_taken(3)


@scenario("The storage is full; three calls, and the tab is closed at once.")
def full_and_closed(case: Case) -> None:
    """Storage full, closed."""
    tab = _full(case)
    case.book(tab, 3)
    tab.close()
    case.until_taken(3)


@scenario(
    "The storage is full, and the page is closed while the collector says 503.",
    lost="Neither the network nor the storage takes them, and a page has nothing else.",
)
def full_and_closed_in_an_outage(case: Case) -> None:
    """Storage full, 503, closed."""
    case.behave(Refuse(503, 60))
    tab = _full(case)
    case.book(tab, 3)
    case.until_sent(3)
    tab.close()


@scenario(
    "The visitor blocks cookies, and with them the storage; the collector says 503 for a while."
)
def denied(case: Case) -> None:
    """Storage denied."""
    with case.browser.storage_denied() as browser:
        case.behave(Refuse(503, 1))
        tab = browser.tab()
        tab.goto(case.site.address)
        _denied(tab)
        case.book(tab, 2)
        case.until_sent(2)
        case.behave(Pass())
        case.book(tab)
        case.until_taken(3)
        tab.close()


@scenario("The visitor blocks the storage; three calls, and the tab is closed at once.")
def denied_and_closed(case: Case) -> None:
    """Storage denied, closed."""
    with case.browser.storage_denied() as browser:
        tab = browser.tab()
        tab.goto(case.site.address)
        _denied(tab)
        case.book(tab, 3)
        tab.close()
        case.until_taken(3)


@scenario("The page is a sandboxed frame of another one: no origin, no storage, no lock.")
def sandboxed(case: Case) -> None:
    """Sandboxed iframe."""
    frame = '<iframe sandbox="allow-scripts" src="/framed"></iframe>'
    case.site.pages["/"] = type(case.site.page)(case.page(case.snippets.booking, frame))
    tab = case.open()
    tab.run("frames[0].postMessage(3, '*')")
    case.calls += 3
    case.until_taken(3)
    assert tab.run(NOTHING_WAITS)
