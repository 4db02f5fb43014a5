"""Scenarios of networks and collectors that fail."""

from tests.matrix.browsers import NOTHING_WAITS, wait
from tests.matrix.case import Case, scenario
from tests.matrix.chromium import ChromiumTab
from tests.matrix.leaving import NOBODY_HEARD
from tests.matrix.proxy import Cut, Hang, Pass, Refuse


@scenario("Three calls without a network, which then comes back.")
def offline(case: Case) -> None:
    """Offline."""
    tab = case.open()
    case.browser.offline(True)
    try:
        wait(tab, "!navigator.onLine")
        case.book(tab, 3)
        assert not tab.run(NOTHING_WAITS)
    finally:
        case.browser.offline(False)
    case.settle(tab)


@scenario(
    "Three calls without a network, which comes back when the tab is closed.", again=NOBODY_HEARD
)
def offline_and_closed(case: Case) -> None:
    """Offline, closed."""
    tab = case.open()
    case.browser.offline(True)
    try:
        wait(tab, "!navigator.onLine")
        case.book(tab, 3)
        tab.close()
    finally:
        case.browser.offline(False)


@scenario(
    "Twenty calls over a line of 4 kB/s with 400 ms of latency.",
    only="Firefox can't be given a slow line.",
)
def slow_network(case: Case) -> None:
    """Slow network."""
    tab = case.open()
    assert isinstance(tab, ChromiumTab)
    tab.slow(latency_ms=400, bytes_per_second=4_000)
    for _ in range(4):
        case.book(tab, 5)
    case.settle(tab)


@scenario("A call in the click that leaves the page; each way takes 300 ms.", again=NOBODY_HEARD)
def slow_collector(case: Case) -> None:
    """Slow collector, link click."""
    case.behave(Pass(0.3))
    tab = case.open()
    case.click(tab, "#leave")
    case.until_sent(1)


@scenario("Nothing listens at the collector's address, and then it does; the page stays.")
def down(case: Case) -> None:
    """Collector down."""
    tab = case.open()
    case.proxy.down()
    case.book(tab, 3)
    case.until_tried(tab)
    case.proxy.up()
    case.settle(tab)


@scenario("Nothing listens at the collector's address until three pages were left.")
def down_and_left(case: Case) -> None:
    """Collector down, pages left."""
    tab = case.open()
    case.proxy.down()
    for path in ("/a", "/b", "/c"):
        case.book(tab)
        tab.goto(case.site.address + path)
    case.proxy.up()


@scenario(
    "The collector's requests hang; the page is loaded again, and they don't.", again=NOBODY_HEARD
)
def hang(case: Case) -> None:
    """Collector hangs, reload."""
    case.behave(Hang())
    tab = case.open()
    case.book(tab, 3)
    case.until_sent(3)
    case.behave(Pass())
    tab.reload()
    case.settle(tab)


@scenario("429 with `Retry-After: 1`, then the page, which stays, may send.")
def too_many(case: Case) -> None:
    """429 with Retry-After."""
    _refused(case, 429)


@scenario("503 with `Retry-After: 1`, then the page, which stays, may send.")
def unavailable(case: Case) -> None:
    """503."""
    _refused(case, 503)


def _refused(case: Case, status: int) -> None:
    case.behave(Refuse(status, 1))
    tab = case.open()
    case.book(tab, 2)
    case.until_sent(2)
    case.behave(Pass())
    case.book(tab)
    case.settle(tab)


@scenario("503 for as long as the page lives.")
def unavailable_and_left(case: Case) -> None:
    """503, page left."""
    case.behave(Refuse(503, 60))
    tab = case.open()
    case.book(tab, 2)
    case.until_sent(2)
    tab.close()
    case.until_sent(4)  # a page that goes tries once more


@scenario(
    "The collector takes the hits, and its answer does not come through.",
    again="The page can't know that its hits arrived, so it sends them again.",
)
def cut(case: Case) -> None:
    """Answer lost."""
    case.behave(Cut())
    tab = case.open()
    case.book(tab, 3)
    case.until_taken(3)
    case.behave(Pass())
    case.settle(tab)
