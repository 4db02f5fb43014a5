"""Profiles: found by an identifier, shown with their timeline."""

from urllib.parse import quote

from starlette.responses import Response

from tracker.actions import timelines
from tracker.actions.timelines import Timeline
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules import keyspaces
from tracker.rules.accounts import Role
from tracker.rules.keyspaces import BadKeyError, Identity, Keyspace
from tracker.stores import profiles, sections

PROFILE = "/sections/{section}/profiles/{keyspace}/{key:path}"


def search(visit: Visit) -> Response:
    """`…/profiles`: those seen last, and the way to any other by an identifier."""
    keyspace, key, wrong = visit.get("keyspace", Keyspace.EMAIL), visit.get("key").strip(), ""
    if key:
        identity = _identity(visit, keyspace, key)
        if identity and timelines.show(visit.connection, visit.section.id, *identity):
            where = f"{quote(identity.keyspace)}/{quote(identity.key)}"
            return visit.go(f"{visit.address}/{where}")
        wrong = f"No profile of this section has the {keyspace} {key!r}."
    return visit.render(
        "profiles.html",
        keyspaces=[one.value for one in Keyspace],
        keyspace=keyspace,
        key=key,
        wrong=wrong,
        people=profiles.recent(visit.connection, visit.section.id),
    )


def profile_page(visit: Visit) -> Response:
    """One person's timeline."""
    found = _find(visit)
    if found is None:
        path = visit.path
        raise MissingError(f"No profile has the {path['keyspace']} {path['key']!r} yet.")
    return visit.render("profile.html", timeline=found)


def timeline_part(visit: Visit) -> Response:
    """`…/timeline`: only the list, for pages that show it as it grows."""
    found = _find(visit)
    return visit.render("timeline.html", events=found.events if found else [])


def _find(visit: Visit) -> Timeline | None:
    identity = _identity(visit, visit.path["keyspace"], visit.path["key"])
    return identity and timelines.show(visit.connection, visit.section.id, *identity)


def _identity(visit: Visit, keyspace: str, key: str) -> Identity | None:
    """The identifier that an address names, in the spelling that it is kept in."""
    found = keyspaces.find(keyspace, sections.installation(visit.connection).prefix)
    if found is None:
        return None
    try:
        return keyspaces.identity(found, key)
    except BadKeyError:
        return None


PAGES = (
    Page("GET", "/sections/{section}/profiles", Role.VIEWER, search),
    Page("GET", PROFILE + "/timeline", Role.VIEWER, timeline_part),
    Page("GET", PROFILE, Role.VIEWER, profile_page),
)
