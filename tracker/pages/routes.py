"""The plain pages: what there is, a demo page with pasted snippets, and a profile's timeline."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tracker.actions import demo, timelines
from tracker.actions.timelines import Timeline
from tracker.rules import keyspaces
from tracker.rules.definitions import Category
from tracker.rules.keyspaces import BadKeyError, Identity
from tracker.settings import Settings
from tracker.snippets import forms, tracking
from tracker.snippets.forms import FormName
from tracker.stores import definitions, profiles, sections
from tracker.stores.sections import Section

HERE = Path(__file__).parent
DEMO_FORMS = {
    "booking": FormName.INLINE,
    "loyalty-tier": FormName.EVENT,
    "poll-vote": FormName.HOSTED,
}

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, status: int = 200, **values: object) -> Response:
    """A rendered template."""
    html = _templates.get_template(name).render(**values)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(html, status, headers=headers)


def home(request: Request) -> Response:
    """`/`: the sections, their events, and the people seen last."""
    with request.app.state.pool.connection() as connection:
        shown = [
            {
                "section": section,
                "events": definitions.visible(connection, section.id),
                "people": profiles.recent(connection, section.id),
            }
            for section in sections.every(connection)
        ]
    return page("home.html", sections=shown, categories=list(Category), demo=demo.SECTION)


def demo_page(request: Request) -> Response:
    """`/demo`: a website of its own, as far as the snippets can tell."""
    settings: Settings = request.app.state.settings
    with request.app.state.pool.connection() as connection:
        section = _section(connection, demo.SECTION)
        if section is None:
            return _missing("There is no demo section: start `pintag up` without --no-demo.")
        snippets = _demo_snippets(connection, section, settings)
    return page("demo.html", section=section.slug, snippets=snippets)


def _demo_snippets(
    connection: psycopg.Connection, section: Section, settings: Settings
) -> dict[str, Markup]:
    now = datetime.now(UTC)
    snippets = {}
    for slug, form in DEMO_FORMS.items():
        definition = definitions.find(connection, section.id, slug)
        if definition and definition.web_tracking and definition.hidden_at is None:
            config = tracking.snippet_config(connection, settings, definition, now)
            # Made by forms, which let nothing out of its place: the one trusted HTML here.
            snippets[slug] = Markup(forms.render(config, form).text)  # noqa: S704
    return snippets


def profile_page(request: Request) -> Response:
    """`/sections/{section}/profiles/{keyspace}/{key}`: one person's timeline."""
    section, found = _find_profile(request)
    if section is None or found is None:
        params = request.path_params
        return _missing(f"No profile has the {params['keyspace']} {params['key']!r} yet.")
    return page("profile.html", section=section, timeline=found)


def timeline_part(request: Request) -> Response:
    """`…/timeline`: only the list, for pages that show it as it grows."""
    _, found = _find_profile(request)
    return page("timeline.html", events=found.events if found else [])


def _find_profile(request: Request) -> tuple[Section | None, Timeline | None]:
    params = request.path_params
    with request.app.state.pool.connection() as connection:
        section = _section(connection, params["section"])
        if section is None:
            return None, None
        identity = _identity(connection, params["keyspace"], params["key"])
        return section, identity and timelines.show(connection, section.id, *identity)


def _identity(connection: psycopg.Connection, keyspace: str, key: str) -> Identity | None:
    """The identifier that an address names, in the spelling that it is kept in."""
    found = keyspaces.find(keyspace, sections.installation(connection).prefix)
    if found is None:
        return None
    try:
        return keyspaces.identity(found, key)
    except BadKeyError:
        return None


def _section(connection: psycopg.Connection, slug: str) -> Section | None:
    return next((s for s in sections.every(connection) if s.slug == slug), None)


def _missing(message: str) -> Response:
    return page("missing.html", HTTPStatus.NOT_FOUND, message=message)


_PROFILE = "/sections/{section}/profiles/{keyspace}/{key:path}"
ROUTES = [
    Route("/", home),
    Route("/demo", demo_page),
    Route(_PROFILE + "/timeline", timeline_part),
    Route(_PROFILE, profile_page),
    Mount("/static", StaticFiles(directory=HERE / "static")),
]
