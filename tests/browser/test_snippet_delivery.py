"""What becomes of hits when pages, networks and collectors go away."""

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.site import hide, inline, publish, settled, show, stored, visit
from tests.browser.wire import CLOSE, HANG, Request, Wire
from tests.embedded.waiting import until

NOTE_WAITS = """
    window.waits = [];
    const real = setTimeout;
    window.setTimeout = (f, ms, a) => ms > 99 ? waits.push(ms) : real(f, ms, a);
    null;  // Playwright would call a function that it is left with
"""


@pytest.fixture(autouse=True)
def pages(wire: Wire) -> None:
    """Two pages, `/` and `/next`, with the same snippet."""
    publish(wire, inline(wire))
    publish(wire, inline(wire), path="/next")


def test_a_hit_in_flight_at_navigation_comes_again_with_its_id(
    context: BrowserContext, wire: Wire
) -> None:
    wire.answer = HANG
    page = visit(context, wire)
    page.click("#buy")
    wire.wait_for_requests(1)
    wire.answer = 204
    page.goto(wire.site + "/next")
    settled(page)
    first, *again = wire.hits  # Chromium may have failed the first one, which is then beaconed
    assert again
    assert all(hit == first for hit in again)


def test_a_click_that_leaves_the_page_arrives(context: BrowserContext, wire: Wire) -> None:
    page = visit(context, wire)
    page.click("#leave")
    page.wait_for_url("**/next")
    settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 1
    assert wire.hits[0]["data"]["plan"] == "gone"


def test_a_call_while_the_page_goes_is_sent_and_kept(context: BrowserContext, wire: Wire) -> None:
    listener = "addEventListener('pagehide', () => pintag('signup', {plan: 'last'}), true)"
    publish(wire, f"<script>{listener}</script>", inline(wire))
    publish(wire, "", path="/without")
    page = visit(context, wire)
    page.goto(wire.site + "/without")
    wire.wait(lambda: len(wire.hits) == 1)
    assert stored(page) == [wire.hits[0]["id"]]
    assert wire.requests[0].headers["content-type"].startswith("text/plain")
    page.goto(wire.site + "/next")
    settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 1


def test_a_tab_that_is_left_sends_at_once(context: BrowserContext, wire: Wire) -> None:
    page = visit(context, wire)
    page.evaluate("navigator.locks.request('pintag', () => new Promise(() => {})); null")
    page.evaluate("pintag('signup', {})")
    hide(page)
    settled(page)
    assert len(wire.requests) == 1


def test_what_was_stored_offline_goes_once_online(context: BrowserContext, wire: Wire) -> None:
    page = visit(context, wire)
    context.set_offline(True)
    page.click("#buy")
    page.wait_for_function("Object.keys(localStorage).length === 2")
    assert wire.requests == []
    context.set_offline(False)
    settled(page)
    assert len(wire.hits) == 1


@pytest.mark.parametrize("answer", [429, 500, 503, 200, CLOSE])
def test_what_was_not_taken_goes_again_with_the_next_page_view(
    context: BrowserContext, wire: Wire, answer: int
) -> None:
    wire.answer = answer
    page = visit(context, wire)
    page.click("#buy")
    wire.wait(lambda: len(wire.requests) >= 1)
    assert len(stored(page)) == 1
    wire.answer = 204
    page.goto(wire.site + "/next")
    settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 1


def test_a_page_that_stays_tries_again_by_itself(context: BrowserContext, wire: Wire) -> None:
    wire.answer = 503
    page = visit(context, wire)
    page.click("#buy")
    wire.wait_for_requests(2)
    wire.answer = 204
    settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 1


def test_a_timer_that_is_early_is_a_try_all_the_same(context: BrowserContext, wire: Wire) -> None:
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate(
        "const real = setTimeout;"
        "window.setTimeout = (f, ms, a) => real(f, ms > 99 ? ms - 5 : ms, a); null"
    )
    page.click("#buy")
    wire.wait_for_requests(1)
    wire.answer = 204
    settled(page)


def test_a_new_hit_waits_with_those_that_failed(context: BrowserContext, wire: Wire) -> None:
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate(NOTE_WAITS)
    page.evaluate("pintag('signup', {plan: 1})")
    page.wait_for_function("waits.length == 1")
    page.evaluate("pintag('signup', {plan: 2})")
    show(page)
    assert len(stored(page)) == 2
    wire.answer = 204
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)
    assert [[hit["data"]["plan"] for hit in request.hits] for request in wire.requests] == [
        [1],
        [1, 2],
    ]


def test_waits_grow_with_some_chance_in_them(context: BrowserContext, wire: Wire) -> None:
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate(NOTE_WAITS)
    page.evaluate("pintag('signup', {})")
    for count in range(1, 12):
        page.wait_for_function(f"waits.length == {count}")
        page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function("waits.length == 12")
    for tries, wait in enumerate(page.evaluate("waits")):
        least = min(1000 * 2**tries, 256_000)
        assert least <= wait <= 2 * least


@pytest.mark.parametrize(("said", "least"), [("30", 30_000), ("soon", 1_000), ("-5", 1_000)])
def test_retry_after_is_honoured(
    context: BrowserContext, wire: Wire, said: str, least: int
) -> None:
    wire.answer = 429
    wire.headers["Retry-After"] = said
    page = visit(context, wire)
    page.evaluate(NOTE_WAITS)
    page.evaluate("pintag('signup', {})")
    page.wait_for_function("waits.length == 1")
    assert least <= page.evaluate("waits[0]") <= 2 * least


def test_all_that_waits_goes_after_an_outage(context: BrowserContext, wire: Wire) -> None:
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate(NOTE_WAITS)
    for count in (1, 2, 3, 4):
        page.evaluate("for (let n = 0; n < 50; n++) pintag('signup', {text: 'x'.repeat(800)})")
        page.wait_for_function("waits.length == 1")
        until(lambda count=count: len(stored(page)) == 50 * count, "all are kept")  # type: ignore[misc]
    wire.answer = 204
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 200
    assert len(wire.hits) - 200 == len(wire.requests[0].hits)


def test_a_connection_that_hangs_is_given_up(context: BrowserContext, wire: Wire) -> None:
    wire.answer = HANG
    page = visit(context, wire)
    page.evaluate(
        "const real = AbortSignal.timeout.bind(AbortSignal);"
        "AbortSignal.timeout = (ms) => real(ms / 40); null"
    )
    page.click("#buy")
    wire.wait_for_requests(1)
    wire.answer = 204
    settled(page)
    first, *again = wire.hits
    assert again == [first]


def test_one_spoilt_hit_does_not_take_others_with_it(context: BrowserContext, wire: Wire) -> None:
    taken = []

    def refuse_the_spoilt(request: Request) -> int:
        if any(hit["data"].get("plan") == "spoilt" for hit in request.hits):
            return 400
        taken.extend(request.hits)
        return 204

    wire.answer = refuse_the_spoilt
    page = visit(context, wire)
    page.evaluate("for (const plan of ['a', 'spoilt', 'b', 'c']) pintag('signup', {plan})")
    settled(page)
    assert [hit["data"]["plan"] for hit in taken] == ["a", "b", "c"]
    assert [len(request.hits) for request in wire.requests] == [4, 1, 3, 1, 2]


def test_hits_in_flight_are_not_sent_twice(context: BrowserContext, wire: Wire) -> None:
    wire.answer = HANG
    page = visit(context, wire)
    page.click("#buy")
    wire.wait_for_requests(1)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.click("#buy")
    hide(page)
    wire.wait_for_requests(2)
    assert len({hit["id"] for hit in wire.hits}) == len(wire.hits) == 2


def test_two_tabs_keep_each_others_hits(context: BrowserContext, wire: Wire) -> None:
    wire.answer = 503
    tabs = [visit(context, wire), visit(context, wire)]
    for tab in tabs:
        tab.evaluate("pintag('signup', {})")
    wire.wait(lambda: len({hit["id"] for hit in wire.hits}) == 2)
    # A tab hears of another one's writes a little later.
    until(lambda: len(stored(tabs[0])) == 2, "one tab sees the hits of both")


def test_hits_for_other_snippets_go_to_their_own_address(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, inline(wire), inline(wire, "contact"))
    wire.answer = 503
    page = visit(context, wire)
    page.evaluate("pintag('signup', {}); pintag('contact', {})")
    wire.wait(lambda: len(wire.requests) >= 2)
    wire.answer = 204
    before = len(wire.requests)
    page.goto(wire.site + "/next")  # has the snippet of one of them only
    settled(page)
    assert {request.path for request in wire.requests[before:]} >= {"/v1/key-contact"}
