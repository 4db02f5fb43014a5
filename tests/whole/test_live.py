"""Live in a browser: hits of the real collector come as rows, by themselves."""

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.whole.installation import Installation, temporary
from tests.whole.test_demo_page import errors
from tracker.rules import ids

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
QUICK = 8.0
"""Seconds in which everything ends on a busy machine; for a stream uvicorn alone would wait ten."""


@pytest.fixture
def page(browser: Browser, pintag: Installation) -> Iterator[Page]:
    """A browser, signed in; fails the test if anything was thrown or refused in it."""
    wrong: list[str] = []
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    pintag.sign_in(page)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.extend(errors(message)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    yield page
    context.close()
    assert wrong == []


def send(pintag: Installation, data: dict[str, object], id_: str = "", query: str = "") -> str:
    """One booking of visitor Liv; returns its id."""
    now = time.time_ns() // 1_000_000
    id_ = id_ or str(ids.mint(now, uuid4().bytes[:10]))
    hit = {"id": id_, "at": now, "visitor": "liv", "data": data, "page": f"https://{HOSTILE}/"}
    address = f"{pintag.collector}/v1/{pintag.key('booking')}{query}"
    body = json.dumps({"sent": now, "hits": [hit]}).encode()
    with urllib.request.urlopen(urllib.request.Request(address, body)) as answer:
        assert answer.status == 204
    return id_


def outcomes(page: Page) -> list[str]:
    """Those of the rows that came since the page was opened, the newest first."""
    found: list[str] = page.eval_on_selector_all(
        ".hits > li",
        "all => all.slice(0, all.findIndex(li => 'before' in li.dataset))"
        ".map(li => li.dataset.outcome)",
    )
    return found


def go(page: Page, pintag: Installation, query: str = "") -> None:
    page.goto(f"{pintag.web}/sections/demo/live{query}")
    page.get_by_text("Live: hits show up as they come.").wait_for()


def test_hits_show_up_with_what_became_of_them(pintag: Installation, page: Page) -> None:
    go(page, pintag)
    first = page.locator(".hits > li").first
    id_ = send(pintag, {"reference": f"L-1 {HOSTILE}"})
    expect(first).to_have_attribute("data-outcome", "stored")
    send(pintag, {"reference": "L-1"}, id_)
    expect(first).to_have_attribute("data-outcome", "duplicate")
    send(pintag, {"reference": 7, HOSTILE: 1})
    expect(first).to_have_attribute("data-outcome", "quarantined")
    assert first.locator(".errors strong").all_inner_texts() == ["reference", HOSTILE]
    first.locator("summary").press("Enter")
    expect(first.get_by_text(id_[:4]).first).to_be_visible()
    assert f"https://{HOSTILE}/" in first.locator("dl").inner_text()
    send(pintag, {}, query="?test=1")
    expect(first).to_have_attribute("data-outcome", "dropped")
    assert outcomes(page) == ["dropped", "quarantined", "duplicate", "stored"]
    assert page.locator(".hits img").count() == 0
    for outcome in ("stored", "duplicate", "quarantined", "dropped"):
        expect(page.locator(f"[data-count={outcome}]")).to_have_text("1")


def test_they_are_filtered_by_the_server(pintag: Installation, page: Page) -> None:
    go(page, pintag)
    page.get_by_label("Outcome").select_option("quarantined")
    page.get_by_label("Text").fill("l-2")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/live?event=&outcome=quarantined&text=l-2")
    page.get_by_text("Live: hits show up as they come.").wait_for()
    send(pintag, {"reference": "L-2"})
    send(pintag, {"reference": "L-3", "amount": "dear"})
    send(pintag, {"reference": "L-2", "amount": "dear"})
    expect(page.locator("[data-count=quarantined]")).to_have_text("2")
    assert outcomes(page) == ["quarantined"]
    assert "L-2" in page.locator(".hit").first.inner_text()


def test_paused_they_wait(pintag: Installation, page: Page) -> None:
    go(page, pintag)
    page.get_by_role("button", name="Pause").click()
    for number in range(3):
        send(pintag, {"reference": f"L-4-{number}"})
    resume = page.get_by_role("button", name="Resume (3 new hits)")
    resume.wait_for()
    page.get_by_text("Paused: what comes is kept.").wait_for()
    assert outcomes(page) == []
    resume.click()
    assert outcomes(page) == ["stored"] * 3
    expect(page.get_by_text("No hits yet")).not_to_be_visible()
    page.get_by_role("button", name="Pause").wait_for()


def test_a_page_says_when_nothing_comes_any_more(browser: Browser) -> None:
    """Signed out meanwhile; or stopped, which an open page does not delay."""
    with temporary() as pintag, browser.new_context() as context:
        page = context.new_page()
        pintag.sign_in(page)
        go(page, pintag)
        with pintag.database() as db:
            db.execute("DELETE FROM session")
        pintag.kill("web")
        page.get_by_text("You are signed out: sign in again.").wait_for()
        pintag.sign_in(page)
        go(page, pintag)
        began = time.monotonic()
        pintag.process.send_signal(signal.SIGINT)
        pintag.process.wait(60)
        assert time.monotonic() - began < QUICK
        page.get_by_text("No connection; trying again…").wait_for()
