"""API clients of all sections, for those who own all: made, given new secrets, revoked."""

from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

from starlette.responses import Response

from tracker.actions import clients as changing
from tracker.actions.clients import MadeClient
from tracker.actions.refusals import RefusedError
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import Role
from tracker.rules.clients import Scope
from tracker.rules.keyspaces import Keyspace
from tracker.stores import clients, sections
from tracker.stores.clients import ApiClient

ROOT = "/settings/clients"
ONE = ROOT + "/{client}"
Closed = TypeVar("Closed", bound=StrEnum)


def listed(visit: Visit) -> Response:
    """`/settings/clients`: every section's clients, and a form for one more."""
    return _page(visit)


def create(visit: Visit) -> Response:
    """Make a client; its secret is shown this once."""
    every = sections.every(visit.connection)
    section = next((one for one in every if one.slug == visit.get("section")), None)
    if section is None:
        raise MissingError("There is no such section.")
    try:
        with visit.connection.transaction():
            made = changing.create(
                visit.connection,
                section.id,
                visit.get("name"),
                visit.now,
                scopes=_ticked(visit, "scope", Scope),
                keyspaces=_ticked(visit, "keyspace", Keyspace),
            )
            visit.note("made the API client", made.client.name, section.id)
    except RefusedError as error:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=str(error))
    return _page(visit, made=made)


def renew_secret(visit: Visit) -> Response:
    """Give a client a new secret, which is shown this once; the one before ends."""
    client = _client(visit)
    with visit.connection.transaction():
        made = changing.renew_secret(visit.connection, client)
        visit.note("gave a new secret to the API client", client.name, client.section_id)
    return _page(visit, made=made)


def revoke(visit: Visit) -> Response:
    """Shut a client out for good."""
    client = _client(visit)
    with visit.connection.transaction():
        clients.revoke(visit.connection, client.section_id, client.public_id, visit.now)
        visit.note("revoked the API client", client.name, client.section_id)
    return visit.go(ROOT, f"{client.name} is revoked: its secret and its tokens are refused.")


def _client(visit: Visit) -> ApiClient:
    wanted = visit.path["client"]
    found = clients.find(visit.connection, wanted) if wanted.isprintable() else None
    if found is None:
        raise MissingError(f"There is no API client {wanted!r}, or it was revoked.")
    return found


def _ticked(visit: Visit, name: str, kind: type[Closed]) -> list[Closed]:
    return [one for one in kind if one in visit.form.get(name, ())]


def _page(
    visit: Visit, status: int = HTTPStatus.OK, wrong: str = "", made: MadeClient | None = None
) -> Response:
    every = sections.every(visit.connection)
    return visit.render(
        "clients.html",
        status,
        sections=every,
        listed={one.slug: clients.every(visit.connection, one.id) for one in every},
        scopes=list(Scope),
        keyspaces=list(Keyspace),
        few=_few,
        typed={
            "name": visit.get("name") if wrong else "",
            "section": visit.get("section"),
            "scope": visit.form.get("scope", ()) if wrong else list(Scope),
            "keyspace": visit.form.get("keyspace", ()) if wrong else list(Keyspace),
        },
        wrong=wrong,
        made=made,
    )


def _few(chosen: Iterable[str], kind: Iterable[str]) -> str:
    return "all" if set(chosen) >= set(kind) else ", ".join(chosen) or "none"


PAGES = (
    Page("GET", ROOT, Role.OWNER, listed, everywhere=True),
    Page("POST", ROOT, Role.OWNER, create, everywhere=True),
    Page("POST", ONE + "/secret", Role.OWNER, renew_secret, everywhere=True),
    Page("POST", ONE + "/revoke", Role.OWNER, revoke, everywhere=True),
)
