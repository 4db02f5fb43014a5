"""Consent, Do Not Track and Global Privacy Control: before a yes nothing is stored or sent."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.site import config, hide, inline, publish, settled, show, stored, visit
from tests.browser.wire import PATIENCE, Request, Wire
from tracker.snippets.render import render_inline

SIGNALS = {
    "Do Not Track": "doNotTrack', {value: '1'})",
    "Global Privacy Control": "globalPrivacyControl', {value: true})",
}


def asking(wire: Wire, slug: str = "signup") -> str:
    """The snippet of a section that requires consent."""
    return render_inline(replace(config(wire, slug), consent=True))


def untouched(page: Page) -> bool:
    return bool(page.evaluate("localStorage.length === 0 && document.cookie === ''"))


@pytest.fixture
def page(context: BrowserContext, wire: Wire) -> Page:
    """A page of the section that requires consent, on which somebody has clicked twice."""
    publish(wire, asking(wire))
    page = visit(context, wire)
    page.evaluate("pintag('identify', {email: 'x'}); pintag('signup', {n: 1})")
    page.evaluate("pintag('reset'); pintag('signup', {n: 2})")
    return page


def test_before_a_yes_nothing_is_stored_or_sent(page: Page, wire: Wire) -> None:
    page.evaluate("dispatchEvent(new Event('online'))")
    assert untouched(page)
    assert wire.requests == []


def test_a_yes_sends_what_was_called_before_in_its_order(page: Page, wire: Wire) -> None:
    before = page.evaluate("Date.now()")
    page.evaluate("pintag('consent', true)")
    settled(page)
    first, second = wire.hits
    assert [hit["data"]["n"] for hit in (first, second)] == [1, 2]
    assert first["claims"] == {"email": "x"}
    assert "claims" not in second
    assert first["visitor"] != second["visitor"]
    assert first["at"] <= second["at"] <= before
    page.evaluate("pintag('signup', {n: 3})")
    wire.wait_for_hits(3)


def test_what_waits_for_a_yes_stays_as_it_was(context: BrowserContext, wire: Wire) -> None:
    publish(wire, asking(wire))
    page = visit(context, wire)
    page.evaluate(
        """() => {
          const data = {n: 1};
          pintag('signup', data);
          history.pushState({}, '', '/second');
          data.n = 2;
          pintag('signup', data);
          history.pushState({}, '', '/third');
          data.n = 3;
          pintag('consent', true);
        }"""
    )
    wire.wait_for_hits(2)
    calls = [(hit["data"]["n"], hit["page"].removeprefix(wire.site)) for hit in wire.hits]
    assert calls == [(1, "/"), (2, "/second")]


def test_dates_and_claims_that_wait_for_a_yes_stay_as_they_were(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, asking(wire))
    page = visit(context, wire)
    page.evaluate(
        """() => {
          const day = new Date('2026-12-01T00:00:00Z');
          const claims = {email: {key: 'ann@example.com'}};
          pintag('identify', claims);
          pintag('signup', {day});
          day.setUTCDate(24);
          claims.email.key = 'ben@example.com';
          pintag('consent', true);
        }"""
    )
    wire.wait_for_hits(1)
    assert wire.hits[0]["data"]["day"] == "2026-12-01T00:00:00.000Z"
    assert wire.hits[0]["claims"] == {"email": {"key": "ann@example.com"}}


def test_before_a_yes_the_storage_is_not_even_read(context: BrowserContext, wire: Wire) -> None:
    spy = """<script>
      window.noted = [];
      const note = (name) => (...args) => { noted.push(name); return Reflect[name](...args) };
      const storage = new Proxy({}, {ownKeys: note('ownKeys'), get: note('get'), set: note('set')});
      Object.defineProperty(window, 'localStorage', {value: storage});
    </script>"""
    publish(wire, spy, asking(wire))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {})")
    for say in (hide, show):
        say(page)
    # Locks are given in the order of requests.
    page.evaluate("navigator.locks.request('pintag', () => 0)")
    assert page.evaluate("noted") == []
    page.evaluate("pintag('consent', true)")
    wire.wait_for_hits(1)
    assert page.evaluate("noted.length") > 0


def test_a_request_that_fails_after_a_no_brings_nothing_back(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, inline(wire))
    refused = Event()

    def fail_afterwards(_request: Request) -> int:
        refused.wait(PATIENCE)
        return 503

    wire.answer = fail_afterwards
    page = visit(context, wire)
    page.evaluate(
        "const real = fetch; window.fetch = (...args) => window.answer = real(...args); null"
    )
    page.evaluate("pintag('signup', {})")
    page.wait_for_function("!!window.answer")
    page.evaluate("pintag('consent', false)")
    refused.set()
    page.evaluate("answer.then(() => navigator.locks.request('pintag', () => 0))")
    assert untouched(page)
    assert len(wire.requests) == 1


def test_a_no_forgets_what_was_called_before(page: Page, wire: Wire) -> None:
    page.evaluate("pintag('consent', false); pintag('signup', {n: 3}); pintag('consent', true)")
    page.evaluate("pintag('signup', {n: 4})")
    settled(page)
    assert [hit["data"]["n"] for hit in wire.hits] == [4]
    assert "claims" not in wire.hits[0]


def test_consent_is_said_on_each_page(page: Page, context: BrowserContext, wire: Wire) -> None:
    page.evaluate("pintag('consent', true)")
    settled(page)
    other = visit(context, wire)
    other.evaluate("pintag('signup', {n: 3}); dispatchEvent(new Event('online'))")
    assert len(wire.hits) == 2


def test_what_is_stored_waits_for_the_yes_of_the_next_page(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, asking(wire))
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate("pintag('consent', true); pintag('signup', {})")
    wire.wait_for_requests(1)
    before = len(wire.requests)
    page.reload()
    wire.answer = 204
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('online'));"
        "delete document.hidden"
    )
    assert len(stored(page)) == 1
    page.evaluate("pintag('consent', true)")
    settled(page)
    assert len(wire.requests) <= before + 2  # one may have gone as the first page went


def test_a_later_no_deletes_all_that_is_stored(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate("localStorage.site = 'its own'; pintag('signup', {})")
    wire.wait_for_requests(1)
    page.evaluate("pintag('consent', false)")
    assert page.evaluate("Object.keys(localStorage)") == ["site"]
    page.evaluate("pintag('signup', {})")
    assert page.evaluate("Object.keys(localStorage)") == ["site"]


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_of_the_browser_asks_for_a_yes(
    context: BrowserContext, wire: Wire, signal: str
) -> None:
    say = f"<script>Object.defineProperty(navigator, '{SIGNALS[signal]}</script>"
    publish(wire, say, inline(wire))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {n: 1}); dispatchEvent(new Event('online'))")
    assert untouched(page)
    page.evaluate("pintag('consent', true)")
    settled(page)
    assert [hit["data"]["n"] for hit in wire.hits] == [1]


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_section_may_pass_over_signals(context: BrowserContext, wire: Wire, signal: str) -> None:
    say = f"<script>Object.defineProperty(navigator, '{SIGNALS[signal]}</script>"
    publish(wire, say, render_inline(replace(config(wire), signals=False)))
    visit(context, wire).evaluate("pintag('signup', {})")
    wire.wait_for_hits(1)


def test_one_snippet_that_asks_is_enough(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire), asking(wire, "contact"))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {}); dispatchEvent(new Event('online'))")
    assert untouched(page)
    page.evaluate("pintag('consent', true)")
    wire.wait_for_hits(1)


def test_a_yes_before_the_snippet_counts(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire), "<script>pintag('consent', true)</script>", asking(wire, "contact"))
    visit(context, wire).evaluate("pintag('contact', {})")
    wire.wait_for_hits(1)


# -- how long a visitor is known


@pytest.fixture
def dated(browser: Browser, wire: Wire) -> Iterator[BrowserContext]:
    """A visitor whose clock tests set."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    context.clock.install()
    yield context
    context.close()


def test_a_visitor_id_ends_with_its_time(dated: BrowserContext, wire: Wire) -> None:
    publish(wire, render_inline(replace(config(wire), visitor_days=30)))
    page = visit(dated, wire)
    visitors = []
    for count, days in enumerate((0, 29, 2), 1):
        page.clock.run_for(days * 86_400_000)
        page.evaluate("pintag('signup', {})")
        page.clock.run_for(1000)
        wire.wait_for_hits(count)
        visitors.append(wire.hits[-1]["visitor"])
    assert visitors[0] == visitors[1] != visitors[2]
