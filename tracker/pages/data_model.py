"""The data model of a section: its custom events, by category."""

from collections import Counter

from starlette.responses import Response

from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role
from tracker.rules.definitions import Category
from tracker.stores import definitions


def custom_events(visit: Visit) -> Response:
    """`…/data-model?category=…`: the events of one category, a tab each."""
    wanted = visit.get("category")
    category = next((one for one in Category if one == wanted), Category.TRANSACTIONS)
    found = definitions.visible(visit.connection, visit.section.id)
    return visit.render(
        "data_model.html",
        categories=list(Category),
        category=category,
        counts=Counter(event.category for event in found),
        events=[event for event in found if event.category == category],
    )


PAGES = (Page("GET", "/sections/{section}/data-model", Role.VIEWER, custom_events),)
