"""A new account, from the owner's page to the new person's own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.whole.installation import PASSWORD, Installation
from tests.whole.test_event_page import copied

pytestmark = pytest.mark.slow


@pytest.fixture
def pages(browser: Browser) -> Iterator[tuple[Page, Page]]:
    """The owner's browser and somebody else's."""
    owner = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    other = browser.new_context()
    for context in (owner, other):
        context.set_default_timeout(60_000)
    yield owner.new_page(), other.new_page()
    owner.close()
    other.close()


def test_from_the_owner_s_page_to_the_new_person_s(
    pages: tuple[Page, Page], pintag: Installation
) -> None:
    pintag.pintag("section", "create", "Lighthouse")
    owner, ann = pages
    pintag.sign_in(owner)
    owner.locator(".menu summary").click()
    owner.get_by_role("link", name="Settings", exact=True).click()
    owner.get_by_role("link", name="Accounts", exact=True).click()
    owner.get_by_text("Add an account").click()
    owner.get_by_label("Name", exact=True).fill("Ann")
    owner.locator("select[name=role]").select_option("editor")
    owner.locator("select[name=section]").select_option(label="Lighthouse")
    owner.get_by_role("button", name="Add", exact=True).click()
    expect(owner.get_by_text("Send this link to Ann.")).to_be_visible()

    ann.goto(copied(owner, "link"))
    ann.get_by_label("Password").fill(PASSWORD)
    ann.get_by_role("button", name="Sign in").click()
    expect(ann.locator("main .rows li")).to_have_count(1)
    expect(ann.locator("main .rows li")).to_contain_text("Lighthouse")
    assert "demo" not in ann.inner_text("main").lower()
    ann.goto(f"{pintag.web}/sections/demo/data-model")
    expect(ann.locator("main")).to_contain_text("There is no section 'demo' that you may see.")
    ann.goto(f"{pintag.web}/settings/accounts")
    expect(ann.locator("main")).to_contain_text("an owner of all sections")

    owner.goto(f"{pintag.web}/settings/log")
    expect(owner.locator(".log li").nth(0)).to_contain_text("Ann")
    expect(owner.locator(".log li").nth(0)).to_contain_text("chose a password")
    expect(owner.locator(".log li").nth(1)).to_contain_text("made the account Ann: editor of")
    owner.goto(f"{pintag.web}/settings/accounts")
    owner.get_by_role("link", name="Ann").click()
    owner.get_by_text("Shut out…").click()
    owner.get_by_role("button", name="Shut out").click()
    expect(owner.get_by_text("Ann can't sign in any more.")).to_be_visible()
    ann.reload()
    expect(ann.get_by_role("heading", name="Sign in")).to_be_visible()
