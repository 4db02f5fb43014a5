"""The allowed operations of an event: which identifiers other systems may read and write it by."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import governing
from tracker.actions.refusals import RefusedError
from tracker.pages import found
from tracker.pages.event_form import row_address
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules import allowed_operations
from tracker.rules.accounts import Role
from tracker.rules.allowed_operations import Access, is_allowed
from tracker.rules.keyspaces import Keyspace

RIGHTS = "/sections/{section}/events/{slug}/rights"
SHOWN = (Keyspace.EMAIL, Keyspace.MOBILE, Keyspace.CRM_ID)
"""Behind the envelope, the mobile and the CRM icon. Visitor ids are set on the command line."""


def rights(visit: Visit) -> Response:
    """`…/events/{slug}/rights`: each identifier with what it may be used for."""
    event = found.event(visit)
    allowed = {
        one: {access: is_allowed(event.denied_operations, one, access) for access in Access}
        for one in SHOWN
    }
    return visit.render("event_rights.html", HTTPStatus.OK, event=event, allowed=allowed)


def save(visit: Visit) -> Response:
    """Change what was ticked and what was unticked: somebody else may have changed the rest."""
    event = found.event(visit)
    names = [allowed_operations.name(one, access) for one in SHOWN for access in Access]
    shown = visit.get("denied").split()
    deny = [name for name in names if name not in shown and not visit.get(name)]
    allow = [name for name in names if name in shown and visit.get(name)]
    try:
        with visit.connection.transaction():
            saved = governing.set_operations(visit.connection, event, deny=deny, allow=allow)
            denied = [name for name in names if name in saved.denied_operations]
            subject = f"{event.name}: denied are {', '.join(denied) or 'none'}"
            visit.note("set the allowed operations of", subject)
    except RefusedError as error:
        raise MissingError(str(error)) from None
    said = f"not allowed: {', '.join(denied)}" if denied else "all are allowed"
    return visit.go(
        row_address(visit, event), f"The allowed operations of “{event.name}” are saved: {said}."
    )


PAGES = (
    Page("GET", RIGHTS, Role.EDITOR, rights),
    Page("POST", RIGHTS, Role.EDITOR, save),
)
