"""The article about Custom Events, by its own numbered steps, in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.whole.installation import Installation
from tracker.rules.fields import FieldType
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition


@pytest.fixture
def page(browser: Browser, pintag: Installation) -> Iterator[Page]:
    """The first page, signed in; fails the test if anything was thrown or refused there."""
    wrong: list[str] = []
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    pintag.sign_in(page)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
    yield page
    context.close()
    assert wrong == []


def find(pintag: Installation, name: str) -> Definition:
    with pintag.database() as db:
        found = definitions.find(db, sections.choose(db, "demo").id, name)
    assert found is not None
    return found


def go_to_signals(page: Page) -> None:
    page.click("header summary")  # 1
    page.click("text=Settings")
    page.click("main >> text=Demo")  # 2
    page.click("nav >> text=Data Model")  # 3
    expect(page.locator("h1")).to_contain_text("Custom Events")
    page.click("nav.tabs >> text=Signals")  # 4


def choose(page: Page, name: str, what: str) -> None:
    """One of the three dots' menu of an event."""
    page.click(f"summary[aria-label='More about {name}']")
    page.click(f".dots[open] >> text={what}")


def test_creating_an_event_by_the_steps_of_the_article(page: Page, pintag: Installation) -> None:
    go_to_signals(page)
    page.click("text=Add New")  # 5
    page.fill("#name", "Survey answered")  # 6
    page.click("text=Add New Field")  # 7, with 10
    page.keyboard.type("score")
    assert page.locator("#f2-type option").all_inner_texts() == [t.label for t in FieldType]
    page.select_option("#f2-type", label="Number with decimals")  # 8
    page.click("text=Add New Field")  # 10
    page.keyboard.type("answered_at")
    page.select_option("#f3-type", label="Time stamp")
    page.locator("[data-row='3'] >> text=Required").click()
    page.click("[aria-label='Delete subject']")  # 9
    expect(page.locator("[data-row='2'] [value^=delete]")).to_be_focused()
    page.click("[data-row='3'] [title='Move up']")
    expect(page.locator("[data-count]")).to_have_text("answered_at is number 2 of 3")
    page.click(".ends >> text=Save")  # 11
    expect(page.locator(".said")).to_contain_text("“Survey answered” is saved: version 1")
    expect(page.locator("#event-survey-answered")).to_be_visible()
    choose(page, "Survey answered", "Allowed operations")
    page.click("text=Email")  # 12
    page.uncheck("[name='email:read']")
    page.click("text=Save")  # 13
    expect(page.locator(".said")).to_contain_text("not allowed: email:read")
    made = find(pintag, "Survey answered")
    fields = [(one.key, one.type, one.required) for one in made.versions[0].fields]
    assert fields == [
        ("source", FieldType.TEXT, True),
        ("answered_at", FieldType.TIMESTAMP, True),
        ("score", FieldType.DECIMAL, False),
    ]
    assert made.category == "signals"
    assert made.denied_operations == ["email:read"]


def test_editing_under_the_lock_and_hiding(page: Page, pintag: Installation) -> None:
    pintag.pintag("event", "create", "Coffee", "--category", "signals", "--section", "demo")
    go_to_signals(page)
    choose(page, "Coffee", "Edit")
    page.fill("#f1-key", "blend")
    page.press("#f1-key", "Enter")  # saves, and presses none of the rows' buttons
    expect(page.locator(".said")).to_contain_text("“Coffee” is saved. Version 2 can be used in")
    row = page.locator("#event-coffee")
    expect(row).to_contain_text(re.compile(r"locked until .*\(in \d+ minutes\)"))
    choose(page, "Coffee", "Edit")
    expect(page.locator("#f1-key")).to_be_disabled()
    expect(page.locator("main")).to_contain_text(re.compile(r"edited again\s+at .* minutes\)"))
    old, new = (one.fields[1] for one in reversed(find(pintag, "coffee").versions))
    assert (old.id, old.key, new.key) == (new.id, "subject", "blend")
    page.go_back()
    choose(page, "Coffee", "Hide")
    expect(page.locator("main")).to_contain_text("This action cannot be undone.")
    page.click("text=Cancel")
    assert find(pintag, "coffee").hidden_at is None
    choose(page, "Coffee", "Hide")
    page.click("button:text('Hide')")
    expect(page.locator(".said")).to_contain_text("“Coffee” is hidden.")
    expect(page.locator("#event-coffee")).to_have_count(0)
    assert find(pintag, "coffee").hidden_at is not None
