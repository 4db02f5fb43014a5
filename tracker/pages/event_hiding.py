"""Hiding an event, for good: asked once more before it is done."""

import redis
from starlette.responses import Response

from tracker.actions import hiding
from tracker.pages import found
from tracker.pages.event_form import row_address
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role

HIDE = "/sections/{section}/events/{slug}/hide"


def ask(visit: Visit) -> Response:
    """`…/events/{slug}/hide`: what the eye icon leads to."""
    event = found.event(visit)
    return visit.render("event_hide.html", event=event, back=row_address(visit, event))


def hide(visit: Visit) -> Response:
    """Hide it; it is gone from all pages."""
    event = found.event(visit)
    said = f"“{event.name}” is hidden. Its events stay where they are; its snippets are refused."
    try:
        hiding.hide(
            visit.connection,
            visit.redis,
            event,
            now=visit.now,
            note=lambda: visit.note("hid the event", event.name),
        )
    except redis.RedisError:
        said = f"“{event.name}” is hidden. Collectors hear of it as soon as Redis is back."
    return visit.go(row_address(visit, event).partition("#")[0], said)


PAGES = (
    Page("GET", HIDE, Role.OWNER, ask),
    Page("POST", HIDE, Role.OWNER, hide),
)
