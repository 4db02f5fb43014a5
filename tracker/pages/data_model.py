"""The data model of a section: its custom events, by category."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import Response

from tracker.pages import charts
from tracker.pages.event_form import category_of
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules import edits
from tracker.rules.accounts import Role
from tracker.rules.charts import Spark
from tracker.rules.definitions import Category, current_version
from tracker.rules.moments import in_words
from tracker.stores import definitions
from tracker.stores.definitions import Definition, Version

SHOWN = 200
"""Events that are shown at once."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An event in the list; coming: a version that can't be used yet; until: its lock's end."""

    event: Definition
    current: Version
    coming: Version | None
    until: datetime | None
    until_words: str
    spark: Spark


def custom_events(visit: Visit) -> Response:
    """`…/data-model?category=…&after=…`: the events of one category, a tab each, by name."""
    category, after = category_of(visit), visit.get("after").replace("\0", "")
    found = definitions.named_after(
        visit.connection, visit.section.id, category, after, limit=SHOWN + 1
    )
    sparks = charts.sparks(visit.connection, found[:SHOWN], visit.now)
    further = {"category": category.value, "after": found[SHOWN - 1].name} if found[SHOWN:] else {}
    return visit.render(
        "data_model.html",
        categories=list(Category),
        category=category,
        counts=definitions.numbers(visit.connection, visit.section.id),
        listed=[_listed(event, visit.now, sparks[event.id]) for event in found[:SHOWN]],
        after=after,
        further=urlencode(further),
    )


def _listed(event: Definition, now: datetime, spark: Spark) -> Listed:
    newest = event.versions[0]
    until = edits.locked(event.locked_until, now)
    return Listed(
        event=event,
        current=current_version(event.versions, now) or newest,
        coming=newest if newest.usable_from > now else None,
        until=until,
        until_words=in_words(until, now) if until else "",
        spark=spark,
    )


PAGES = (Page("GET", "/sections/{section}/data-model", Role.VIEWER, custom_events),)
