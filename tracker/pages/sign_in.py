"""Signing in and out, and choosing a password by a one-time link."""

from http import HTTPStatus
from threading import Lock
from time import monotonic

from starlette.responses import Response

from tracker.actions import signing_in
from tracker.pages.page import COOKIE, PUBLIC, Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import AccountError, Role
from tracker.rules.rates import AtMost
from tracker.stores import accounts
from tracker.turns import BusyError

ATTEMPTS, MINUTES = 10, 15
"""How often one name may be tried in vain in that time, by each web process."""


class Attempts:
    """Counts wrong attempts to say a password, by name. Its methods run in several threads."""

    def __init__(self) -> None:
        self._counted = AtMost(ATTEMPTS, MINUTES * 60)
        self._lock = Lock()

    def take(self, name: str) -> int:
        """Count one; 0, or the seconds to wait."""
        with self._lock:
            return self._counted.take(_counted_as(name), monotonic())

    def give_back(self, name: str) -> None:
        """Take one back that was right, or was not made."""
        with self._lock:
            self._counted.give_back(_counted_as(name))


def _counted_as(name: str) -> str:
    return name.casefold()[:200]


attempts = Attempts()


def show_sign_in(visit: Visit) -> Response:
    """The form; whoever is signed in goes on."""
    if visit.account:
        return visit.go(_inside(visit.get("to")))
    return visit.render("sign_in.html", name="", to=visit.get("to"), wrong="")


def sign_in(visit: Visit) -> Response:
    """Name and password, or the form again; it never says which of them is wrong."""
    name, to = visit.get("name").strip(), visit.get("to")
    wait = attempts.take(name)
    if wait:
        wrong = f"Too many attempts for this name. Try again in {-(-wait // 60)} minutes."
        return visit.render(
            "sign_in.html", HTTPStatus.TOO_MANY_REQUESTS, name=name, to=to, wrong=wrong
        )
    try:
        token = signing_in.by_password(visit.borrowed, name, visit.get("password"), visit.now)
    except BusyError:
        attempts.give_back(name)
        raise
    if token is None:
        wrong = "This is not the password of an account with this name."
        return visit.render("sign_in.html", HTTPStatus.FORBIDDEN, name=name, to=to, wrong=wrong)
    attempts.give_back(name)
    visit.cookies[COOKIE] = token
    return visit.go(_inside(to))


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
