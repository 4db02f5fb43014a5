"""One's own password, and one's sessions in other browsers."""

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.pages.conftest import PASSWORD, Person, SignIn
from tests.pages.test_accounts import done
from tracker.pages.attempts import ATTEMPTS

ROOT = "/settings/password"
NEW = "another, longer one"


def elsewhere(stranger: TestClient, name: str) -> TestClient:
    """Another browser in which somebody is signed in."""
    answer = stranger.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert answer.url.path == "/"
    return stranger


def test_a_new_password_ends_the_sessions_elsewhere(
    stranger: TestClient, sign_in: SignIn, db: psycopg.Connection
) -> None:
    ann, other = sign_in(name="Ann", password=True), elsewhere(stranger, "Ann")
    _, text = ann.post(ROOT, old=PASSWORD, new=NEW)
    assert "Your password is changed." in text
    assert other.get("/").url.path == "/sign-in"
    assert done(db) == ("Ann", "changed the password", "")
    assert "Other browsers" in text  # still signed in here
    assert other.post("/sign-in", data={"name": "Ann", "password": NEW}).url.path == "/"


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("wrong wrong", NEW, 403, "This is not your present password."),
        (PASSWORD, "short", 422, "A password has at least 10 characters."),
        (PASSWORD, "BERTRAND RUSSELL", 422, "Choose a password that is not your name."),
    ],
)
def test_what_wont_do_changes_nothing(
    stranger: TestClient, sign_in: SignIn, old: str, new: str, status: int, says: str
) -> None:
    person = sign_in(name="Bertrand Russell", password=True)
    answer = person.post(ROOT, old=old, new=new)
    assert answer[0] == status
    assert says in answer[1]
    elsewhere(stranger, "Bertrand Russell")


def test_attempts_are_bounded(sign_in: SignIn) -> None:
    person = sign_in(name="Cleo")
    tries = [person.post(ROOT, old="wrong wrong", new=NEW)[0] for _ in range(ATTEMPTS)]
    assert set(tries) == {403}
    assert person.post(ROOT, old="wrong wrong", new=NEW)[0] == 429


def test_attempts_of_others_to_sign_in_are_not_one_s_own(
    stranger: TestClient, sign_in: SignIn
) -> None:
    person = sign_in(name="Dido", password=True)
    while stranger.post("/sign-in", data={"name": "Dido", "password": "x"}).status_code != 429:
        pass
    assert person.post(ROOT, old=PASSWORD, new=NEW)[0] == 200


def test_one_signs_out_everywhere_else(
    owner: Person, stranger: TestClient, sign_in: SignIn, db: psycopg.Connection
) -> None:
    ann, other = sign_in(name="Ann", password=True), elsewhere(stranger, "Ann")
    assert "in 1 other browser," in ann.get(ROOT)[1]
    _, text = ann.post(f"{ROOT}/sessions")
    assert "You are signed in nowhere else." in text
    assert other.get("/").url.path == "/sign-in"
    assert owner.get("/")[0] == 200
    assert done(db) == ("Ann", "signed out everywhere else", "")
