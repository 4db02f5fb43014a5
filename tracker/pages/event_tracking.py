"""The switch of an event's web tracking; off is asked for once more."""

from collections.abc import Callable

import redis
from starlette.responses import Response

from tracker.pages import event, found
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import Role
from tracker.rules.definitions import current_version
from tracker.snippets import tracking
from tracker.snippets.tracking import TrackingError
from tracker.stores.definitions import Definition

_LATER = "Collectors hear of it as soon as Redis is back."


def switch(visit: Visit) -> Response:
    """`…/tracking`: web tracking `to` on, or `sure` off, whatever it is now."""
    definition = found.event(visit)
    to = visit.get("to")
    if to == "on":
        return _on(visit, definition)
    if to != "off":
        raise MissingError("Web tracking can be switched on or off.")
    if not visit.get("sure"):
        return event.shown(visit, definition, unsure=True)
    said = "Web tracking is off: the collector answers 410 to its snippets, also pasted ones."
    note = _noted(visit, definition, "off")
    try:
        tracking.switch_off(visit.connection, visit.redis, definition, note)
    except redis.RedisError:
        said = f"Web tracking is off. {_LATER}"
    return visit.go(event.address(visit, definition), said)


def _on(visit: Visit, definition: Definition) -> Response:
    version = current_version(definition.versions, visit.now)
    number = version.number if version else 1
    said = f"Web tracking is on: the snippet of version {number} is below, ready to paste."
    note = _noted(visit, definition, "on")
    try:
        tracking.switch_on(visit.connection, visit.redis, definition, visit.now, note)
    except TrackingError as error:
        raise MissingError(str(error)) from None
    except redis.RedisError:
        said = f"Web tracking is on. {_LATER}"
    return visit.go(f"{event.address(visit, definition)}#snippet", said)


def _noted(visit: Visit, definition: Definition, to: str) -> Callable[[], None]:
    return lambda: visit.note(f"switched {to} web tracking of", definition.name)


PAGES = (Page("POST", event.EVENT + "/tracking", Role.EDITOR, switch),)
