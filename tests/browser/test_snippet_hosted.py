"""The hosted form: its stub, its integrity, and its life beside inline snippets."""

import json
from collections.abc import Callable
from dataclasses import replace
from html import escape

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.site import config, event, hosted, inline, publish, settled, visit
from tests.browser.wire import Wire
from tracker.snippets.render import hosted_script, render_hosted

EARLY = "<script>pintag('signup', {early: true})</script>"


def test_calls_before_the_script_are_sent_with_their_times(
    context: BrowserContext, wire: Wire
) -> None:
    note = "<script>window.noted = Date.now()</script>"
    publish(wire, hosted(wire), EARLY, note)
    page = visit(context, wire)
    page.click("#buy")
    page.wait_for_function("!!pintag.r")
    settled(page)
    wire.wait_for_hits(2)
    assert [hit["data"] for hit in wire.hits if "early" in hit["data"]] == [{"early": True}]
    assert min(hit["at"] for hit in wire.hits) <= page.evaluate("noted")


def test_a_stub_that_was_kept_still_works(context: BrowserContext, wire: Wire) -> None:
    publish(wire, hosted(wire), "<script>const kept = pintag</script>")
    page = visit(context, wire)
    assert page.evaluate("kept !== pintag && !!pintag.r")
    page.evaluate("kept('signup', {})")
    wire.wait_for_hits(1)


def test_two_hosted_snippets_share_one_runtime(context: BrowserContext, wire: Wire) -> None:
    publish(wire, hosted(wire), hosted(wire, "contact"), EARLY)
    page = visit(context, wire)
    page.evaluate("pintag('contact', {})")
    wire.wait_for_hits(2)
    settled(page)
    assert {request.path for request in wire.requests} == {"/v1/key-contact", "/v1/key-signup"}
    assert len({hit["visitor"] for hit in wire.hits}) == 1


def test_inline_and_hosted_together_in_any_order(context: BrowserContext, wire: Wire) -> None:
    calls = "<script>pintag('signup', {}); pintag('contact', {})</script>"
    publish(wire, inline(wire), hosted(wire, "contact"), calls)
    publish(wire, hosted(wire, "contact"), inline(wire), calls, path="/next")
    for count, path in ((2, "/"), (4, "/next")):
        page = visit(context, wire, path)
        wire.wait_for_hits(count)
        settled(page)
    assert len({hit["id"] for hit in wire.hits}) == 4


def test_a_script_that_was_tampered_with_does_not_run(context: BrowserContext, wire: Wire) -> None:
    publish(wire, hosted(wire), EARLY)
    wire.scripts[f"/s/{hosted_script().hash}.js"] += "\n"
    page = visit(context, wire)
    page.click("#buy")
    assert page.evaluate("pintag.q.length") == 3  # with its registration
    assert page.evaluate("!pintag.r && localStorage.length === 0")
    assert wire.requests == []


def test_a_collector_that_is_down_does_not_stop_the_page(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, hosted(wire), EARLY)
    wire.scripts.clear()
    page = visit(context, wire)
    page.click("#buy")
    assert page.evaluate("pintag.q.length") == 3


def test_a_tag_that_lost_its_configuration_warns(context: BrowserContext, wire: Wire) -> None:
    _, tag = hosted(wire).split("</script>\n", 1)
    publish(wire, tag)
    page = context.new_page()
    with page.expect_console_message(lambda message: message.type == "warning"):
        page.goto(wire.site + "/")


def test_the_tags_of_earlier_releases_still_work(context: BrowserContext, wire: Wire) -> None:
    _, tag = hosted(wire).split("</script>\n", 1)
    own = escape(json.dumps(config(wire, "contact", "Contact").public))
    publish(wire, tag.replace(" src=", f' data-pintag="{own}" src='), event(wire))
    page = visit(context, wire)
    page.evaluate("pintag('contact', {}); pintag('signup', {})")
    wire.wait_for_hits(2)
    settled(page)
    assert {request.path for request in wire.requests} == {"/v1/key-contact", "/v1/key-signup"}


def test_one_hosted_script_serves_all_events_that_were_registered(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, event(wire, "contact"), EARLY, hosted(wire), event(wire, "vote"))
    page = visit(context, wire)
    page.wait_for_function("!!pintag.r")
    page.evaluate("pintag('contact', {}); pintag('vote', {})")
    wire.wait_for_hits(3)
    settled(page)
    paths = {request.path for request in wire.requests}
    assert paths == {"/v1/key-contact", "/v1/key-signup", "/v1/key-vote"}


def test_stubs_that_note_no_times_and_lists_that_hold_arguments(
    context: BrowserContext, wire: Wire
) -> None:
    """As tag managers make them."""
    stub = "function pintag() { (pintag.q = pintag.q || []).push(arguments) }"
    own = json.dumps(config(wire).public)
    calls = f"pintag({own}); pintag('signup', {{n: 1}}); pintag('signup', {{n: 2}}, 1795422600250)"
    _, tag = hosted(wire).split("</script>\n", 1)
    publish(wire, f"<script>{stub} {calls}</script>", tag)
    visit(context, wire)
    wire.wait_for_hits(2)
    times = {hit["data"]["n"]: hit["at"] for hit in wire.hits}
    assert times[1] > 1_700_000_000_000
    assert times[2] == 1795422600250


@pytest.mark.parametrize("form", [inline, hosted])
@pytest.mark.parametrize("before", [True, False])
def test_another_event_before_and_after_a_snippet(
    context: BrowserContext, wire: Wire, form: Callable[[Wire], str], before: bool
) -> None:
    call = "<script>pintag('contact', {})</script>"
    parts = [event(wire, "contact") + call, form(wire) + EARLY]
    publish(wire, *(parts if before else reversed(parts)))
    page = visit(context, wire)
    wire.wait_for_hits(2)
    settled(page)
    assert {request.path for request in wire.requests} == {"/v1/key-contact", "/v1/key-signup"}


def test_calls_wait_with_what_they_were_given(context: BrowserContext, wire: Wire) -> None:
    calls = "const data = {n: 1}; pintag('signup', data); data.n = 2; pintag('signup', data)"
    publish(wire, hosted(wire), f"<script>{calls}</script>")
    visit(context, wire)
    wire.wait_for_hits(2)
    assert [hit["data"]["n"] for hit in wire.hits] == [1, 2]


def test_calls_before_the_hosted_script_keep_their_page(
    context: BrowserContext, wire: Wire
) -> None:
    calls = "pintag('signup', {n: 1}); history.pushState(0, '', '/next'); pintag('signup', {n: 2})"
    publish(wire, hosted(wire), f"<script>{calls}</script>")
    visit(context, wire)
    wire.wait_for_hits(2)
    assert [hit["page"] for hit in wire.hits] == [wire.site + "/", wire.site + "/next"]


def test_data_that_throws_before_the_hosted_script_throws_nothing_into_the_page(
    context: BrowserContext, wire: Wire
) -> None:
    calls = "pintag('signup', {get n() { throw 1 }}); pintag('signup', {n: 2})"
    quiet = "addEventListener('unhandledrejection', (event) => event.preventDefault());"
    publish(wire, hosted(wire), f"<script>{quiet} {calls}</script>")
    visit(context, wire)
    wire.wait_for_hits(1)
    assert [hit["data"]["n"] for hit in wire.hits] == [2]


@pytest.mark.parametrize("asking_first", [True, False])
def test_one_that_asks_for_consent_is_heard_before_the_first_call(
    context: BrowserContext, wire: Wire, asking_first: bool
) -> None:
    parts = [render_hosted(replace(config(wire, "contact"), consent=True)), hosted(wire)]
    calls = "<script>pintag('contact', {n: 1}); pintag('signup', {n: 2})</script>"
    publish(wire, *(parts if asking_first else reversed(parts)), calls)
    page = visit(context, wire)
    page.wait_for_function("!!pintag.r")
    page.evaluate("navigator.locks.request('pintag', () => 0)")
    assert page.evaluate("localStorage.length") == 0
    assert wire.requests == []
    page.evaluate("pintag('consent', true)")
    wire.wait_for_hits(2)


def test_a_call_of_the_second_of_two_is_no_reason_to_warn(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, hosted(wire, "contact"), hosted(wire), EARLY)
    page = context.new_page()
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text))
    page.goto(wire.site + "/")
    wire.wait_for_hits(1)
    settled(page)
    assert warnings == []


def test_calls_without_a_snippet_are_kept_for_one_that_comes_later(
    context: BrowserContext, wire: Wire
) -> None:
    _, tag = hosted(wire).split("</script>\n", 1)
    early = "<script>pintag = {q: [['signup', {early: true}]]}</script>"
    publish(wire, early, tag.replace("async", ""), inline(wire))
    visit(context, wire)
    wire.wait_for_hits(1)
