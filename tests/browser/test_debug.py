"""What the debug script of test snippets says in the console, and that it changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser import site
from tests.browser.site import EMPTY, publish, settled
from tests.browser.wire import CLOSE, Wire
from tracker.rules.fields import Field, FieldType
from tracker.snippets.code import debug_script
from tracker.snippets.render import SnippetConfig, render_event, render_hosted, render_inline

FIELDS = (
    Field("f1", "source", "Source", FieldType.TEXT, required=True),
    Field("f2", "plan", "Plan", FieldType.TEXT),
    Field("f3", "amount", "Amount", FieldType.DECIMAL, required=True),
    Field("f4", "day", "Day", FieldType.DATE),
)


def config(wire: Wire, slug: str = "signup") -> SnippetConfig:
    script = debug_script()
    wire.scripts[f"/s/{script.hash}.js"] = script.body
    return replace(site.config(wire, slug), version_number=3, fields=FIELDS, test=True)


@contextmanager
def said(page: Page) -> Iterator[list[str]]:
    """What the debug script said while the block ran."""
    lines: list[str] = []

    def note(message: object) -> None:
        text = str(getattr(message, "text", ""))
        if text.startswith("pintag debug: "):
            lines.append(text.removeprefix("pintag debug: "))

    page.on("console", note)
    yield lines
    page.evaluate("1")  # messages come in order
    page.remove_listener("console", note)


def visit(context: BrowserContext, wire: Wire, *parts: str) -> Page:
    publish(wire, *parts)
    return site.visit(context, wire)


def test_a_test_snippet_introduces_itself_and_its_hits_are_marked(
    context: BrowserContext, wire: Wire
) -> None:
    publish(wire, render_inline(config(wire)))
    page = context.new_page()
    with said(page) as lines:
        page.goto(wire.site + "/")
        page.evaluate("pintag('signup', {amount: 12.5, day: '2026-11-23'})")
        settled(page)
    fields = "source*: text, plan: text, amount*: decimal, day: date"
    assert lines == [
        f"signup: a test snippet of version 3 ({fields}).",
        "signup: fits version 3. A test hit: `pintag snippet watch signup` shows it.",
    ]
    assert [request.path for request in wire.requests] == ["/v1/key-signup?test"]


def test_each_wrong_field_is_named_with_the_reason(context: BrowserContext, wire: Wire) -> None:
    page = visit(context, wire, render_inline(config(wire)))
    with said(page) as lines:
        page.evaluate("pintag('signup', {plan: 'é'.repeat(1001), Amuont: '1', day: '2026-02-30'})")
        settled(page)
    [text] = lines
    assert text.splitlines() == [
        "signup: does not fit version 3 (invalid_data).",
        "  plan: A text has at most 1,000 characters, this one has 1,001. Shorten it."
        f' It is "{59 * "é"} (too_long)',
        "  amount: `amount` is required: send a value of the type Number with decimals. (required)",
        "  day: Expected a real date: send a string like 2026-11-23 (year-month-day)."
        ' It is "2026-02-30" (wrong_type)',
        "  Amuont: This version has no such field: take it out, or add it to the definition."
        ' Did you mean `amount`? It is "1" (unknown_field)',
        "A test hit: `pintag snippet watch signup` shows it.",
    ]
    assert len(wire.hits) == 1


def test_a_wrong_slug_and_data_that_json_cant_hold(context: BrowserContext, wire: Wire) -> None:
    page = visit(context, wire, render_inline(config(wire)))
    with said(page) as lines:
        page.evaluate("pintag('sing-up', {}); let a = {}; a.a = a; pintag('signup', a)")
    wrong, cyclic = lines
    assert wrong == ("sing-up: this page has no test snippet of this event. Did you mean `signup`?")
    assert cyclic.startswith("signup: not sent, as JSON can't hold the data: TypeError")


def test_commands_and_awaited_consent(context: BrowserContext, wire: Wire) -> None:
    page = visit(context, wire, render_inline(replace(config(wire), consent=True)))
    with said(page) as lines:
        page.evaluate("pintag('signup', {amount: 1})")
        page.evaluate("pintag('consent', true); pintag('signup', {amount: 1})")
        page.evaluate("pintag('consent', false); pintag('signup', {amount: 1})")
        page.evaluate("pintag('identify', {email: 'ann@example.com'}); pintag('reset')")
    waits = " It waits for pintag('consent', true)."
    fits = "signup: fits version 3. A test hit: `pintag snippet watch signup` shows it."
    assert lines == [
        fits + waits,
        "consent is given.",
        fits,
        "consent is refused: nothing is sent or kept.",
        fits + " Consent is refused, so it is not sent.",
        "hits carry these claims from now on: email.",
        "a new visitor begins, without claims.",
    ]


def test_do_not_track_waits_for_consent_unless_signals_are_ignored(
    context: BrowserContext, wire: Wire
) -> None:
    signal = "<script>Object.defineProperty(navigator, 'doNotTrack', {value: '1'})</script>"
    for path, signals in (("/", True), ("/ignored", False)):
        one = replace(config(wire), signals=signals)
        publish(wire, signal, render_inline(one), path=path)
        page = site.visit(context, wire, path)
        with said(page) as lines:
            page.evaluate("pintag('signup', {amount: 1})")
        assert ("It waits" in lines[0]) is signals


@pytest.mark.parametrize(
    ("answer", "saying"),
    [
        (403, "the collector answered 403: the section takes no hits from this origin"),
        (410, "the collector answered 410: tracking is switched off"),
        (503, "the collector answered 503: it can't be sure"),
        (418, "the collector answered 418: no collector says that"),
        (CLOSE, "the collector answered nothing: it is down"),
    ],
)
def test_an_answer_that_is_no_receipt_is_explained(
    context: BrowserContext, wire: Wire, answer: int, saying: str
) -> None:
    wire.answer = answer
    page = visit(context, wire, render_inline(config(wire)))
    with page.expect_console_message(lambda one: saying in one.text):
        page.evaluate("pintag('signup', {amount: 1})")


def test_a_policy_that_lets_no_hits_out_is_explained(context: BrowserContext, wire: Wire) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"connect-src 'self'\">"
    page = visit(context, wire, policy, render_inline(config(wire)))
    needs = f"needs {wire.collector} in connect-src"
    with page.expect_console_message(lambda one: needs in one.text):
        page.evaluate("pintag('signup', {amount: 1})")


def test_it_sees_through_stubs_and_other_events_from_the_first_call_on(
    context: BrowserContext, wire: Wire
) -> None:
    site.hosted(wire)
    early = "<script>window.kept = pintag; pintag('signup', {amount: 1})</script>"
    publish(wire, render_hosted(config(wire)), early, render_event(config(wire, "contact")))
    page = context.new_page()
    with said(page) as lines:
        page.goto(wire.site + "/")
        page.wait_for_function("!!pintag.r")
        page.evaluate("pintag('contact', {amount: 2}); kept('signup', {amount: 3})")
        wire.wait_for_hits(3)
        page.wait_for_function(EMPTY)
    assert [line.split(".")[0] for line in lines if "fits" in line] == [
        "signup: fits version 3",
        "contact: fits version 3",
        "signup: fits version 3",
    ]


def test_attributes_are_explained_too_and_a_check_sends_nothing(
    context: BrowserContext, wire: Wire
) -> None:
    button = "<button id=go data-pintag-click=signup data-pintag-field-amount='1,5'>Go</button>"
    page = visit(context, wire, render_inline(replace(config(wire), attributes=True)), button)
    with said(page) as lines:
        page.click("#go")
        checked = page.evaluate("pintagDebug.check('signup', {amount: 'x'})")
        settled(page)
    assert 'It is "1,5" (wrong_type)' in lines[0]
    assert [(error["field"], error["code"]) for error in checked] == [("amount", "wrong_type")]
    assert len(wire.hits) == 1


@pytest.mark.parametrize("read", [False, True])
def test_attributes_that_nothing_reads_are_said_once(
    context: BrowserContext, wire: Wire, read: bool
) -> None:
    buttons = 2 * "<button data-pintag-click=signup>Go</button>"
    publish(wire, render_inline(replace(config(wire), attributes=read)), buttons)
    page = context.new_page()
    with said(page) as lines:
        page.goto(wire.site + "/")
    assert sum("nothing reads them" in line for line in lines) == (0 if read else 1)
