"""The data model of a section: its custom events, by category."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from tracker.pages.event_form import category_of
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules import edits
from tracker.rules.accounts import Role
from tracker.rules.definitions import Category, current_version
from tracker.rules.moments import in_words
from tracker.stores import definitions
from tracker.stores.definitions import Definition, Version


@dataclass(frozen=True, slots=True)
class Listed:
    """An event in the list; coming: a version that can't be used yet; until: its lock's end."""

    event: Definition
    current: Version
    coming: Version | None
    until: datetime | None
    until_words: str


def custom_events(visit: Visit) -> Response:
    """`…/data-model?category=…`: the events of one category, a tab each."""
    category = category_of(visit)
    found = definitions.visible(visit.connection, visit.section.id)
    return visit.render(
        "data_model.html",
        categories=list(Category),
        category=category,
        counts=Counter(event.category for event in found),
        listed=[_listed(event, visit.now) for event in found if event.category == category],
    )


def _listed(event: Definition, now: datetime) -> Listed:
    newest = event.versions[0]
    until = edits.locked(event.locked_until, now)
    return Listed(
        event=event,
        current=current_version(event.versions, now) or newest,
        coming=newest if newest.usable_from > now else None,
        until=until,
        until_words=in_words(until, now) if until else "",
    )


PAGES = (Page("GET", "/sections/{section}/data-model", Role.VIEWER, custom_events),)
