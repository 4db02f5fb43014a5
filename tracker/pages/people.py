"""People of a section: who may what there, for its owners."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import accounts as changing
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role
from tracker.stores import accounts
from tracker.stores.accounts import Account

ROOT = "/sections/{section}/people"


def people(visit: Visit) -> Response:
    """`…/people`: everybody with a role here, also by one in all sections."""
    return _people(visit)


def set_role(visit: Visit) -> Response:
    """Give somebody a role here, or take it away. Nobody does it to themselves."""
    name, wanted = visit.get("name").strip(), visit.get("role")
    account = accounts.find(visit.connection, name)
    wrong = ""
    if account is None:
        wrong = f"There is no account {name!r}. Who owns all sections can make it."
    elif account.id == visit.who.id:
        wrong = "Your own role is another owner's to change."
    elif wanted not in (*Role, "none"):
        wrong = "Choose a role."
    if wrong or account is None:
        return _people(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
    role = None if wanted == "none" else Role(wanted)
    given = f"{account.name}: {role or 'no role'}"
    with visit.connection.transaction():
        changing.set_role(visit.connection, account, visit.section.id, role)
        visit.note("gave a role to" if role else "took a role from", given)
    return visit.go(f"{visit.root}/people", f"Saved. {given}.")


def _people(visit: Visit, status: int = HTTPStatus.OK, wrong: str = "") -> Response:
    return visit.render(
        "people.html",
        status,
        people=[one for one in accounts.every(visit.connection) if _is_of(visit, one)],
        all_roles=list(Role),
        wrong=wrong,
        typed={"name": visit.get("name"), "role": visit.get("role")},
    )


def _is_of(visit: Visit, account: Account) -> bool:
    return not account.roles.keys().isdisjoint((visit.section.id, None))


PAGES = (
    Page("GET", ROOT, Role.OWNER, people),
    Page("POST", ROOT, Role.OWNER, set_role),
)
