"""The article about Custom Events as somebody follows it: its numbered steps, in its own words."""

import re

from playwright.sync_api import Page, expect


def create_1(page: Page) -> None:
    """Click the Profile Icon in the top right corner and choose Settings."""
    page.click("header summary")
    page.click("header >> text=Settings")


def create_2(page: Page, section: str = "Demo") -> None:
    """Choose the Section you want to work with."""
    page.click(f"main >> text={section}")


def create_3(page: Page) -> None:
    """Select Data Model in the left menu and go to Custom Events."""
    page.click("nav.side >> text=Data Model")
    expect(page.locator("h1")).to_contain_text("Custom Events")


def create_4(page: Page, category: str) -> None:
    """Choose which Custom Event Category you want to create."""
    page.click(f"nav.tabs >> text={category}")
    expect(page.locator("nav.tabs [aria-current]")).to_contain_text(category)


def create_5(page: Page) -> None:
    """Click the Add New to get started."""
    page.click("text=Add New")


def create_6(page: Page, name: str) -> None:
    """Name the Custom Event."""
    page.fill("#name", name)


def create_7(page: Page, row: int, name: str) -> None:
    """Under Field Name, enter the name of the Data Field."""
    field = page.locator("ol.fields > li").nth(row)
    field.get_by_label("Field Name").fill(name)


def create_8(page: Page, row: int, type: str) -> None:
    """Expand the Field Type drop-down menu and pick which type of value you wish."""
    field = page.locator("ol.fields > li").nth(row)
    field.get_by_label("Field Type").select_option(label=type)


def create_9(page: Page, name: str) -> None:
    """To delete a field, click the X icon on the right of the field."""
    page.click(f"[aria-label='Delete: {name}']")


def create_10(page: Page) -> None:
    """To add more fields, click Add New Field."""
    page.click("text=Add New Field")


def create_11(page: Page) -> None:
    """Remember to Save."""
    page.click(".ends >> text=Save")


def create_12(page: Page, identifier: str, option: str) -> None:
    """Click the envelope, mobile or CRM icon to expand and choose an option."""
    right = page.locator(".right", has=page.get_by_text(identifier, exact=True))
    right.locator("summary svg").click()
    right.get_by_label(option).uncheck()


def create_13(page: Page) -> None:
    """Click Save."""
    page.click(".ends >> text=Save")


def web_tracking(page: Page, event: str) -> None:
    """Once you save a Custom Event you will be able to enable Web Tracking."""
    page.click(f".events >> text={event}")
    page.click("text=Switch on")
    expect(page.locator(".said")).to_contain_text("Web tracking is on")


def edit_1(page: Page, event: str) -> None:
    """Locate the Event, click the three dots in the top right corner, and then the pencil icon."""
    choose(page, event, "Edit")


def edit_3(page: Page) -> None:
    """Edit your Event and remember to Save the changes."""
    page.click(".ends >> text=Save")
    locked = re.compile(r"locked until .*\(in \d+ minutes\)")
    expect(page.locator(".events > li:target")).to_contain_text(locked)


def hide_1(page: Page, event: str) -> None:
    """Locate the Custom Event you wish to hide and click the eye icon."""
    choose(page, event, "Hide")


def hide_2(page: Page) -> None:
    """Are you sure you want to proceed? This action cannot be undone. Click Hide to confirm."""
    words = "Are you sure you want to proceed? This action cannot be undone."
    expect(page.locator("main")).to_contain_text(words)
    page.click("button:text('Hide')")


def go_to(page: Page, category: str) -> None:
    """Steps 1 to 4: the way to the events of a category."""
    create_1(page)
    create_2(page)
    create_3(page)
    create_4(page, category)


def choose(page: Page, event: str, what: str) -> None:
    """One of the three dots' menu of an event; each stands beside its icon."""
    page.click(f"summary[aria-label='More about {event}']")
    page.locator(".dots[open] a", has_text=what).locator("svg").click()
