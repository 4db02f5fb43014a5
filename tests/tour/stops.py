"""The stops of the tour: for each page that is declared, what is looked at there."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Page as Tab

from tests.tour.life import Life, Values
from tracker.pages.page import Page
from tracker.pages.routes import PAGES


@dataclass(frozen=True)
class Stop:
    """A page in one of its states; id: which of the things that have ids it is about.

    of: whose it is; then: what is done there before it is looked at; status: of its answer; covers:
    a menu is open there, over other buttons.
    """

    name: str
    query: str = ""
    id: str = ""
    of: str = "shop"
    stranger: bool = False
    then: Callable[[Tab], object] | None = None
    status: int = 200
    covers: bool = False

    def address(self, path: str, values: Values) -> str:
        """The page's address, of a section's things."""
        known = {**values, "id": values.get(self.id, "")}
        return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: known[m[1]], path) + self.query


def click(selector: str) -> Callable[[Tab], object]:
    """Click it, whether that leads elsewhere or not."""

    def act(tab: Tab) -> None:
        tab.click(selector)
        tab.wait_for_load_state()

    return act


def _wrong_password(tab: Tab) -> None:
    tab.fill("[name=name]", "Astrid")
    tab.fill("[name=password]", "wrong")
    click("main button")(tab)


def _wrong_old_password(tab: Tab) -> None:
    tab.fill("[name=old]", "not this one")
    tab.fill("[name=new]", "short as it is")
    click(".narrow button")(tab)


def _wrong_event(tab: Tab) -> None:
    tab.fill("[name=name]", "Order placed")
    tab.click("text=Add New Field")
    tab.keyboard.type("1st")
    click(".ends button")(tab)


def _ask_to_erase(tab: Tab) -> None:
    tab.click("text=Erase…")
    tab.fill("[name=typed]", "somebody else")
    click("text=Erase for good")(tab)


def _live(tab: Tab) -> None:
    tab.get_by_text("Live: hits show up as they come.").wait_for()


_PART = "a part of another page, which has it"
_EVENTS = "/sections/{section}/events/{slug}"
STOPS: dict[str, tuple[Stop, ...] | str] = {
    "/sign-in": (
        Stop("sign-in", stranger=True),
        Stop("sign-in-wrong", stranger=True, then=_wrong_password, status=403),
    ),
    "/welcome/{token}": (Stop("welcome", stranger=True),),
    "/": (Stop("sections"),),
    "/settings": (Stop("settings"), Stop("menu", then=click("header summary"))),
    "/settings/log": (Stop("log"),),
    "/settings/password": (
        Stop("password"),
        Stop("password-wrong", then=_wrong_old_password, status=403),
    ),
    "/settings/accounts": (
        Stop("accounts"),
        Stop("accounts-adding", then=click("summary:has-text('Add an account')")),
    ),
    "/settings/accounts/{id}": (
        Stop("account", id="account"),
        Stop("account-link", id="account", then=click("text=Make a new link")),
    ),
    "/operations": (Stop("operations"),),
    "/settings/clients": (
        Stop("clients"),
        Stop("clients-adding", then=click("summary:has-text('Add a client')")),
    ),
    "/sections/{section}/rules": (Stop("section-rules"),),
    "/quarantine": (Stop("lost-quarantine"),),
    "/quarantine/{id}": (Stop("lost-hit", id="lost-hit"),),
    "/jobs/{id}": (Stop("lost-trial", id="lost-trial"),),
    "/sections/{section}/people": (Stop("people"),),
    "/sections/{section}/log": (Stop("section-log"),),
    "/demo": (Stop("demo"),),
    "/sections/{section}": (Stop("section"),),
    "/sections/{section}/settings": (Stop("section-settings"),),
    "/sections/{section}/data-model": (
        Stop("data-model"),
        Stop("data-model-conversions", "?category=conversions"),
        Stop("data-model-signals", "?category=signals"),
        Stop("data-model-dots", then=click(".dots summary"), covers=True),
        Stop("data-model-new", of="new"),
    ),
    "/sections/{section}/events/new": (
        Stop("event-new", "?category=transactions"),
        Stop("event-new-wrong", "?category=transactions", then=_wrong_event, status=422),
    ),
    f"{_EVENTS}/edit": (Stop("event-edit"),),
    f"{_EVENTS}/rights": (Stop("event-rights"),),
    f"{_EVENTS}/hide": (Stop("event-hide"),),
    _EVENTS: (
        Stop("event"),
        Stop("event-numbers", "?by=version&numbers=1"),
        Stop("event-attributes", "?attributes=1&nonce=abc"),
        Stop("event-module", "?form=module&versions=all&look=further"),
        Stop("event-past-trials", "?after=0-0"),
    ),
    f"{_EVENTS}/trials": _PART,
    "/sections/{section}/live": (
        Stop("live", then=_live),
        Stop("live-quarantined", "?outcome=quarantined", then=_live),
        Stop("live-new", of="new", then=_live),
    ),
    "/sections/{section}/live/hits": _PART,
    "/sections/{section}/quarantine": (
        Stop("quarantine"),
        Stop("quarantine-discard", then=click("text=Discard…")),
        Stop("quarantine-new", of="new"),
    ),
    "/sections/{section}/quarantine/{id}": (Stop("hit", id="hit"),),
    "/sections/{section}/jobs/{id}": (
        Stop("job-trial", id="trial"),
        Stop("job-replay", id="replay"),
        Stop("job-export", id="export"),
        Stop("job-erasure", id="erasure"),
    ),
    "/sections/{section}/exports/{id}": "a download",
    "/sections/{section}/profiles": (
        Stop("profiles"),
        Stop("profiles-nobody", "?keyspace=email&key=nobody%40example.com"),
        Stop("profiles-new", of="new"),
    ),
    "/sections/{section}/profiles/{keyspace}/{key:path}/timeline": _PART,
    "/sections/{section}/profiles/{keyspace}/{key:path}": (
        Stop("profile"),
        Stop("profile-erase", then=_ask_to_erase, status=422),
    ),
}
"""By path: where to stop, or why there is no page to look at."""


def missing() -> list[str]:
    """Pages that are declared and have no stop, and stops of pages that are not there."""
    declared = {page.path for page in PAGES if page.method == "GET"}
    return sorted(declared ^ STOPS.keys())


def every() -> Iterator[tuple[Page, Stop]]:
    """All stops, each with its page."""
    for page in PAGES:
        stops = STOPS.get(page.path, ())
        if page.method == "GET" and not isinstance(stops, str):
            yield from ((page, stop) for stop in stops)


def address(life: Life, page: Page, stop: Stop, of: str = "") -> str:
    """Where a stop is, in this installation; of: in another section than its own."""
    return life.pintag.web + stop.address(page.path, getattr(life, of or stop.of))
