"""The first pages: sections, one more of them, and the way to their settings."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from starlette.responses import Response

from tracker.actions import demo, section_settings
from tracker.actions.refusals import InvalidDraftError
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role, role_in
from tracker.stores import definitions, sections


def home(visit: Visit) -> Response:
    """`/`: the sections that one may see; owners of all make new ones."""
    return _home(visit)


def create_section(visit: Visit) -> Response:
    """Make a section, and go there."""
    name, origins = visit.get("name"), visit.get("origins")
    try:
        with visit.connection.transaction():
            slug = section_settings.create(visit.connection, name, origins.split())
            section_id = sections.choose(visit.connection, slug).id
            visit.note("made the section", name.strip(), section_id)
    except InvalidDraftError as error:
        wrong = {one.field.partition("[")[0]: one.message for one in reversed(error.errors)}
        return _home(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong, name, origins)
    return visit.go(f"/sections/{quote(slug)}/data-model", f"The section {name.strip()} is made.")


def _home(
    visit: Visit,
    status: int = HTTPStatus.OK,
    wrong: Mapping[str, str] = MappingProxyType({}),
    name: str = "",
    origins: str = "",
) -> Response:
    return visit.render(
        "home.html",
        status,
        sections=visit.sections(),
        numbers=definitions.numbers_of_sections(visit.connection),
        demo=demo.SECTION,
        wrong=wrong,
        typed={"name": name, "origins": origins},
    )


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
    Page("POST", "/", Role.OWNER, create_section, everywhere=True),
    Page("GET", "/settings", Role.VIEWER, settings),
    Page("GET", "/sections/{section}", Role.VIEWER, section),
    Page("GET", "/sections/{section}/settings", Role.VIEWER, section_rules),
)
