"""Signing in and out, and choosing a password by a one-time link."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import signing_in
from tracker.actions.signing_in import WrongPasswordError
from tracker.pages.attempts import Attempts, TooManyError
from tracker.pages.page import COOKIE, PUBLIC, Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import AccountError, Role
from tracker.stores import accounts

attempts = Attempts()


def show_sign_in(visit: Visit) -> Response:
    """The form; whoever is signed in goes on."""
    if visit.account:
        return visit.go(_inside(visit.get("to")))
    return visit.render("sign_in.html", name="", to=visit.get("to"), wrong="")


def sign_in(visit: Visit) -> Response:
    """Name and password, or the form again; it never says which of them is wrong."""
    name, to = visit.get("name").strip(), visit.get("to")
    try:
        with attempts.attempt(name, visit.ip_address):
            token = signing_in.by_password(visit.borrowed, name, visit.get("password"), visit.now)
    except TooManyError as error:
        status = HTTPStatus.TOO_MANY_REQUESTS
        wrong = str(error)
    except WrongPasswordError:
        status = HTTPStatus.FORBIDDEN
        wrong = "This is not the password of an account with this name."
    else:
        visit.cookies[COOKIE] = token
        return visit.go(_inside(to))
    return visit.render("sign_in.html", status, name=name, to=to, wrong=wrong)


def show_welcome(visit: Visit) -> Response:
    """A one-time link: opening it changes nothing, as mail programs open links, too."""
    return visit.render("welcome.html", name=_invited(visit), wrong="")


def choose_password(visit: Visit) -> Response:
    """The password that was chosen; its account is signed in, and the link is used up."""
    name = _invited(visit)
    token, password = visit.path["token"], visit.get("password")
    try:
        session = signing_in.by_link(visit.borrowed, token, password, visit.now)
    except AccountError as error:
        return visit.render(
            "welcome.html", HTTPStatus.UNPROCESSABLE_ENTITY, name=name, wrong=str(error)
        )
    if session is None:
        raise _used()
    visit.cookies[COOKIE] = session
    return visit.go("/")


def sign_out(visit: Visit) -> Response:
    """Ends the session here and on the server."""
    accounts.end_session(visit.connection, visit.session)
    visit.cookies[COOKIE] = ""
    visit.session = ""
    return visit.go("/sign-in")


def _invited(visit: Visit) -> str:
    account = accounts.of_link(visit.connection, visit.path["token"], visit.now)
    if account is None:
        raise _used()
    return account.name


def _used() -> MissingError:
    return MissingError(
        "This link was used, replaced, or is too old. An owner makes a new one, in Settings,"
        " Accounts, or by pintag account link NAME."
    )


def _inside(address: str) -> str:
    """Where to go after signing in: a page of ours, whatever the address says."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else "/"


PAGES = (
    Page("GET", "/sign-in", PUBLIC, show_sign_in),
    Page("POST", "/sign-in", PUBLIC, sign_in),
    Page("GET", "/welcome/{token}", PUBLIC, show_welcome),
    Page("POST", "/welcome/{token}", PUBLIC, choose_password),
    Page("POST", "/sign-out", Role.VIEWER, sign_out, own=True),
)
