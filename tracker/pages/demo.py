"""`/demo`: a website of its own, as far as its pasted snippets can tell."""

import secrets
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.responses import Response

from tracker.actions import demo
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import Role
from tracker.snippets import forms, tracking
from tracker.snippets.forms import FormName
from tracker.stores import definitions

FORMS = {
    "booking": FormName.INLINE,
    "loyalty-tier": FormName.EVENT,
    "poll-vote": FormName.HOSTED,
}


def demo_page(visit: Visit) -> Response:
    """The demo section's snippets, under the strict policy that `snippet show` prints for them."""
    section = next((one for one in visit.sections() if one.slug == demo.SECTION), None)
    if section is None:
        raise MissingError("There is no demo section: start `pintag up` without --no-demo.")
    nonce = secrets.token_urlsafe(12)
    collector = urlsplit(visit.settings.public_collector_url)
    sources = {
        "script-src": f"'nonce-{nonce}'",
        "connect-src": f"{collector.scheme}://{collector.netloc}",
    }
    snippets = _snippets(visit, section.id, nonce)
    return visit.render("demo.html", sources=sources, shown=section.slug, snippets=snippets)


def _snippets(visit: Visit, section_id: int, nonce: str) -> dict[str, Markup]:
    found = {}
    for slug, form in FORMS.items():
        definition = definitions.by_slug(visit.connection, section_id, slug)
        if definition and definition.web_tracking and definition.hidden_at is None:
            config = tracking.snippet_config(
                visit.connection, visit.settings, definition, visit.now, nonce=nonce
            )
            # Made by forms, which let nothing out of its place: the one trusted HTML here.
            found[slug] = Markup(forms.render(config, form).text)  # noqa: S704
    return found


PAGES = (Page("GET", "/demo", Role.VIEWER, demo_page),)
