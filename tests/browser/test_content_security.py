"""Under a strict policy each form works with exactly the directives that it names, not without."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.site import config, publish, visit
from tests.browser.wire import Wire
from tests.embedded.waiting import until
from tests.snippets.judging import SANDBOX, sections
from tracker.snippets.forms import FormName, Rendered, render
from tracker.snippets.render import hosted_scripts

pytestmark = pytest.mark.slow

NONCE = "c3RyaWN0"
CODE = "SANDBOXED_JS_FOR_WEB_TEMPLATE"
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
    more: bool = False  # a snippet for trying out, which reads attributes


CASES = {
    "inline": Case(FormName.INLINE),
    "inline with a nonce": Case(FormName.INLINE, nonce=NONCE),
    "hosted": Case(FormName.HOSTED),
    "hosted with a nonce": Case(FormName.HOSTED, nonce=NONCE),
    "inline with more": Case(FormName.INLINE, more=True),
    "hosted with more": Case(FormName.HOSTED, more=True),
    "hosted with more and a nonce": Case(FormName.HOSTED, more=True, nonce=NONCE),
    "module": Case(FormName.MODULE),
    "gtm": Case(FormName.GTM, call=""),
    "pixel": Case(FormName.PIXEL, call=""),
}
cases = pytest.mark.parametrize("name", CASES)


def in_page(wire: Wire, case: Case, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    """A page with the form, under `default-src 'none'` and its directives as changed."""
    for script in hosted_scripts():
        wire.scripts[f"/s/{script.hash}.js"] = script.body
    asked = replace(config(wire), nonce=case.nonce, test=case.more, attributes=case.more)
    rendered = render(asked, case.form)
    directives = change(rendered.csp)
    if case.form == FormName.GTM:  # Tag Manager itself is a script of the site here
        *_, scripts = ["script-src", *(one for one in directives if "script-src" in one)]
        directives = (f"{scripts} 'self'", *(one for one in directives if "script" not in one))
    policy = "; ".join(["default-src 'none'", *directives])
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    publish(wire, meta, markup(wire, case, rendered))


def markup(wire: Wire, case: Case, rendered: Rendered) -> str:
    if case.form == FormName.MODULE:
        wire.scripts["/signup.js"] = rendered.text
        return '<script type="module" src="/signup.js"></script>'
    if case.form == FormName.GTM:
        template = sections(rendered.text)
        code, permissions = (template[name] for name in (CODE, "WEB_PERMISSIONS"))
        fire = f"((require, data) => {{ {code}\n }})(tagManager(window, {permissions}), {{}})"
        wire.scripts["/tags.js"] = f"{SANDBOX}\n{fire}"
        return '<script src="/tags.js"></script>'
    return rendered.text


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
