"""Modules and Tag Manager's template in a real browser."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.site import config, event, hosted, inline, publish, settled, visit
from tests.browser.wire import Wire
from tests.snippets.judging import SANDBOX, sections
from tracker.rules.fields import Field, FieldType
from tracker.snippets.forms import FormName, render
from tracker.snippets.render import hosted_script


def module(wire: Wire, slug: str = "signup") -> None:
    """The site has the module at /<slug>.js."""
    wire.scripts[f"/{slug}.js"] = render(config(wire, slug), FormName.MODULE).text


def test_a_module_exports_functions_and_sends_nothing_by_itself(
    context: BrowserContext, wire: Wire
) -> None:
    module(wire)
    publish(wire, '<script type="module">window.signup = await import("/signup.js")</script>')
    page = visit(context, wire)
    page.wait_for_function("!!window.signup")
    assert page.evaluate("Object.keys(signup).sort()") == [
        *("consent", "default", "identify", "reset", "track")
    ]
    assert page.evaluate("localStorage.length") == 0
    page.evaluate("signup.default({n: 1}); signup.identify({email: 'x'}); signup.track({n: 2})")
    wire.wait_for_hits(2)
    settled(page)
    first, second = sorted(wire.hits, key=lambda hit: int(hit["data"]["n"]))
    assert ("claims" in first, second["claims"]) == (False, {"email": "x"})
    page.evaluate("signup.reset(); signup.track({n: 3})")
    wire.wait_for_hits(3)
    assert wire.hits[2]["visitor"] != first["visitor"]


def test_modules_of_one_page_share_the_first_runtime(context: BrowserContext, wire: Wire) -> None:
    module(wire)
    module(wire, "contact")
    imports = """<script type="module">
      import signup from "/signup.js"; const first = pintag;
      const { track } = await import("/contact.js");
      signup({}); track({}); pintag("vote", {});
      window.same = first === pintag;
    </script>"""
    publish(wire, event(wire, "vote"), imports)
    page = visit(context, wire)
    page.wait_for_function("window.same === true")
    wire.wait_for_hits(3)
    settled(page)
    paths = {request.path for request in wire.requests}
    assert paths == {"/v1/key-contact", "/v1/key-signup", "/v1/key-vote"}
    assert len({hit["visitor"] for hit in wire.hits}) == 1


BEFORE: dict[str, Callable[[Wire], str]] = {
    "nothing": lambda wire: "",
    "inline": lambda wire: inline(wire, "contact"),
    "hosted": lambda wire: hosted(wire, "contact"),
    "event": lambda wire: event(wire, "contact"),
    "module": lambda wire: '<script type="module" src="/contact.js"></script>',
}


@pytest.mark.parametrize("before", BEFORE)
def test_a_tag_of_the_template_sends_its_event(
    context: BrowserContext, wire: Wire, before: str
) -> None:
    fields = (
        Field("fld_1", "source", "Source", FieldType.TEXT, True),
        Field("fld_2", "plan-2", "Plan", FieldType.TEXT, True),
        Field("fld_3", "price", "Price", FieldType.DECIMAL),
    )
    rendered = render(replace(config(wire), fields=fields), FormName.GTM)
    template = sections(rendered.text)
    hosted(wire)
    module(wire, "contact")
    publish(wire, BEFORE[before](wire), f"<script>{SANDBOX}</script>")
    page = visit(context, wire)
    fire = """([code, permissions, values]) => new Promise((gtmOnSuccess, gtmOnFailure) =>
      new Function("require", "data", code)(
        tagManager(window, permissions), {...values, gtmOnSuccess, gtmOnFailure}))"""
    code = template["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    permissions = json.loads(template["WEB_PERMISSIONS"])
    for values in ({"fld_2": "pro", "fld_3": ""}, {"fld_2": "max", "fld_1": "Shop"}):
        page.evaluate(fire, [code, permissions, values])
    wire.wait_for_hits(2)
    settled(page)
    sent = sorted((hit["data"] for hit in wire.hits), key=lambda data: str(data["plan-2"]))
    assert sent[0] == {"source": "Shop", "plan-2": "max"}
    assert sent[1]["plan-2"] == "pro"
    assert "price" not in sent[1]
    assert f"/s/{hosted_script().hash}.js" in rendered.csp[0]
