"""Who a hit is from: `identify` and `reset`, in both forms of the snippet."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.site import hosted, inline, publish, settled, visit
from tests.browser.test_snippet import DENIALS
from tests.browser.wire import Wire

Form = Callable[[Wire], str]
ANN = {"email": {"key": "ann@example.com", "expires": 1795426200, "signature": "9f"}}
forms = pytest.mark.parametrize("form", [inline, hosted])


def opened(context: BrowserContext, wire: Wire, form: Form, *parts: str) -> Page:
    """A page with the snippet, then these parts, once its runtime is there."""
    publish(wire, form(wire), *parts)
    page = visit(context, wire)
    page.wait_for_function("!!pintag.r")
    return page


def sent(wire: Wire) -> list[dict[str, Any]]:
    """The hits, by their field n."""
    return sorted(wire.hits, key=lambda hit: int(hit["data"]["n"]))


@forms
def test_hits_carry_claims_from_identify_on(
    context: BrowserContext, wire: Wire, form: Form
) -> None:
    page = opened(context, wire, form)
    page.evaluate(
        """(ann) => {
          pintag('signup', {n: 1});
          pintag('identify', ann);
          pintag('signup', {n: 2});
          pintag('identify', {email: 'x', 'crm-id': '7'});
          pintag('signup', {n: 3});
          pintag('identify');
          pintag('signup', {n: 4});
          pintag('identify', ann);
          pintag('identify', null);
          pintag('signup', {n: 5});
        }""",
        ANN,
    )
    wire.wait_for_hits(5)
    claims = [hit.get("claims", "none") for hit in sent(wire)]
    assert claims == ["none", ANN, {"email": "x", "crm-id": "7"}, "none", "none"]
    assert len({hit["visitor"] for hit in wire.hits}) == 1


@forms
def test_after_a_reset_it_is_somebody_else(context: BrowserContext, wire: Wire, form: Form) -> None:
    page = opened(context, wire, form)
    page.evaluate(
        """(ann) => {
          pintag('identify', ann);
          pintag('signup', {n: 1});
          pintag('reset');
          pintag('signup', {n: 2});
          pintag('signup', {n: 3});
        }""",
        ANN,
    )
    wire.wait_for_hits(3)
    first, second, third = sent(wire)
    assert first["claims"] == ANN
    assert "claims" not in second
    assert first["visitor"] != second["visitor"] == third["visitor"]
    settled(page)
    page.reload()
    page.wait_for_function("!!pintag.r")
    page.evaluate("pintag('signup', {n: 4})")
    wire.wait_for_hits(4)
    assert sent(wire)[3]["visitor"] == second["visitor"]


@forms
def test_a_hit_that_could_not_be_sent_before_a_reset_stays_the_earlier_visitors(
    context: BrowserContext, wire: Wire, form: Form
) -> None:
    wire.answer = 503
    page = opened(context, wire, form)
    page.evaluate("(ann) => { pintag('identify', ann); pintag('signup', {n: 1}) }", ANN)
    wire.wait_for_hits(1)
    wire.answer = 204
    page.evaluate("pintag('reset'); pintag('signup', {n: 2})")
    settled(page)
    first, *_, last = sent(wire)
    again = [hit for hit in wire.hits if hit["data"]["n"] == 1]
    assert len(again) >= 2
    assert all(hit == first for hit in again)
    assert first["claims"] == ANN
    assert last["visitor"] != first["visitor"]


def test_calls_before_the_hosted_script_keep_their_order(
    context: BrowserContext, wire: Wire
) -> None:
    calls = """<script>
      pintag('signup', {n: 1});
      pintag('identify', {email: 'x'});
      pintag('signup', {n: 2});
      pintag('reset');
      pintag('signup', {n: 3});
    </script>"""
    opened(context, wire, hosted, calls)
    wire.wait_for_hits(3)
    first, second, third = sent(wire)
    assert [hit.get("claims") for hit in (first, second, third)] == [None, {"email": "x"}, None]
    assert first["visitor"] == second["visitor"] != third["visitor"]


@forms
def test_a_call_that_waits_for_its_snippet_keeps_who_it_was(
    context: BrowserContext, wire: Wire, form: Form
) -> None:
    page = opened(context, wire, form)
    page.evaluate(
        """() => {
          pintag('identify', {email: 'x'});
          pintag('contact', {n: 1});
          pintag('reset');
          pintag('contact', {n: 2});
        }"""
    )
    address = f"{wire.collector}/v1/key-contact"
    page.evaluate("(u) => pintag.r({u, n: 'contact'})", address)
    wire.wait_for_hits(2)
    first, second = sent(wire)
    assert [hit.get("claims") for hit in (first, second)] == [{"email": "x"}, None]
    assert first["visitor"] != second["visitor"]


def test_what_the_page_does_to_claims_later_changes_nothing(
    context: BrowserContext, wire: Wire
) -> None:
    page = opened(context, wire, inline)
    page.evaluate(
        "const c = {email: 'x'}; pintag('identify', c); c.email = c; pintag('signup', {n: 1})"
    )
    wire.wait_for_hits(1)
    assert wire.hits[0]["claims"] == {"email": "x"}


@pytest.mark.parametrize("claims", ["c", "{email: 1n}", "'x'", "7", "() => 1"])
def test_claims_that_are_none_warn_at_most(
    context: BrowserContext, wire: Wire, claims: str
) -> None:
    page = opened(context, wire, inline)
    page.evaluate(
        "const c = {}; c.c = c; pintag('identify', {email: 'old'});"
        f" pintag('identify', {claims}); pintag('signup', {{n: 1}})"
    )
    wire.wait_for_hits(1)
    assert wire.hits[0].get("claims") in (None, {}, {"0": "x"})


@pytest.mark.parametrize("denial", DENIALS)
def test_a_reset_without_storage(context: BrowserContext, wire: Wire, denial: str) -> None:
    page = opened(context, wire, inline)
    page.evaluate("pintag('signup', {n: 1})")
    settled(page)
    publish(wire, f"<script>{denial}</script>", inline(wire), path="/denied")
    page.goto(wire.site + "/denied")
    page.evaluate("pintag('signup', {n: 2}); pintag('reset'); pintag('signup', {n: 3})")
    page.evaluate("pintag('signup', {n: 4})")
    wire.wait_for_hits(4)
    _, before, after, last = sent(wire)
    assert before["visitor"] != after["visitor"] == last["visitor"]


def test_a_reset_reaches_the_other_tabs(context: BrowserContext, wire: Wire) -> None:
    page = opened(context, wire, inline)
    other = visit(context, wire)
    other.evaluate("pintag('signup', {n: 1})")
    wire.wait_for_hits(1)
    # Tabs are processes: a browser tells one of them what the other has stored a moment later.
    page.wait_for_function("localStorage.getItem('pintag.v')")
    page.evaluate("pintag('reset')")
    other.wait_for_function("!localStorage.getItem('pintag.v')")
    other.evaluate("pintag('signup', {n: 2})")
    wire.wait_for_hits(2)
    page.evaluate("pintag('signup', {n: 3})")
    wire.wait_for_hits(3)
    first, second, third = sent(wire)
    assert first["visitor"] != second["visitor"] == third["visitor"]


def test_claims_end_with_a_reset_elsewhere(context: BrowserContext, wire: Wire) -> None:
    """In another tab, or on another page while this one is in the back/forward cache."""
    page = opened(context, wire, inline, "<script>pintag('identify', {email: 'ann'})</script>")
    other = visit(context, wire)
    page.wait_for_function("localStorage.getItem('pintag.v')")
    other.evaluate("pintag('reset')")
    page.wait_for_function("!localStorage.getItem('pintag.v')")
    page.evaluate("pintag('signup', {n: 1}); pintag('identify', {email: 'ben'})")
    page.evaluate("pintag('signup', {n: 2})")
    wire.wait_for_hits(2)
    assert [hit.get("claims") for hit in sent(wire)] == [None, {"email": "ben"}]


def test_a_tab_that_has_not_heard_of_a_reset_does_not_undo_it(
    context: BrowserContext, wire: Wire
) -> None:
    page = opened(context, wire, inline)
    other = visit(context, wire)
    for count in range(1, 11):
        page.evaluate("pintag('reset'); pintag('signup', {})")
        new = page.evaluate("localStorage.getItem('pintag.v')")
        other.evaluate("pintag('signup', {})")
        wire.wait_for_hits(2 * count)
        for tab in (page, other):
            tab.wait_for_function("(new_) => localStorage.getItem('pintag.v') == new_", arg=new)
