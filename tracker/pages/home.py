"""The first pages: sections, and the way to their settings."""

from starlette.responses import Response

from tracker.actions import demo, section_settings
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role, role_in


def home(visit: Visit) -> Response:
    """`/`: the sections that one may see."""
    return visit.render("home.html", sections=visit.sections(), demo=demo.SECTION)


def settings(visit: Visit) -> Response:
    """`/settings`, behind the account's icon: which section to work with."""
    shown = visit.sections()
    roles = {one.id: role_in(visit.who.roles, one.id) for one in shown}
    return visit.render("settings.html", sections=shown, roles=roles)


def section(visit: Visit) -> Response:
    """`/sections/{section}`: on to its custom events."""
    return visit.go(f"{visit.address}/data-model")


def section_rules(visit: Visit) -> Response:
    """`/sections/{section}/settings`: its rules."""
    return visit.render("section.html", rules=section_settings.told(visit.section).items())


PAGES = (
    Page("GET", "/", Role.VIEWER, home),
    Page("GET", "/settings", Role.VIEWER, settings),
    Page("GET", "/sections/{section}", Role.VIEWER, section),
    Page("GET", "/sections/{section}/settings", Role.VIEWER, section_rules),
)
