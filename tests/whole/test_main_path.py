"""Two pasted snippets in a real browser, and every hit on the right profile exactly once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from playwright.sync_api import Browser, Error, Page

from tests.embedded.waiting import until
from tests.whole.installation import Installation
from tests.whole.site import website

NOTHING_WAITS = "!Object.keys(localStorage).some((key) => key.startsWith('pintag.h.'))"


@pytest.fixture(params=["inline", "hosted"])
def page(request: pytest.FixtureRequest, browser: Browser, pintag: Installation) -> Iterator[Page]:
    """A visitor on a website that carries the snippets of two events."""
    forms = (request.param, "event")
    snippets = "\n".join(
        pintag.pintag("snippet", "show", slug, "--form", form)
        for slug, form in zip(("booking", "poll-vote"), forms, strict=True)
    )
    with website(snippets) as site:
        context = browser.new_context()
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(site)
        yield page
        context.close()


def stored(pintag: Installation, page: Page) -> Counter[str]:
    """The numbers of the hits on the visitor's profile, each with how often it is there."""
    visitor = page.evaluate("localStorage.getItem('pintag.v')")
    with pintag.database() as connection:
        return numbers(connection, visitor)


def numbers(connection: psycopg.Connection, visitor: str) -> Counter[str]:
    rows = connection.execute(
        "SELECT coalesce(e.data->>'reference', e.data->>'subject') FROM event e"
        " JOIN identifier i ON i.id = e.identifier_id WHERE i.keyspace = 'web' AND i.key = %s",
        (visitor,),
    )
    return Counter(number for (number,) in rows)


def assert_all_stored_once(pintag: Installation, page: Page) -> None:
    page.wait_for_function(NOTHING_WAITS)
    made = int(page.evaluate("localStorage.getItem('made')"))
    expected = Counter(f"N{number}" for number in range(1, made + 1))
    until(lambda: stored(pintag, page).total() >= made, "every hit is on the profile")
    assert stored(pintag, page) == expected
    assert pintag.audit().problems == []


def test_clicks(pintag: Installation, page: Page) -> None:
    for _ in range(5):
        page.click("#book")
        page.click("#vote")
    assert_all_stored_once(pintag, page)


@pytest.mark.slow
def test_leaving_in_the_middle_of_a_send(pintag: Installation, page: Page) -> None:
    for _ in range(5):
        page.click("#book")
        page.click("#leave")
        page.wait_for_load_state()
    assert_all_stored_once(pintag, page)


@pytest.mark.slow
def test_leaving_while_answers_are_cut_off(pintag: Installation, page: Page) -> None:
    def take_but_do_not_answer(route: object) -> None:
        with suppress(Error):
            route.fetch()  # type: ignore[attr-defined]
        with suppress(Error):
            route.abort()  # type: ignore[attr-defined]

    page.context.route("**/v1/**", take_but_do_not_answer)
    page.click("#book")
    page.click("#leave")
    page.wait_for_load_state()
    page.context.unroute("**/v1/**")
    page.reload()
    assert_all_stored_once(pintag, page)


@pytest.mark.slow
def test_offline_and_back(pintag: Installation, page: Page) -> None:
    page.click("#book")
    page.context.set_offline(True)
    for _ in range(3):
        page.click("#book")
        page.click("#vote")
    assert not page.evaluate(NOTHING_WAITS)
    page.context.set_offline(False)
    assert_all_stored_once(pintag, page)


@pytest.mark.slow
def test_the_collector_dies_and_comes_back(pintag: Installation, page: Page) -> None:
    page.click("#book")
    pintag.kill("collector")
    page.click("#vote")
    page.click("#leave")
    page.wait_for_load_state()
    assert_all_stored_once(pintag, page)
