"""The stored queue: shared by tabs, bounded after failures, and honest about what it gave up."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.site import hide, inline, publish, settled, show, stored, visit
from tests.browser.test_snippet import FULL
from tests.browser.test_snippet_delivery import NOTE_WAITS
from tests.browser.wire import HANG, Wire
from tests.embedded.waiting import until

DAY = 86_400_000
FILL = """([count, address, daysAgo, text]) => {
    for (let n = 0; n < count; n++) {
        const at = Date.now() - daysAgo * 864e5 + n;
        const time = at.toString(16).padStart(12, 0).replace(/(.{8})/, '$1-');
        const id = time + '-7000-8000-' + String(n).padStart(12, 0);
        localStorage[`pintag.h.${id} ${address}`] = JSON.stringify({id, at, data: {text}});
    }
}"""


@pytest.fixture
def page(context: BrowserContext, wire: Wire) -> Page:
    """A page whose waits are noted, and do not end, while the collector is down."""
    publish(wire, inline(wire))
    publish(wire, "", path="/empty")
    wire.answer = 503
    return visit(context, wire, "/empty")


def fill(page: Page, wire: Wire, count: int, days_ago: float = 0.1, text: str = "") -> None:
    page.evaluate(FILL, [count, f"{wire.collector}/v1/key-signup", days_ago, text])


def fail_once(page: Page, wire: Wire) -> None:
    """Open the page, call, and wait until the collector has refused."""
    page.add_init_script(NOTE_WAITS)
    page.goto(wire.site + "/")
    page.evaluate("pintag('signup', {n: 'new'})")
    page.wait_for_function("waits.length >= 1")


def recover(page: Page, wire: Wire) -> None:
    wire.answer = 204
    wire.requests.clear()
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)


def test_too_many_hits_are_given_up_the_oldest_first_and_counted(page: Page, wire: Wire) -> None:
    fill(page, wire, 2100)
    fail_once(page, wire)
    kept = len(stored(page))
    assert 1500 < kept < 2000
    recover(page, wire)
    assert wire.requests[0].envelope["lost"] == 2101 - kept
    assert sum(request.envelope["lost"] for request in wire.requests) == 2101 - kept
    assert len(wire.hits) == kept
    assert wire.hits[-1]["data"] == {"n": "new"}
    assert page.evaluate("Object.keys(localStorage)") == ["pintag.v"]


def test_so_are_too_many_characters(page: Page, wire: Wire) -> None:
    fill(page, wire, 40, text="x" * 60_000)
    fail_once(page, wire)
    assert 30 <= len(stored(page)) <= 33
    recover(page, wire)
    assert sum(request.envelope["lost"] for request in wire.requests) == 41 - len(wire.hits)


def test_and_hits_that_are_too_old(page: Page, wire: Wire) -> None:
    fill(page, wire, 3, days_ago=29)
    fill(page, wire, 3, days_ago=27)
    fail_once(page, wire)
    assert len(stored(page)) == 4
    recover(page, wire)
    assert [request.envelope["lost"] for request in wire.requests] == [3]


def test_old_hits_are_sent_all_the_same_if_the_collector_takes_them(page: Page, wire: Wire) -> None:
    fill(page, wire, 3, days_ago=40)
    wire.answer = 204
    page.goto(wire.site + "/")
    wire.wait_for_hits(3)  # the worker says what it thinks of their ids
    assert wire.requests[0].envelope["lost"] == 0


def test_a_count_is_kept_until_it_was_told(page: Page, wire: Wire) -> None:
    fill(page, wire, 2, days_ago=29)
    fail_once(page, wire)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function("waits.length >= 2")
    assert wire.requests[-1].envelope["lost"] == 2
    recover(page, wire)
    assert [request.envelope["lost"] for request in wire.requests] == [2]
    page.evaluate("pintag('signup', {})")
    wire.wait_for_requests(2)
    assert wire.requests[-1].envelope["lost"] == 0


def test_a_full_storage_loses_nothing_while_the_page_lives(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, f"<script>{FULL}</script>", inline(wire))
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate(NOTE_WAITS)
    page.evaluate("for (let n = 0; n < 5; n++) pintag('signup', {n})")
    page.wait_for_function("waits.length == 1")
    assert stored(page) == []
    wire.answer = 204
    wire.requests.clear()
    page.evaluate("dispatchEvent(new Event('online'))")
    wire.wait_for_hits(5)
    assert [hit["data"]["n"] for hit in wire.hits] == [0, 1, 2, 3, 4]


def test_what_the_storage_had_no_room_for_goes_there_once_it_has(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, f"<script>{FULL}</script>", inline(wire))
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate(NOTE_WAITS)
    page.evaluate("pintag('signup', {n: 1})")
    page.wait_for_function("waits.length == 1")
    page.evaluate("for (const key of Object.keys(localStorage)) delete localStorage[key]")
    page.evaluate("dispatchEvent(new Event('online'))")
    assert len(stored(page)) == 1


def test_a_page_that_clears_its_storage_after_a_call_loses_nothing(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {n: 1}); localStorage.clear()")
    wire.wait_for_hits(1)
    settled(page)
    page.evaluate("pintag('signup', {n: 2}); localStorage.clear(); location = '/gone'")
    wire.wait_for_hits(2)


def test_tabs_share_the_queue_and_send_each_hit_once(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    wire.answer = 503
    tabs = [visit(context, wire) for _ in range(3)]
    for tab in tabs:
        tab.evaluate(NOTE_WAITS)
        tab.evaluate("for (let n = 0; n < 20; n++) pintag('signup', {n})")
        tab.wait_for_function("waits.length == 1")
    until(lambda: all(len(stored(tab)) == 60 for tab in tabs), "each tab sees all hits")
    wire.answer = 204
    wire.requests.clear()
    for tab in tabs:
        tab.evaluate("dispatchEvent(new Event('online'))")
    for tab in tabs:
        settled(tab)
    ids = [hit["id"] for hit in wire.hits]
    assert len(ids) == 60
    assert ids == sorted(set(ids))


def test_a_tab_that_waits_for_its_answer_makes_the_others_wait(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, inline(wire))
    wire.answer = HANG
    first, second = visit(context, wire), visit(context, wire)
    first.evaluate("pintag('signup', {n: 1})")
    wire.wait_for_requests(1)
    second.evaluate("pintag('signup', {n: 2}); dispatchEvent(new Event('online'))")
    second.wait_for_function("Object.keys(localStorage).length === 3")
    assert len(wire.requests) == 1
    wire.answer = 204
    first.close()
    wire.wait(lambda: {hit["data"]["n"] for hit in wire.hits} == {1, 2})
    settled(second)


def test_a_page_that_nobody_has_seen_yet_sends_nothing(context: BrowserContext, wire: Wire) -> None:
    say = "<script>Object.defineProperty(document, 'prerendering', {value: true, writable: true})"
    publish(wire, say + "</script>", inline(wire))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {}); dispatchEvent(new Event('online'))")
    assert page.evaluate("localStorage.length") == 0
    # As Chromium has it: a page is seen a moment before it is no longer being prerendered.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    page.evaluate("document.prerendering = false")
    page.evaluate("document.dispatchEvent(new Event('prerenderingchange', {bubbles: true}))")
    wire.wait_for_hits(1)


def test_a_call_without_a_snippet_is_said_once(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("pintag('contact', {})")
    for _ in range(3):
        hide(page)
        show(page)
    page.evaluate("1")  # messages come in order
    assert said == ["pintag: no snippet contact"]
