"""One's own account: another password, and signing out elsewhere."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import signing_in
from tracker.actions.signing_in import WrongPasswordError
from tracker.pages.attempts import Attempts, TooManyError
from tracker.pages.page import COOKIE, Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import AccountError, Role
from tracker.stores import accounts

ROOT = "/settings/password"
attempts = Attempts()
"""Others, who try to sign in by one's name, use up none of them."""


def show(visit: Visit) -> Response:
    """`/settings/password`: the form, and where else one is signed in."""
    return _show(visit)


def change(visit: Visit) -> Response:
    """Another password, for which the present one is asked; all other sessions end."""
    try:
        with attempts.attempt(visit.who.name, visit.ip_address):
            token = signing_in.change_password(
                visit.borrowed, visit.who, visit.get("old"), visit.get("new"), visit.now
            )
    except TooManyError as error:
        return _show(visit, HTTPStatus.TOO_MANY_REQUESTS, old=str(error))
    except WrongPasswordError:
        return _show(visit, HTTPStatus.FORBIDDEN, old="This is not your present password.")
    except AccountError as error:
        return _show(visit, HTTPStatus.UNPROCESSABLE_ENTITY, new=str(error))
    visit.session = visit.cookies[COOKIE] = token
    return visit.go(ROOT, "Your password is changed. You are signed out everywhere else.")


def sign_out_others(visit: Visit) -> Response:
    """End one's sessions in other browsers."""
    with visit.connection.transaction():
        accounts.end_other_sessions(visit.connection, visit.who.id, visit.session)
        visit.note("signed out everywhere else")
    return visit.go(ROOT, "You are signed out everywhere but here.")


def _show(visit: Visit, status: int = HTTPStatus.OK, **wrong: str) -> Response:
    others = accounts.other_sessions(visit.connection, visit.who.id, visit.session, visit.now)
    return visit.render("password.html", status, others=others, wrong=wrong)


PAGES = (
    Page("GET", ROOT, Role.VIEWER, show, own=True),
    Page("POST", ROOT, Role.VIEWER, change, own=True),
    Page("POST", ROOT + "/sessions", Role.VIEWER, sign_out_others, own=True),
)
