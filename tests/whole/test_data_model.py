"""The article about Custom Events, by its own numbered steps, in a browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.whole import article
from tests.whole.installation import Installation
from tracker.rules.fields import FieldType
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition

WORDS = ["Text", "True/False", "Date", "Time stamp", "Number", "Number with decimals"]
"""The article's words for types."""


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
    assert [one for one in wrong if "422" not in one] == []


def find(pintag: Installation, name: str) -> Definition:
    with pintag.database() as db:
        found = definitions.find(db, sections.choose(db, "demo").id, name)
    assert found is not None
    return found


def said(page: Page, text: str) -> None:
    expect(page.locator(".said")).to_contain_text(text)


def test_creating_an_event_by_the_steps_of_the_article(page: Page, pintag: Installation) -> None:
    article.create_1(page)
    article.create_2(page)
    article.create_3(page)
    article.create_4(page, "Signals")
    article.create_5(page)
    article.create_6(page, "Survey answered")
    article.create_7(page, 1, "survey")
    assert page.locator("#f1-type option").all_inner_texts() == WORDS
    types = dict(zip(WORDS, ["note", "sure", "day", "answered_at", "stars", "score"], strict=True))
    for row, (word, name) in enumerate(types.items(), 2):
        article.create_10(page)
        article.create_7(page, row, name)
        article.create_8(page, row, word)
    article.create_9(page, "survey")
    article.create_11(page)
    said(page, "“Survey answered” is saved: version 1")
    expect(page.locator("nav.tabs [aria-current]")).to_contain_text("Signals")
    expect(page.locator("#event-survey-answered")).to_be_visible()
    article.choose(page, "Survey answered", "Allowed operations")
    article.create_12(page, "Email", "Read")
    article.create_12(page, "CRM ID", "Write")
    article.create_13(page)
    said(page, "not allowed: email:read, crm-id:write")
    made = find(pintag, "Survey answered")
    assert (made.name, made.category, made.hidden_at) == ("Survey answered", "signals", None)
    assert made.denied_operations == ["crm-id:write", "email:read"]
    assert not made.web_tracking
    [version] = made.versions
    assert version.number == 1
    assert version.usable_from <= datetime.now(UTC)
    assert [(one.key, one.type, one.required) for one in version.fields] == [
        ("source", FieldType.TEXT, True),
        ("note", FieldType.TEXT, False),
        ("sure", FieldType.BOOLEAN, False),
        ("day", FieldType.DATE, False),
        ("answered_at", FieldType.TIMESTAMP, False),
        ("stars", FieldType.INTEGER, False),
        ("score", FieldType.DECIMAL, False),
    ]


def test_tracking_editing_and_hiding_by_the_steps_of_the_article(
    page: Page, pintag: Installation
) -> None:
    pintag.pintag("event", "create", "Coffee", "--category", "signals", "--section", "demo")
    article.go_to(page, "Signals")
    article.web_tracking(page, "Coffee")
    expect(page.locator("#snippet-text")).to_contain_text("coffee")
    assert find(pintag, "coffee").web_tracking
    article.create_3(page)
    article.create_4(page, "Signals")
    article.edit_1(page, "Coffee")
    article.create_7(page, 1, "blend")
    article.edit_3(page)
    said(page, "“Coffee” is saved. Version 2 can be used in")
    edited = find(pintag, "coffee")
    new, old = edited.versions
    assert (old.fields[1].id, old.fields[1].key) == (new.fields[1].id, "subject")
    assert (new.number, new.fields[1].key) == (2, "blend")
    assert new.usable_from - new.created_at == timedelta(hours=1)
    assert edited.locked_until == new.usable_from
    article.edit_1(page, "Coffee")
    expect(page.locator("#f1-key")).to_be_disabled()
    page.go_back()
    article.hide_1(page, "Coffee")
    page.click("text=Cancel")
    assert find(pintag, "coffee").hidden_at is None
    article.hide_1(page, "Coffee")
    article.hide_2(page)
    said(page, "“Coffee” is hidden.")
    expect(page.locator("#event-coffee")).to_have_count(0)
    assert find(pintag, "coffee").hidden_at is not None
