"""Events by `data-pintag-*` attributes, as a site's owner writes them."""

import json
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser import site
from tests.browser.site import config, publish, settled, visit
from tests.browser.wire import Wire
from tracker.snippets.code import attributes_script
from tracker.snippets.render import render_hosted, render_inline

pytestmark = pytest.mark.slow

FORM = """
<form id="form" data-pintag-submit="signup" data-pintag-field-form="footer" action="/next">
  <input name="a" id="mail" required data-pintag-value="mail" value="ann@example.com">
  <input name="b" type="password" data-pintag-value="secret" value="hunter2">
  <input name="c" type="text" autocomplete="new-password" data-pintag-value="shown" value="x">
  <input name="d" type="file" data-pintag-value="file">
  <input name="e" type="number" data-pintag-value="empty">
  <input name="f" type="radio" data-pintag-value="plan" value="free">
  <input name="f" type="radio" data-pintag-value="plan" value="pro" checked>
  <input name="g" type="checkbox" data-pintag-value="news" value="yes">
  <select name="h" data-pintag-value="size"><option>S<option selected value="m">M</select>
  <input name="unmarked" value="mine">
  <button id="send">Send</button>
</form>
"""


def inline(wire: Wire) -> str:
    return render_inline(replace(config(wire), attributes=True))


def hosted(wire: Wire) -> str:
    site.hosted(wire)
    return render_hosted(replace(config(wire), attributes=True))


def page_with(context: BrowserContext, wire: Wire, *parts: str) -> Page:
    """A page of these parts after an inline snippet and the script for attributes."""
    publish(wire, inline(wire), *parts)
    return visit(context, wire)


def data(wire: Wire, count: int) -> list[dict[str, object]]:
    """Of the hits, once there are so many, in the order of their times; without `source`."""
    wire.wait(lambda: len({hit["id"] for hit in wire.hits}) >= count)
    hits = {hit["id"]: hit["data"] for hit in wire.hits}
    assert len(hits) == count
    return [{k: v for k, v in hits[id].items() if k != "source"} for id in sorted(hits)]


def test_a_click_with_fields_of_any_kind_counts_on_children_too(
    context: BrowserContext, wire: Wire
) -> None:
    fields = json.dumps({"itemCount": 3, "plan": "free"})
    inner = '<svg id="icon" width="9" height="9"><rect width="9" height="9"/></svg>'
    page = page_with(
        context,
        wire,
        f"<div data-pintag-click='outer'><button data-pintag-click='signup' id='go'"
        f" data-pintag-fields='{fields}' data-pintag-field-plan='pro'"
        f" data-pintag-field-order-id='7'>{inner}</button></div>",
    )
    page.click("#icon")
    settled(page)
    assert data(wire, 1) == [{"itemCount": 3, "plan": "pro", "order-id": "7"}]


def test_a_form_sends_the_values_of_marked_controls_and_no_secret(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, inline(wire), path="/next")
    page = page_with(context, wire, FORM)
    page.fill("#mail", "")
    page.click("#send")  # the browser refuses to submit it
    page.fill("#mail", "bea@example.com")
    page.click("#send")
    page.wait_for_url("**/next?**")
    sent = {"mail": "bea@example.com", "plan": "pro", "news": False, "size": "m", "form": "footer"}
    assert data(wire, 1) == [sent]


def test_a_change_sends_the_new_value(context: BrowserContext, wire: Wire) -> None:
    change = 'data-pintag-change="signup" data-pintag-value="value"'
    page = page_with(
        context,
        wire,
        f"<input type=checkbox {change}><select {change}><option>a<option>b</select>",
    )
    page.check("[type=checkbox]")
    page.select_option("select", "b")
    page.uncheck("[type=checkbox]")
    settled(page)
    assert [one["value"] for one in data(wire, 3)] == [True, "b", False]


def test_a_page_that_stops_events_stops_no_hit_and_loses_no_handler(
    context: BrowserContext, wire: Wire
) -> None:
    stop = "document.addEventListener('click', (e) => e.stopImmediatePropagation(), true)"
    page = page_with(
        context,
        wire,
        "<a id=a href=/next data-pintag-click=signup>Next</a>"
        "<script>window.onclick = (e) => 1; a.onclick = () => window.handled = 1</script>",
        f"<script>window.stop = () => {stop}</script>",
    )
    page.evaluate("a.addEventListener('click', (e) => e.preventDefault())")
    page.click("#a")
    assert page.evaluate("handled") == 1
    page.evaluate("window.stop()")
    page.evaluate("a.href = '#'")
    page.click("#a")
    settled(page)
    assert len(data(wire, 2)) == 2


def test_a_click_on_a_label_counts_once(context: BrowserContext, wire: Wire) -> None:
    page = page_with(
        context,
        wire,
        "<p data-pintag-click=signup><label id=in><b>News</b><input type=checkbox id=box></label>"
        "</p><label for=other id=out>Other</label>"
        "<input type=checkbox id=other data-pintag-click=signup data-pintag-field-n=other>",
    )
    page.click("b")
    page.click("#box")
    page.click("#out")
    settled(page)
    assert data(wire, 3) == [{}, {}, {"n": "other"}]


def test_wrong_json_is_a_warning_and_the_rest_is_sent(context: BrowserContext, wire: Wire) -> None:
    page = page_with(
        context,
        wire,
        "<i id=i data-pintag-click=signup data-pintag-fields='{a: 1}' data-pintag-field-b=2>i</i>",
    )
    with page.expect_console_message(lambda message: message.type == "warning") as warning:
        page.click("#i")
    assert warning.value.text.startswith("pintag: SyntaxError")
    settled(page)
    assert data(wire, 1) == [{"b": "2"}]


def test_without_a_snippet_the_page_goes_on(context: BrowserContext, wire: Wire) -> None:
    publish(
        wire, f"<script>{attributes_script()}</script>", "<i id=i data-pintag-click=signup>i</i>"
    )
    page = visit(context, wire)
    with page.expect_console_message(lambda message: message.type == "warning") as warning:
        page.click("#i")
    assert warning.value.text.startswith("pintag: ReferenceError")


def test_seen_means_half_of_it_or_half_a_window_and_once(
    context: BrowserContext, wire: Wire
) -> None:
    visible = '<div data-pintag-visible="signup" data-pintag-field-n="{}" style="height:{}"></div>'
    gap = '<div style="height: 150vh"></div>'
    parts = [visible.format("first", "9px"), gap, visible.format("high", "400vh"), gap]
    page = page_with(context, wire, *parts, visible.format("last", "200px"))
    assert data(wire, 1) == [{"n": "first"}]
    page.evaluate("scrollTo(0, innerHeight * 0.7)")  # 20 % of the window have the high one
    page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert len(wire.hits) == 1
    page.evaluate("scrollTo(0, innerHeight * 2)")
    assert data(wire, 2)[1] == {"n": "high"}
    for _ in range(2):
        page.evaluate("scrollTo(0, 0)")
        page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert data(wire, 3)[2] == {"n": "last"}


def test_a_single_page_application(context: BrowserContext, wire: Wire) -> None:
    page = page_with(
        context,
        wire,
        "<header data-pintag-visible=signup data-pintag-field-n=header>Shop</header><main></main>",
    )
    assert data(wire, 1) == [{"n": "header"}]
    later = """
      history.pushState({}, '', '/cart?full=1#top');
      document.querySelector('main').innerHTML =
        '<p data-pintag-visible=signup data-pintag-field-n=cart>Cart</p>' +
        '<button id=pay data-pintag-click=signup data-pintag-field-n=pay>Pay</button>';
    """
    page.evaluate(later)
    assert {one["n"] for one in data(wire, 3)[1:]} == {"header", "cart"}
    page.click("#pay")
    assert data(wire, 4)[3] == {"n": "pay"}
    settled(page)
    first, *rest = sorted(wire.hits, key=lambda hit: str(hit["id"]))
    assert first["page"] == wire.site + "/"
    assert {hit["page"] for hit in rest} == {wire.site + "/cart?full=1#top"}


def test_the_hosted_script_brings_it_and_two_copies_count_once(
    context: BrowserContext, wire: Wire
) -> None:
    button = "<button id=go data-pintag-click=signup>Go</button>"
    publish(wire, site.hosted(wire), button)
    publish(wire, inline(wire), hosted(wire), button, path="/two")
    for count, path in enumerate(("/", "/two"), 1):
        page = visit(context, wire, path)
        page.wait_for_function("!!pintag.r && !!window.pintagAttributes")
        page.click("#go")
        settled(page)
        data(wire, count)


def test_before_the_hosted_script_came_the_stub_keeps_it(
    context: BrowserContext, wire: Wire
) -> None:
    button = "<button id=go data-pintag-click=signup data-pintag-field-n=early>Go</button>"
    publish(wire, hosted(wire), button)
    [(path, body)] = wire.scripts.items()
    wire.scripts.clear()
    page = visit(context, wire)
    page.click("#go")
    assert page.evaluate("pintag.q.length") == 2  # with its registration
    wire.scripts[path] = body
    page.evaluate(
        "const again = document.createElement('script');"
        f"again.src = '{wire.collector}{path}'; void document.head.append(again)"
    )
    assert data(wire, 1) == [{"n": "early"}]


def test_clicks_in_an_open_shadow_tree_count(context: BrowserContext, wire: Wire) -> None:
    page = page_with(context, wire, "<div id=host></div>")
    page.evaluate(
        "host.attachShadow({mode: 'open'}).innerHTML ="
        "'<button data-pintag-click=signup><b id=b>Go</b></button>'"
    )
    page.click("#b")
    settled(page)
    assert data(wire, 1) == [{}]


@pytest.mark.parametrize("command", ["consent", "identify", "reset"])
def test_commands_are_no_events(context: BrowserContext, wire: Wire, command: str) -> None:
    """What visitors wrote is in many pages, and keeps its data attributes there."""
    publish(
        wire,
        render_inline(replace(config(wire), attributes=True, consent=command == "consent")),
        f'<b data-pintag-visible={command} data-pintag-fields=\'{{"email": "mine"}}\'>Hi</b>',
        "<b data-pintag-visible=signup data-pintag-field-n=after>there</b>",
        "<script>const seen = []; const real = pintag;",
        "pintag = (...call) => { seen.push(call[0]); real(...call) }</script>",
    )
    page = visit(context, wire)
    page.wait_for_function("seen.includes('signup')")
    assert page.evaluate("seen") == ["signup"]
