"""Scenarios of unusual pages: framed, guarded, late, many, or wrong about the time."""

import base64
import hashlib

from tests.matrix.browsers import NOTHING_WAITS, wait
from tests.matrix.case import Case, nonced, scenario
from tests.matrix.leaving import NOBODY_HEARD
from tests.matrix.proxy import Pass, Refuse
from tests.matrix.site import NONCE, Page

CLOCK = """<script>
{
  const Real = Date
  const now = () => Real.now() + @HOURS@ * 36e5
  Date = class extends Real {
    constructor (...parts) { parts.length ? super(...parts) : super(now()) }
    static now () { return now() }
  }
}
</script>"""


@scenario("The page with the snippet is a frame in a page of another site.")
def third_party(case: Case) -> None:
    """Third-party iframe."""
    frame = f'<iframe src="{case.site.elsewhere}/framed"></iframe>'
    case.site.pages["/"] = Page(case.page(case.snippets.booking, frame))
    tab = case.open()
    tab.run("frames[0].postMessage(3, '*')")
    case.calls += 3
    case.until_taken(3)
    case.book(tab)
    case.settle(tab)


def _policy(case: Case, scripts: str) -> dict[str, str]:
    """Nothing is allowed but these scripts, and requests to the collector."""
    rules = f"default-src 'none'; script-src {scripts}; connect-src {case.proxy.address}"
    return {"Content-Security-Policy": rules}


@scenario("A Content-Security-Policy lets scripts with the page's nonce run, and nothing else.")
def nonce(case: Case) -> None:
    """Strict CSP, nonce."""
    html = nonced(case.page(case.snippets.booking, case.snippets.vote), NONCE)
    case.site.page = Page(html, _policy(case, f"'nonce-{NONCE}'"))
    tab = case.open()
    case.book(tab, 2)
    tab.run("vote()")
    case.calls += 1
    case.settle(tab)


@scenario("The policy names the snippet's hash; the page's own script has a nonce.")
def hashed(case: Case) -> None:
    """Strict CSP, hash."""
    script = case.snippets.booking.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = nonced(case.page(), NONCE)
    html = own.replace("<button", case.snippets.booking + "<button", 1)
    case.site.page = Page(html, _policy(case, f"'sha256-{digest}' 'nonce-{NONCE}'"))
    tab = case.open()
    case.book(tab, 2)
    case.settle(tab)


@scenario("The hosted form under such a policy; calls before and after its script is there.")
def hosted(case: Case) -> None:
    """Strict CSP, hosted."""
    early = "<script>pintag('booking', {reference: '@CASE@-early'})</script>"
    parts = case.snippets.hosted, early.replace("@CASE@", case.name)
    case.site.pages["/"] = Page(
        nonced(case.page(*parts), NONCE),
        _policy(case, f"'nonce-{NONCE}'"),
    )
    case.calls += 1
    tab = case.open()
    case.book(tab, 2)
    case.settle(tab)


@scenario("Two tabs, each with a backlog from a 503, and calls in both when it ends.")
def two_tabs(case: Case) -> None:
    """Two tabs."""
    case.behave(Refuse(503, 1))
    tabs = case.open(), case.open()
    for tab in tabs:
        case.book(tab, 5)
    case.until_sent(10)
    case.behave(Pass())
    for tab in tabs:
        case.book(tab, 5)
    for tab in tabs:
        case.settle(tab)


@scenario(
    "Two tabs of a site without TLS, where browsers have no locks; calls in both after a 503.",
    again="Without a lock both tabs send what both find in the storage.",
)
def insecure(case: Case) -> None:
    """Two tabs, no TLS."""
    case.behave(Refuse(503, 1))
    tabs = [case.browser.tab(), case.browser.tab()]
    for tab in tabs:
        tab.goto(case.site.insecure)
        assert not tab.run("window.isSecureContext")
        case.book(tab, 3)
    case.until_sent(6)
    case.behave(Pass())
    for tab in tabs:
        case.book(tab, 3)
    for tab in tabs:
        case.settle(tab)


@scenario("Two tabs send by turns, and one of them is closed.", again=NOBODY_HEARD)
def two_tabs_one_closed(case: Case) -> None:
    """Two tabs, one closed."""
    case.behave(Pass(0.1))
    tabs = case.open(), case.open()
    for _ in range(3):
        for tab in tabs:
            case.book(tab)
    tabs[1].close()
    case.settle(tabs[0])


@scenario("200 calls in one turn of the page.")
def burst(case: Case) -> None:
    """Burst of 200."""
    tab = case.open()
    case.book(tab, 200)
    case.settle(tab)


@scenario("200 calls in one turn of the page, and the tab is closed at once.", again=NOBODY_HEARD)
def burst_and_closed(case: Case) -> None:
    """Burst of 200, closed."""
    tab = case.open()
    case.book(tab, 200)
    tab.close()


@scenario("The visitor's clock is five hours ahead.")
def clock_ahead(case: Case) -> None:
    """Clock ahead."""
    _wrong_clock(case, 5)


@scenario("The visitor's clock is seven hours behind.")
def clock_behind(case: Case) -> None:
    """Clock behind."""
    _wrong_clock(case, -7)


@scenario("The visitor's clock is ten days ahead.")
def clock_days_ahead(case: Case) -> None:
    """Clock days ahead."""
    _wrong_clock(case, 240)


@scenario("The visitor's clock is ten days behind.")
def clock_days_behind(case: Case) -> None:
    """Clock days behind."""
    _wrong_clock(case, -240)


def _wrong_clock(case: Case, hours: int) -> None:
    clock = CLOCK.replace("@HOURS@", str(hours))
    case.site.page = Page(case.page(clock, case.snippets.booking))
    tab = case.open()
    assert abs(tab.run("(window.Date.now() - performance.timeOrigin) / 36e5") - hours) < 0.1
    case.book(tab, 3)
    case.settle(tab)


@scenario("Consent is required: calls wait, nothing is sent or stored; then it is given.")
def consent(case: Case) -> None:
    """Consent awaited."""
    case.site.pages["/"] = Page(case.page(case.snippets.asking))
    tab = case.open()
    case.book(tab, 3)
    wait(tab, "new Promise((done) => setTimeout(done, 0, true))")
    assert tab.run("localStorage.length + document.cookie.length") == 0
    assert tab.run(NOTHING_WAITS)
    assert case.proxy.requests == []
    tab.run("pintag('consent', true)")
    case.book(tab)
    case.settle(tab)
