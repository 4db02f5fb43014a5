"""Profiles: found by an identifier, shown with their timeline."""

from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import Response

from tracker.actions import timelines
from tracker.actions.timelines import Timeline
from tracker.pages import paths
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules import keyspaces
from tracker.rules.accounts import Role
from tracker.rules.keyspaces import BadKeyError, Identity, Keyspace
from tracker.stores import profiles, sections
from tracker.stores.profiles import Profile
from tracker.stores.timelines import BadCursorError

PAGE = 40
"""Events that are shown at once."""
PROFILE = "/sections/{section}/profiles/{keyspace}/{key:path}"


def search(visit: Visit) -> Response:
    """`…/profiles`: those seen last, and the way to any other by an identifier of any keyspace."""
    keyspace, key, wrong = visit.get("keyspace"), visit.get("key").strip(), ""
    found = _called(visit, keyspace, key) if key else []
    if len({profile.id for _, profile in found}) == 1:
        identity = found[0][0]
        where = f"{quote(identity.keyspace)}/{paths.from_key(identity.key)}"
        said = "" if keyspace else f"Found by its {identity.keyspace} identifier."
        return visit.go(f"{visit.address}/{where}", said)
    if key and not found:
        named = f"the {keyspace} identifier" if keyspace else "the identifier"
        where = "" if keyspace else ", in any keyspace"
        wrong = f"No profile of this section has {named} {key!r}{where}."
    return visit.render(
        "profiles.html",
        keyspaces=[one.value for one in Keyspace],
        keyspace=keyspace,
        key=key,
        wrong=wrong,
        found=[identity for identity, _ in found],
        people=profiles.recent(visit.connection, visit.section.id),
    )


def _called(visit: Visit, keyspace: str, key: str) -> list[tuple[Identity, Profile]]:
    """The profiles that a key names: in a keyspace, or in any where that is ""."""
    found = []
    for one in [keyspace] if keyspace else Keyspace:
        identity = _identity(visit, one, key)
        profile = identity and profiles.find(visit.connection, visit.section.id, *identity)
        if identity and profile:
            found.append((identity, profile))
    return found


def profile_page(visit: Visit) -> Response:
    """One person's identifiers and timeline, and what an owner may do."""
    return shown(visit)


def shown(
    visit: Visit,
    status: int = HTTPStatus.OK,
    typed: str = "",
    wrong: str = "",
    refused: str = "",
) -> Response:
    """The profile; typed and wrong: what was typed to erase it, if that was not its key.

    refused: why it is not exported.
    """
    found = _find(visit)
    if found is None:
        raise nobody(visit)
    profile = _address(visit)
    return visit.render(
        "profile.html",
        status,
        timeline=found,
        profile=profile,
        key=key_of(visit),
        older=_older(profile, found),
        cursor=visit.get("cursor"),
        typed=typed,
        wrong=wrong,
        refused=refused,
    )


def timeline_part(visit: Visit) -> Response:
    """`…/timeline`: only the list, for pages that show it as it grows."""
    found = _find(visit)
    older = _older(_address(visit), found) if found else ""
    return visit.render("timeline.html", events=found.events if found else [], older=older)


def key_of(visit: Visit) -> str:
    """The key in the address, as it was typed or linked."""
    return paths.to_key(visit.path["key"])


def nobody(visit: Visit) -> MissingError:
    """No profile has the identifier in the address."""
    keyspace, key = visit.path["keyspace"], key_of(visit)
    return MissingError(f"No profile of this section has the {keyspace} identifier {key!r}.")


def identity_of(visit: Visit) -> Identity:
    """The identifier in the address. Raises MissingError for what can't be one."""
    identity = _identity(visit, visit.path["keyspace"], key_of(visit))
    if identity is None:
        raise nobody(visit)
    return identity


def _find(visit: Visit) -> Timeline | None:
    identity = _identity(visit, visit.path["keyspace"], key_of(visit))
    if identity is None:
        return None
    try:
        return timelines.show(
            visit.connection,
            visit.section.id,
            *identity,
            cursor=visit.get("cursor") or None,
            limit=PAGE,
        )
    except BadCursorError:
        raise MissingError(
            "This part of the timeline is not there: open the profile again."
        ) from None


def _address(visit: Visit) -> str:
    """The profile's own address."""
    parts = (visit.section.slug, "profiles", visit.path["keyspace"])
    key = paths.from_key(key_of(visit))
    return f"/sections/{'/'.join(quote(part) for part in parts)}/{key}"


def _older(profile: str, timeline: Timeline) -> str:
    """Where the older events are, "" if there are none."""
    cursor = timeline.next_cursor
    return f"{profile}?cursor={quote(cursor)}" if cursor else ""


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
