"""Accounts of people, for those who own all sections: who may sign in, and what they may do."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import accounts as changing
from tracker.actions.refusals import RefusedError
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import AccountError, Role
from tracker.stores import accounts, sections
from tracker.stores.accounts import Account

ROOT = "/settings/accounts"
ONE = ROOT + "/{id}"
LARGEST_ID = 2**63 - 1


def listed(visit: Visit) -> Response:
    """`/settings/accounts`: everybody, and a form for one more."""
    return _list(visit)


def create(visit: Visit) -> Response:
    """Make an account; its page shows the link to its password, this once."""
    try:
        role, section_id = _role(visit) or Role.VIEWER, _section_id(visit)
        with visit.connection.transaction():
            made = changing.create(visit.connection, visit.get("name"), role, section_id, visit.now)
            visit.note("made the account", _given(visit, made, role), section_id)
            token = changing.invite(visit.connection, made, visit.now)
    except (AccountError, RefusedError) as error:
        return _list(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=str(error))
    return _one(visit, made, link=f"{visit.origin}/welcome/{token}")


def _list(visit: Visit, status: int = HTTPStatus.OK, wrong: str = "") -> Response:
    return visit.render(
        "accounts.html",
        status,
        listed=accounts.every(visit.connection),
        last_used=accounts.last_used(visit.connection),
        names=_names(visit),
        all_roles=list(Role),
        wrong=wrong,
        typed={name: visit.get(name) for name in ("name", "role", "section")},
    )


def one(visit: Visit) -> Response:
    """`/settings/accounts/<id>`: an account, and what can be changed of it."""
    return _one(visit, _account(visit))


def set_role(visit: Visit) -> Response:
    """Give a role in a section or in all, or take it away."""
    account, role, section_id = _account(visit), _role(visit), _section_id(visit)
    try:
        with visit.connection.transaction():
            changing.set_role(visit.connection, account, section_id, role)
            did = "gave a role to" if role else "took a role from"
            visit.note(did, _given(visit, account, role), section_id)
    except RefusedError as error:
        return _one(visit, account, HTTPStatus.CONFLICT, wrong=str(error))
    return visit.go(_address(account), f"Saved. {_given(visit, account, role)}.")


def link(visit: Visit) -> Response:
    """Make a new link, which is shown this once."""
    account = _account(visit)
    try:
        with visit.connection.transaction():
            token = changing.invite(visit.connection, account, visit.now)
            visit.note("made a sign-in link for", account.name)
    except RefusedError as error:
        return _one(visit, account, HTTPStatus.CONFLICT, wrong=str(error))
    return _one(visit, account, link=f"{visit.origin}/welcome/{token}")


def disable(visit: Visit) -> Response:
    """Shut somebody out."""
    account = _account(visit)
    try:
        with visit.connection.transaction():
            if changing.disable(visit.connection, account, visit.now):
                visit.note("shut out", account.name)
    except RefusedError as error:
        return _one(visit, account, HTTPStatus.CONFLICT, wrong=str(error))
    return visit.go(_address(account), f"{account.name} can't sign in any more.")


def enable(visit: Visit) -> Response:
    """Let somebody in again."""
    account = _account(visit)
    with visit.connection.transaction():
        if accounts.enable(visit.connection, account.id):
            visit.note("let in again", account.name)
    return visit.go(_address(account), f"{account.name} can sign in again.")


def _one(
    visit: Visit, account: Account, status: int = HTTPStatus.OK, wrong: str = "", link: str = ""
) -> Response:
    return visit.render(
        "account.html",
        status,
        one=account,
        last_used=accounts.last_used(visit.connection).get(account.id),
        root=_address(account),
        names=_names(visit),
        all_roles=list(Role),
        wrong=wrong,
        link=link,
    )


def _account(visit: Visit) -> Account:
    text = visit.path["id"]
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    found = accounts.of_id(visit.connection, number) if number <= LARGEST_ID else None
    if found is None:
        raise MissingError("There is no such account.")
    return found


def _address(account: Account) -> str:
    return f"{ROOT}/{account.id}"


def _role(visit: Visit) -> Role | None:
    """The role that a form names; None for none."""
    wanted = visit.get("role", "none")
    if wanted not in (*Role, "none"):
        raise MissingError(f"There is no role {wanted!r}.")
    return None if wanted == "none" else Role(wanted)


def _section_id(visit: Visit) -> int | None:
    """The section that a form names by its id; None for all of them."""
    wanted = visit.get("section")
    found = next((id_ for id_ in _names(visit) if str(id_ or "") == wanted), -1)
    if found == -1:
        raise MissingError("There is no such section.")
    return found


def _names(visit: Visit) -> dict[int | None, str]:
    """What a role can be given in."""
    return {None: "all sections"} | {s.id: s.name for s in sections.every(visit.connection)}


def _given(visit: Visit, account: Account, role: Role | None) -> str:
    of = _names(visit)[_section_id(visit)]
    return f"{account.name}: {role or 'no role'} of {of}"


PAGES = (
    Page("GET", ROOT, Role.OWNER, listed, everywhere=True),
    Page("POST", ROOT, Role.OWNER, create, everywhere=True),
    Page("GET", ONE, Role.OWNER, one, everywhere=True),
    Page("POST", ONE + "/role", Role.OWNER, set_role, everywhere=True),
    Page("POST", ONE + "/link", Role.OWNER, link, everywhere=True),
    Page("POST", ONE + "/disable", Role.OWNER, disable, everywhere=True),
    Page("POST", ONE + "/enable", Role.OWNER, enable, everywhere=True),
)
