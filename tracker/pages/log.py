"""The audit log: who did what, in a section or in the whole installation."""

from urllib.parse import urlencode

from starlette.responses import Response

from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role
from tracker.stores import audit_log

SHOWN = 50
"""Entries that are shown at once."""


def of_section(visit: Visit) -> Response:
    """`…/log`: what was done in the section."""
    return _log(visit, visit.section.id)


def of_all(visit: Visit) -> Response:
    """`/settings/log`: what was done anywhere, and who signed in."""
    return _log(visit, None)


def _log(visit: Visit, section_id: int | None) -> Response:
    people = audit_log.accounts(visit.connection, section_id)
    account = visit.get("account") if visit.get("account") in people else ""
    before = visit.get("before")
    found = audit_log.newest(
        visit.connection,
        section_id,
        account=account,
        before=int(before)
        if before.isascii() and before.isdecimal() and len(before) < 19
        else None,
        limit=SHOWN + 1,
    )
    older = ""
    if len(found) > SHOWN:
        chosen = {"account": account} if account else {}
        older = f"{visit.address}?{urlencode({**chosen, 'before': found[SHOWN - 1].id})}"
    return visit.render(
        "log.html",
        entries=found[:SHOWN],
        older=older,
        people=people,
        chosen=account,
        before=before,
    )


PAGES = (
    Page("GET", "/sections/{section}/log", Role.OWNER, of_section),
    Page("GET", "/settings/log", Role.OWNER, of_all, everywhere=True),
)
