"""What a snippet sends and keeps, seen from the wire and the storage of a real browser."""

import time
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.site import inline, publish, settled, stored, visit
from tests.browser.wire import Wire
from tracker.rules.ids import read_uuid7


def test_a_click_is_one_request_of_protocol_v1(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.click("#buy")
    settled(page)
    (request,) = wire.requests  # so there was no OPTIONS either
    assert (request.method, request.path) == ("POST", "/v1/key-signup")
    assert request.headers["content-type"].startswith("text/plain")
    assert "cookie" not in request.headers
    now = time.time() * 1000
    assert set(request.envelope) == {"sent", "lost", "hits"}
    assert now - 60_000 < request.envelope["sent"] <= now + 1_000
    assert request.envelope["lost"] == 0
    (hit,) = request.hits
    assert set(hit) == {"id", "at", "visitor", "data", "page", "referrer"}
    assert hit["data"] == {"plan": "pro"}  # the worker fills in the source
    assert (hit["page"], hit["referrer"]) == (wire.site + "/", "")
    assert read_uuid7(hit["visitor"])


def test_ids_are_uuids_of_version_7_with_the_hits_time(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.evaluate("for (let i = 0; i < 50; i++) pintag('signup', {i})")
    settled(page)
    ids = [UUID(hit["id"]) for hit in wire.hits]
    assert len(set(ids)) == 50
    assert {(id.version, id.variant) for id in ids} == {(7, "specified in RFC 4122")}
    assert [id.int >> 80 for id in ids] == [hit["at"] for hit in wire.hits]
    assert ids == sorted(ids)  # those of one millisecond, too


def test_a_referrer_is_sent_if_there_is_one(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire), path="/next")
    publish(wire, "")
    page = visit(context, wire)
    page.evaluate("location.href = '/next'")
    page.wait_for_url("**/next")
    page.click("#buy")
    settled(page)
    assert [hit["referrer"] for hit in wire.hits] == [wire.site + "/"]


def test_two_snippets_share_a_runtime_and_a_visitor(context: BrowserContext, wire: Wire) -> None:
    publish(
        wire, inline(wire), "<script>const first = pintag</script>", inline(wire, "contact", "C")
    )
    page = visit(context, wire)
    assert page.evaluate("pintag === first")
    page.evaluate("pintag('signup', {}); pintag('contact', {})")
    settled(page)
    assert sorted(request.path for request in wire.requests) == [
        "/v1/key-contact",
        "/v1/key-signup",
    ]
    assert len({hit["visitor"] for hit in wire.hits}) == 1


def test_a_visitor_stays_the_same_from_tab_to_tab(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    for _ in range(2):
        page = visit(context, wire)
        page.click("#buy")
        settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 2
    assert len({hit["visitor"] for hit in wire.hits}) == 1


def test_nothing_is_stored_before_the_first_call(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    assert visit(context, wire).evaluate("localStorage.length") == 0


def test_what_happens_in_one_tick_goes_together(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.evaluate(
        "pintag('signup', {n: 1}); Promise.resolve().then(() => pintag('signup', {n: 2}))"
    )
    settled(page)
    (request,) = wire.requests
    assert [hit["data"]["n"] for hit in request.hits] == [1, 2]


def test_many_hits_are_split_and_all_arrive(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.evaluate("for (let n = 0; n < 250; n++) pintag('signup', {n, text: 'é'.repeat(400)})")
    settled(page)
    assert sorted(hit["data"]["n"] for hit in wire.hits) == list(range(250))
    assert max(len(request.hits) for request in wire.requests) <= 100
    assert max(len(request.body.encode()) for request in wire.requests) < 60_000


def test_a_hit_too_large_for_keepalive_arrives_alone(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {text: 'x'.repeat(80000)}); pintag('signup', {})")
    settled(page)
    assert sorted(len(request.hits) for request in wire.requests) == [1, 1]


def test_a_hit_outlives_its_page_also_where_the_next_one_does_not_fit(
    context: BrowserContext, wire: Wire
) -> None:
    note = """<script>
      const real = fetch;
      window.kept = [];
      window.fetch = (url, options) => { kept.push(options.keepalive); return real(url, options) };
    </script>"""
    publish(wire, note, inline(wire))
    page = visit(context, wire)
    page.evaluate("for (let n = 0; n < 2; n++) pintag('signup', {text: 'x'.repeat(9000)})")
    settled(page)
    assert page.evaluate("kept") == [True, True]


@pytest.mark.parametrize("answer", [400, 403, 404, 410, 413])
def test_a_refusal_drops_the_hit(context: BrowserContext, wire: Wire, answer: int) -> None:
    publish(wire, inline(wire))
    wire.answer = answer
    page = visit(context, wire)
    page.click("#buy")
    settled(page)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "call", ["pintag('typo', {a: 1})", "let a = {}; a.a = a; pintag('signup', a)"]
)
def test_a_wrong_call_warns_and_does_not_throw(
    context: BrowserContext, wire: Wire, call: str
) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    with page.expect_console_message(lambda message: message.type == "warning") as warning:
        assert page.evaluate(f"() => {{ {call}; return 'went on' }}") == "went on"
    assert warning.value.text.startswith("pintag:")
    page.click("#buy")
    settled(page)
    assert len(wire.hits) == 1


FULL = """for (let size = 2 ** 22; size >= 1; size /= 2)
    try { for (;;) localStorage['site' + Math.random()] = 'x'.repeat(size) } catch {}"""
DENIALS = [
    FULL,
    "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})",
    "Object.defineProperty(window, 'localStorage', {value: null})",
]


@pytest.mark.parametrize("denial", DENIALS)
def test_without_storage_it_works_from_memory(
    context: BrowserContext, wire: Wire, denial: str
) -> None:
    publish(wire, f"<script>{denial}</script>", inline(wire))
    page = visit(context, wire)
    page.click("#buy")
    wire.wait(lambda: len(wire.hits) == 1)
    page.click("#buy")
    wire.wait(lambda: len(wire.hits) == 2)
    assert len({hit["visitor"] for hit in wire.hits}) == 1


def test_a_hostile_event_name_changes_nothing(context: BrowserContext, wire: Wire) -> None:
    name = "--></script><script>throw 1</script><!--<script>"
    publish(wire, inline(wire, "</script><!--'\"", name), inline(wire))
    page = visit(context, wire)
    assert page.locator("script").count() == 2
    page.evaluate("pintag(`</script><!--'\"`, {}); pintag('signup', {})")
    settled(page)
    assert len(wire.hits) == 2


def test_an_element_named_pintag_is_no_obstacle(context: BrowserContext, wire: Wire) -> None:
    publish(wire, "<div id=pintag></div>", inline(wire))
    page = visit(context, wire)
    page.click("#buy")
    settled(page)
    assert len(wire.hits) == 1


def test_spoilt_items_in_the_storage_are_left_alone(context: BrowserContext, wire: Wire) -> None:
    spoil = (
        "for (const text of ['', 'null', '{\"u\":\"/x\"}']) localStorage['pintag.h.' + text] = '{'"
    )
    publish(wire, f"<script>{spoil}</script>", inline(wire))
    page = visit(context, wire)
    page.click("#buy")
    page.wait_for_function("Object.keys(localStorage).length === 4")
    assert len(wire.hits) == 1
    assert len(stored(page)) == 3


def test_an_item_that_was_emptied_stops_no_other(context: BrowserContext, wire: Wire) -> None:
    key = f"pintag.h.019a9b9c-0000-7000-8000-000000000000 {wire.collector}/v1/key-signup"
    publish(wire, f"<script>localStorage['{key}'] = ''</script>", inline(wire))
    wire.answer = lambda request: 204 if request.hits else 400
    page = visit(context, wire)
    page.click("#buy")
    settled(page)
    assert len(wire.hits) == 1


def test_a_site_may_have_a_map_of_its_own(context: BrowserContext, wire: Wire) -> None:
    legacy = "<script>function Map() { this.items = {} } Map.prototype.put = () => {}</script>"
    publish(wire, legacy, inline(wire, "constructor"), inline(wire))
    page = visit(context, wire)
    page.evaluate("pintag('signup', {}); pintag('constructor', {}); pintag('__proto__', {})")
    wire.wait_for_hits(2)
    assert {request.path for request in wire.requests} == {"/v1/key-constructor", "/v1/key-signup"}


def test_a_sandboxed_frame_without_an_origin(context: BrowserContext, wire: Wire) -> None:
    """Its storage throws, and it gets no locks."""
    calls = "pintag('signup', {n: 1}); setTimeout(() => pintag('signup', {n: 2}), 200)"
    publish(wire, inline(wire), f"<script>{calls}</script>", path="/frame")
    publish(wire, "<iframe sandbox=allow-scripts src=/frame></iframe>")
    visit(context, wire)
    wire.wait_for_hits(2)
    assert len({hit["visitor"] for hit in wire.hits}) == 1


def test_json_methods_of_old_libraries_change_no_hit(context: BrowserContext, wire: Wire) -> None:
    """As Prototype 1.6 has them."""
    old = """<script>
      Array.prototype.toJSON = function () { return '[' + this.join() + ']' };
      String.prototype.toJSON = function () { return '"' + this + '"' };
      Object.prototype.extend = function () {};
    </script>"""
    publish(wire, old, inline(wire))
    page = visit(context, wire)
    page.click("#buy")
    wire.wait_for_hits(1)
    assert wire.hits[0]["data"] == {"plan": "pro"}
    assert read_uuid7(wire.hits[0]["id"])


def test_a_source_is_sent_only_if_the_call_has_one(context: BrowserContext, wire: Wire) -> None:
    publish(wire, inline(wire))
    page = visit(context, wire)
    page.evaluate(
        "for (const data of [undefined, {}, {source: undefined}, {source: null}, {source: 'x'}])"
        " pintag('signup', data)"
    )
    wire.wait_for_hits(5)
    assert [hit["data"] for hit in wire.hits] == [{}, {}, {}, {"source": None}, {"source": "x"}]
