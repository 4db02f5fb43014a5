"""Under a strict policy each form works with exactly the directives that it names, not without."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.site import config, hosted, publish, visit
from tests.browser.wire import Wire
from tests.embedded.waiting import until
from tracker.snippets.forms import FormName, Rendered, render

NONCE = "c3RyaWN0"
NOTE = """
  window.refused = [];
  addEventListener("securitypolicyviolation", ({effectiveDirective, blockedURI}) => {
    // The buttons and the icon of the site are no part of a form.
    if (effectiveDirective != "script-src-attr" && !blockedURI.startsWith("data"))
      refused.push(effectiveDirective.replace("-elem", ""));
  });
"""


@dataclass
class Case:
    """A form in a page; call: what sends a hit, nothing where it does so by itself."""

    form: FormName
    call: str = "window.pintag && pintag('signup', {})"
    nonce: str | None = None


CASES = {
    "inline": Case(FormName.INLINE),
    "inline with a nonce": Case(FormName.INLINE, nonce=NONCE),
    "hosted": Case(FormName.HOSTED),
    "hosted with a nonce": Case(FormName.HOSTED, nonce=NONCE),
    "module": Case(FormName.MODULE),
    "pixel": Case(FormName.PIXEL, call=""),
}
cases = pytest.mark.parametrize("name", CASES)


def in_page(wire: Wire, case: Case, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    """A page with the form, under `default-src 'none'` and its directives as changed."""
    hosted(wire)  # its script is there
    rendered = render(replace(config(wire), nonce=case.nonce), case.form)
    policy = "; ".join(["default-src 'none'", *change(rendered.csp)])
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    publish(wire, meta, markup(wire, case, rendered))


def markup(wire: Wire, case: Case, rendered: Rendered) -> str:
    if case.form != FormName.MODULE:
        return rendered.text
    wire.scripts["/signup.js"] = rendered.text
    return '<script type="module" src="/signup.js"></script>'


def opened(context: BrowserContext, wire: Wire, case: Case) -> Page:
    context.add_init_script(NOTE)
    page = visit(context, wire)
    page.wait_for_load_state("load")
    if case.call:
        page.evaluate(case.call)
    return page


@cases
def test_with_its_directives_it_works(context: BrowserContext, wire: Wire, name: str) -> None:
    case = CASES[name]
    in_page(wire, case, lambda csp: csp)
    page = opened(context, wire, case)
    wire.wait_for_requests(1)
    assert page.evaluate("refused") == []


@cases
@pytest.mark.parametrize("number", [0, 1])
def test_without_one_of_them_it_does_not(
    context: BrowserContext, wire: Wire, name: str, number: int
) -> None:
    case = CASES[name]
    csp = render(config(wire), case.form).csp
    if number >= len(csp):
        return
    lacking = csp[number].split()[0]
    in_page(wire, case, lambda csp: tuple(one for one in csp if not one.startswith(lacking)))
    page = opened(context, wire, case)
    until(lambda: lacking in page.evaluate("refused"))
    assert wire.requests == []


def test_another_event_needs_its_own_hash_only(context: BrowserContext, wire: Wire) -> None:
    first = render(config(wire, "contact"), FormName.INLINE)
    second = render(config(wire), FormName.EVENT)
    one, two = (form.csp[0].removeprefix("script-src") for form in (first, second))
    for scripts, hits in ((one + two, 1), (one, 0)):
        policy = f"default-src 'none'; script-src{scripts}; {second.csp[1]}"
        meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        publish(wire, meta, first.text, second.text)
        page = visit(context, wire)
        page.evaluate("pintag('signup', {})")
        page.evaluate("pintag('contact', {})")
        wire.wait_for_hits(1 + hits)
        assert [request.path for request in wire.requests].count("/v1/key-signup") == hits
        wire.requests.clear()
