"""Signing in: one-time links, passwords, attempts, sessions."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.collector import house as houses
from tests.pages import signing
from tests.pages.conftest import PASSWORD, Person, SignIn
from tracker.actions import signing_in
from tracker.actions.signing_in import WrongPasswordError
from tracker.api import server
from tracker.api.app import make_app
from tracker.pages import paths
from tracker.pages.attempts import ATTEMPTS, MOST, Attempts, TooManyError
from tracker.pages.page import COOKIE
from tracker.pages.sign_in import attempts
from tracker.rules.accounts import LINK_LIFE, SESSION_IDLE, SESSION_LIFE, Role
from tracker.settings import Settings
from tracker.stores import accounts, audit_log, sections
from tracker.stores.database import Borrowed


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """The same; here everybody has the password."""
    return partial(sign_in, password=True)


def welcome(db: psycopg.Connection, ago: timedelta = timedelta()) -> str:
    """The address of a one-time link for the first account, made some time ago."""
    now = datetime.now(UTC) - ago
    signing_in.link_for_first(db, now)
    account = accounts.find(db, signing_in.FIRST)
    assert account is not None
    return f"/welcome/{signing_in.new_link(db, account, now)}"


def sign_in_as(client: TestClient, name: str, password: str = PASSWORD) -> int:
    form = {"name": name, "password": password, "to": "/settings"}
    return client.post("/sign-in", data=form, follow_redirects=False).status_code


def chosen(db: psycopg.Connection, token: str, password: str = PASSWORD) -> str | None:
    """Choose a password by a one-time link; the token of the session that begins."""
    with Borrowed(lambda: nullcontext(db)) as borrowed:
        return signing_in.by_link(borrowed, token, password, datetime.now(UTC))


def choose_password(db: psycopg.Connection, name: str) -> str:
    """By a one-time link; the token of the session that begins."""
    account, now = accounts.find(db, name), datetime.now(UTC)
    assert account is not None
    return chosen(db, signing_in.new_link(db, account, now)) or ""


def test_a_link_leads_to_a_password_and_in(stranger: TestClient, db: psycopg.Connection) -> None:
    address = welcome(db)
    assert "owner" in stranger.get(address).text
    answer = stranger.post(address, data={"password": PASSWORD})
    assert (answer.url.path, answer.status_code) == ("/", 200)
    assert "Shop" in answer.text
    cookie = answer.history[0].headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_starting_gives_a_link_until_there_is_a_password(db: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    assert signing_in.link_for_first(db, now)
    token = signing_in.link_for_first(db, now)
    assert token
    assert chosen(db, token)
    assert signing_in.link_for_first(db, now) is None


def test_a_link_works_once_and_not_too_late(stranger: TestClient, db: psycopg.Connection) -> None:
    address = welcome(db)
    stranger.post(address, data={"password": PASSWORD})
    assert stranger.post(address, data={"password": "another one, longer"}).status_code == 404
    too_late = stranger.get(welcome(db, LINK_LIFE))
    assert too_late.status_code == 404
    assert '<a href="/">Start page</a>' in too_late.text
    old, new = welcome(db), welcome(db)
    assert [stranger.get(one).status_code for one in (old, new)] == [404, 200]


@pytest.mark.parametrize("password", ["short", "", "x" * 201])
def test_a_password_that_wont_do_leaves_the_link_as_it_is(
    stranger: TestClient, db: psycopg.Connection, password: str
) -> None:
    address = welcome(db)
    answer = stranger.post(address, data={"password": password})
    assert answer.status_code == 422
    assert "A password has at" in answer.text
    assert stranger.post(address, data={"password": PASSWORD}).url.path == "/"


def test_a_password_opens_the_page_that_was_asked_for(
    stranger: TestClient, sign_in: SignIn
) -> None:
    sign_in(name="Ann")
    asked = stranger.get("/sections/shop/settings?x=1")
    assert (asked.url.path, asked.status_code) == ("/sign-in", 200)
    form = {"name": "Ann", "password": PASSWORD, "to": asked.url.params["to"]}
    assert str(stranger.post("/sign-in", data=form).url).endswith("/sections/shop/settings?x=1")


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
def test_signing_in_never_leads_elsewhere(stranger: TestClient, sign_in: SignIn, to: str) -> None:
    sign_in(name="Ann")
    form = {"name": "Ann", "password": PASSWORD, "to": to}
    answer = stranger.post("/sign-in", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_wrong_name_and_a_wrong_password_look_alike(
    stranger: TestClient, sign_in: SignIn
) -> None:
    sign_in(name="Ann")
    texts = {
        stranger.post("/sign-in", data={"name": name, "password": "wrong wrong"}).text.replace(
            name, ""
        )
        for name in ("Ann", "Bob")
    }
    assert len(texts) == 1


def test_a_form_whose_session_ended_says_so(owner: Person, db: psycopg.Connection) -> None:
    accounts.end_session(db, owner.client.cookies[COOKIE])
    status, text = owner.post("/sections/shop/events/new", name="Typed")
    assert status == 403
    assert "Nothing was saved: you are signed out" in text


@pytest.mark.parametrize("key", ["a%2Fb", "a/b", "100%", "a/timeline"])
def test_signing_in_leads_to_whom_was_asked_for(
    settings: Settings, db: psycopg.Connection, key: str
) -> None:
    sections.create(db, "shop", "Shop", [], strict_origin=False)
    signing.make(db, password=True)
    attempts.forget()
    where = f"/sections/shop/profiles/web/{paths.from_key(key)}"
    # By a real server: Starlette's TestClient decodes addresses twice.
    with houses.running(make_app(settings), **server.options(settings)) as web:
        sign_in = web.http.get(where).headers["location"]
        to = parse_qs(urlsplit(sign_in).query)["to"][0]
        form = {"name": "Olga", "password": PASSWORD, "to": to}
        assert web.http.post("/sign-in", data=form).headers["location"] == where


def at(ip_address: str, stranger: TestClient) -> TestClient:
    """A browser with another IP address."""
    return TestClient(stranger.app, base_url="http://127.0.0.1", client=(ip_address, 50_000))


def test_attempts_are_bounded_by_name(stranger: TestClient, sign_in: SignIn) -> None:
    sign_in(name="Carl")
    tries = [sign_in_as(stranger, "Carl", "wrong wrong") for _ in range(ATTEMPTS)]
    assert set(tries) == {403}
    assert sign_in_as(stranger, "Carl") == 429
    sign_in(name="Dora")
    assert sign_in_as(stranger, "Dora") == 303


def test_a_stranger_s_attempts_keep_nobody_out_elsewhere(
    stranger: TestClient, sign_in: SignIn
) -> None:
    sign_in(name="Carl")
    for number in range(ATTEMPTS + 1):
        sign_in_as(at(f"2001:db8::{number}", stranger), "Carl", "wrong wrong")
    assert sign_in_as(at("2001:db8::99", stranger), "Carl") == 429  # one network
    assert sign_in_as(at("2001:db8:1::1", stranger), "Carl") == 303


def test_attempts_are_bounded_over_all_networks() -> None:
    counted = Attempts()
    for number in range(MOST):
        with pytest.raises(WrongPasswordError), counted.attempt("Carl", f"192.0.2.{number % 50}"):
            raise WrongPasswordError
    with pytest.raises(TooManyError), counted.attempt("carl", "198.51.100.1"):
        pass
    with counted.attempt("Dora", "198.51.100.1"):
        pass


def test_whoever_knows_the_password_signs_in_as_often_as_they_like(
    stranger: TestClient, sign_in: SignIn
) -> None:
    sign_in(name="Emil")
    answers = [sign_in_as(stranger, "Emil") for _ in range(ATTEMPTS + 1)]
    assert set(answers) == {303}


def test_signing_out_ends_the_session_on_the_server(owner: Person, stranger: TestClient) -> None:
    token = owner.client.cookies[COOKIE]
    assert owner.get("/settings")[0] == 200
    owner.post("/sign-out")
    stranger.cookies.set(COOKIE, token)
    assert stranger.get("/settings").url.path == "/sign-in"


def test_a_new_password_ends_all_sessions(owner: Person, db: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    account = accounts.find(db, "owner of shop")
    assert account is not None
    link = signing_in.new_link(db, account, now)
    assert chosen(db, link, "another, longer one")
    assert owner.client.get("/settings").url.path == "/sign-in"


def test_who_is_shut_out_is_out_at_once(owner: Person, db: psycopg.Connection) -> None:
    account = accounts.find(db, "owner of shop")
    assert account is not None
    assert accounts.disable(db, account.id, datetime.now(UTC))
    assert owner.client.get("/settings").url.path == "/sign-in"
    assert sign_in_as(owner.client, "owner of shop") == 403


@pytest.mark.parametrize(
    ("column", "age", "alive"),
    [
        ("used_at", SESSION_IDLE - timedelta(minutes=1), True),
        ("used_at", SESSION_IDLE, False),
        ("created_at", SESSION_LIFE - timedelta(minutes=1), True),
        ("created_at", SESSION_LIFE, False),
    ],
)
def test_sessions_end(
    owner: Person, db: psycopg.Connection, column: str, age: timedelta, alive: bool
) -> None:
    db.execute(f"UPDATE session SET {column} = now() - %s".encode(), (age,))
    assert (owner.client.get("/settings").url.path == "/settings") is alive


def test_the_database_has_no_secret_that_lets_in(owner: Person, db: psycopg.Connection) -> None:
    token = choose_password(db, "owner of shop")
    kept = db.execute("SELECT session::text || account::text FROM session, account").fetchall()
    assert token not in str(kept)
    assert PASSWORD not in str(kept)
    assert "$argon2id$" in str(kept)


def test_signing_in_is_in_the_audit_log(sign_in: SignIn, db: psycopg.Connection) -> None:
    person = sign_in(Role.VIEWER, name="Ann")
    choose_password(db, "Ann")
    sign_in_as(person.client, "Ann")
    actions = [(one.account, one.action) for one in audit_log.newest(db)]
    assert actions == [("Ann", "signed in"), ("Ann", "chose a password")]


def test_who_lost_the_last_role_can_sign_out(sign_in: SignIn, db: psycopg.Connection) -> None:
    ann = sign_in(Role.VIEWER, name="Ann")
    db.execute("DELETE FROM membership")
    assert ann.get("/")[0] == 403
    assert ann.get("/settings/password")[0] == 200
    ann.post("/sign-out")
    assert db.execute("SELECT count(*) FROM session").fetchone() == (0,)
