"""The form of an event in a browser: rows that move, failed saves, menus, the switch."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.whole import article
from tests.whole.installation import Installation
from tests.whole.test_data_model import find, page, said

__all__ = ["page"]
pytestmark = pytest.mark.slow

TYPED = "[...new FormData(document.querySelector('form.event'))].map(String)"


@pytest.fixture
def form(page: Page, pintag: Installation) -> Page:
    """A new transaction, with its four pre-made fields."""
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{pintag.web}/sections/demo/events/new?category=transactions")
    return page


def keys(form: Page) -> list[str]:
    """The field names, from top to bottom."""
    names = form.locator(".fields .key input").evaluate_all("all => all.map(one => one.value)")
    return [str(one) for one in names]


def handle(form: Page, key: str) -> str:
    return f"[aria-label='Move: {key}']"


def middle(form: Page, key: str) -> tuple[float, float]:
    box = form.locator(handle(form, key)).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(form: Page, key: str, to: str, *, below: bool = False) -> None:
    """Drag a row to above another one, or below it, without letting go."""
    form.locator(handle(form, to)).scroll_into_view_if_needed()
    form.mouse.move(*middle(form, key))
    form.mouse.down()
    box = form.locator("ol.fields > li", has=form.locator(handle(form, to))).bounding_box()
    assert box is not None
    form.mouse.move(box["x"] + 30, box["y"] + (box["height"] - 4 if below else 4), steps=5)


def test_rows_are_dragged_with_the_mouse(form: Page, pintag: Installation) -> None:
    drag(form, "currency", "reference")
    expect(form.locator(".dragged")).to_have_attribute("data-row", "3")
    form.mouse.up()
    assert keys(form) == ["source", "currency", "reference", "amount"]
    expect(form.locator(handle(form, "currency"))).to_be_focused()
    expect(form.locator("[data-count]")).to_have_text("currency is number 2 of 4")
    drag(form, "source", "amount", below=True)
    form.mouse.up()
    assert keys(form) == ["currency", "reference", "amount", "source"]
    drag(form, "amount", "currency")
    form.keyboard.press("Escape")
    form.mouse.up()
    assert keys(form) == ["currency", "reference", "amount", "source"]
    assert form.locator(".drop, .dragged").count() == 0
    form.fill("#name", "Dragged")
    form.locator("ol.fields > li").nth(0).get_by_label("Required").check()
    article.create_11(form)
    said(form, "“Dragged” is saved")
    fields = find(pintag, "dragged").versions[0].fields
    assert [(one.key, one.required) for one in fields] == [
        ("currency", True),
        ("reference", False),
        ("amount", False),
        ("source", True),
    ]


def test_rows_move_by_keyboard_and_keep_the_focus(form: Page) -> None:
    form.focus(handle(form, "amount"))
    form.keyboard.press("Alt+ArrowUp")
    form.keyboard.press("Alt+ArrowUp")
    form.keyboard.press("Alt+ArrowUp")
    assert keys(form) == ["amount", "source", "reference", "currency"]
    expect(form.locator(handle(form, "amount"))).to_be_focused()
    expect(form.locator("[data-count][role=status]")).to_have_text("amount is number 1 of 4")
    form.keyboard.press("Tab")  # to the arrow up
    form.keyboard.press("Alt+ArrowDown")
    assert keys(form) == ["source", "amount", "reference", "currency"]
    expect(form.locator("[aria-label='Move up: amount']")).to_be_focused()
    form.locator("[data-row='2'] .key input").fill("total")
    expect(form.locator("[aria-label='Move up: total']")).to_be_visible()


def test_rows_are_dragged_with_a_finger(form: Page, browser: Browser) -> None:
    touch = form.context.new_cdp_session(form)
    points = [middle(form, "currency"), middle(form, "amount"), middle(form, "reference")]
    for kind, (x, y) in zip(("touchStart", "touchMove", "touchMove"), points, strict=True):
        point = {"x": x, "y": y - 10}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert keys(form) == ["source", "currency", "reference", "amount"]


def test_a_hundred_rows_stay_quick(form: Page) -> None:
    form.evaluate("for (let n = 4; n < 100; n++) document.getElementById('add').click()")
    assert len(keys(form)) == 100
    drag(form, "amount", "source")
    form.mouse.up()
    assert keys(form)[:2] == ["amount", "source"]
    took = form.evaluate(
        "() => { const began = performance.now();"
        " for (let n = 0; n < 98; n++) document.querySelector('[value=down-2]').click();"
        " return performance.now() - began }"
    )
    assert keys(form)[98] == "amount"
    assert took / 98 < 100  # ms
    last = form.locator("ol.fields > li").last.locator(".handle")
    last.scroll_into_view_if_needed()
    drag(form, "amount", "amount")
    form.mouse.move(300, 5, steps=3)  # at the edge it scrolls
    form.wait_for_function("() => scrollY < 600")
    form.mouse.up()
    assert keys(form).index("amount") < 20


def test_a_failed_save_loses_nothing(form: Page) -> None:
    form.fill("#name", "Booking")
    form.fill("#description", "Two\nlines")
    form.locator("[data-row='1'] .key input").fill("1st")
    form.locator("[data-row='1'] summary").click()
    form.locator("[data-row='1'] textarea").fill("Which one")
    form.locator("[data-row='2']").get_by_label("Required").check()
    form.select_option("#f3-type", label="Time stamp")
    article.create_10(form)
    drag(form, "currency", "1st")
    form.mouse.up()
    for wrong in ("1st", ""):
        form.locator("[data-row='1'] .key input").fill(wrong)
        typed = form.evaluate(TYPED)
        article.create_11(form)
        expect(form.locator("#f1-key-error")).to_be_visible()
        assert form.evaluate(TYPED) == typed
    form.locator("[data-row='1'] .key input").fill("reference")
    form.locator("[data-row='4'] .key input").fill("nights")
    article.create_11(form)
    expect(form.locator("#name-error")).to_contain_text("already")
    assert keys(form) == ["source", "currency", "reference", "amount", "nights"]


def test_menus_close_by_a_click_elsewhere_and_by_escape(page: Page, pintag: Installation) -> None:
    for where, menu in (("/", ".menu"), ("/sections/demo/data-model", ".dots")):
        page.goto(f"{pintag.web}{where}")
        button = page.locator(f"{menu} summary").first
        button.click()
        expect(page.locator(f"{menu}[open]")).to_have_count(1)
        page.click("h1")
        expect(page.locator(f"{menu}[open]")).to_have_count(0)
        button.click()
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        expect(page.locator(f"{menu}[open]")).to_have_count(0)
        expect(button).to_be_focused()


@pytest.fixture
def plain(browser: Browser, pintag: Installation) -> Iterator[BrowserContext]:
    """A browser without JavaScript, in a zone of its own, signed in."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(60_000)
    pintag.sign_in(context.new_page())
    yield context
    context.close()


def test_switching_off_is_asked_for_once_more(
    plain: BrowserContext, browser: Browser, pintag: Installation
) -> None:
    pintag.pintag("event", "create", "Tea", "--category", "signals", "--section", "demo")
    page = plain.new_page()
    page.goto(f"{pintag.web}/sections/demo/events/tea")
    page.click("text=Switch on")
    page.click("text=Switch off…")
    expect(page.locator(".ask")).to_contain_text("answers 410 to all snippets")
    assert find(pintag, "tea").web_tracking
    page.click("text=Switch web tracking off")
    said(page, "Web tracking is off")
    assert not find(pintag, "tea").web_tracking


def test_times_are_in_the_viewer_s_zone(browser: Browser, pintag: Installation) -> None:
    context = browser.new_context(timezone_id="Asia/Kolkata", locale="en-GB")
    page = context.new_page()
    pintag.sign_in(page)
    pintag.pintag("event", "create", "Rose", "--category", "signals", "--section", "demo")
    page.goto(f"{pintag.web}/sections/demo/events/rose")
    page.click("text=Switch on")
    page.goto(f"{pintag.web}/sections/demo/events/rose/edit")
    article.create_7(page, 1, "blend")
    article.create_11(page)
    page.click(".events >> text=Rose")
    for cell in ("td:has-text('offered from') time", ".tag:has-text('usable from') time"):
        shown = page.locator(cell)
        utc = shown.get_attribute("title")
        assert utc is not None
        hours, minutes = re.findall(r"(\d\d):(\d\d)", utc)[0]
        local = (int(hours) * 60 + int(minutes) + 330) % 1440
        expect(shown).to_contain_text(f"{local // 60:02}:{local % 60:02}")
    context.close()
