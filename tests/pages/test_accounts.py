"""Accounts are made, given roles, shut out and let in again by those who own all sections."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.embedded.waiting import until
from tests.pages.conftest import PASSWORD, Person, SignIn
from tracker.actions import accounts as changing
from tracker.actions.accounts import LastOwnerError
from tracker.rules.accounts import Role
from tracker.settings import Settings
from tracker.stores import accounts, audit_log, database, sections
from tracker.stores.accounts import Account

ROOT = "/settings/accounts"


@pytest.fixture
def olga(sign_in: SignIn, db: psycopg.Connection) -> Person:
    """She owns all sections, and has a password (which nobody knows)."""
    person = sign_in(section=None, name="Olga")
    db.execute("UPDATE account SET password_hash = 'x' WHERE name = 'Olga'")
    return person


def find(db: psycopg.Connection, name: str) -> Account:
    found = accounts.find(db, name)
    assert found is not None
    return found


def done(db: psycopg.Connection) -> tuple[str, str, str]:
    """The newest entry of the log."""
    entry = audit_log.newest(db, limit=1)[0]
    return entry.account, entry.action, entry.subject


def link_in(text: str) -> str:
    (link,) = set(re.findall(r"http://127\.0\.0\.1/welcome/[\w-]+", text))
    return str(link)


def test_who_is_added_chooses_a_password_and_sees_one_section(
    olga: Person, stranger: TestClient, db: psycopg.Connection
) -> None:
    shop = sections.choose(db, "shop").id
    status, text = olga.post(ROOT, name=" Ann ", role="editor", section=str(shop))
    assert status == 200
    assert find(db, "Ann").roles == {shop: Role.EDITOR}
    assert done(db) == ("Olga", "made the account", "Ann: editor of Shop")
    link = link_in(text)
    assert "/welcome/" not in olga.get(f"{ROOT}/{find(db, 'Ann').id}")[1]
    home = stranger.post(link, data={"password": PASSWORD})
    assert "Shop" in home.text
    assert "Hotel" not in home.text


@pytest.mark.parametrize(
    ("name", "says"), [("Olga", "There is an account"), (" ", "A name has"), ("a\0b", "A name has")]
)
def test_who_can_not_be_added_is_told_why_and_nothing_typed_is_lost(
    olga: Person, db: psycopg.Connection, name: str, says: str
) -> None:
    hotel = str(sections.choose(db, "hotel").id)
    status, text = olga.post(ROOT, name=name, role="owner", section=hotel)
    assert status == 422
    assert says in text
    assert '<option value="owner" selected>' in text
    assert f'<option value="{hotel}" selected>' in text
    assert len(accounts.every(db)) == 1


def test_a_new_link_ends_the_one_before(
    olga: Person, stranger: TestClient, db: psycopg.Connection
) -> None:
    first = link_in(olga.post(ROOT, name="Ann", role="viewer")[1])
    second = link_in(olga.post(f"{ROOT}/{find(db, 'Ann').id}/link")[1])
    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200
    assert done(db) == ("Olga", "made a sign-in link for", "Ann")


def test_roles_are_given_and_taken_away(olga: Person, db: psycopg.Connection) -> None:
    shop = sections.choose(db, "shop").id
    olga.post(ROOT, name="Ann", role="viewer")
    ann = f"{ROOT}/{find(db, 'Ann').id}/role"
    _, text = olga.post(ann, role="editor", section=str(shop))
    assert "Saved. Ann: editor of Shop." in text
    olga.post(ann, role="none", section="")
    assert find(db, "Ann").roles == {shop: Role.EDITOR}
    assert done(db) == ("Olga", "took a role from", "Ann: no role of all sections")
    (entry,) = audit_log.newest(db, shop)
    assert entry.action == "gave a role to"
    for role, section in (("king", ""), ("owner", "77"), ("owner", "x")):
        assert olga.post(ann, role=role, section=section)[0] == 404


def test_who_is_shut_out_can_be_let_in_again(
    olga: Person, sign_in: SignIn, db: psycopg.Connection
) -> None:
    ann = sign_in(Role.VIEWER, name="Ann")
    address = f"{ROOT}/{find(db, 'Ann').id}"
    _, text = olga.post(f"{address}/disable")
    assert "Ann can&#39;t sign in any more." in text or "Ann can't sign in any more." in text
    assert ann.client.get("/").url.path == "/sign-in"
    assert olga.post(f"{address}/link")[0] == 409
    assert "shut out" in olga.get(ROOT)[1]
    olga.post(f"{address}/enable")
    assert find(db, "Ann").disabled_at is None
    assert done(db) == ("Olga", "let in again", "Ann")


def test_the_last_owner_of_all_stays(olga: Person, db: psycopg.Connection) -> None:
    address = f"{ROOT}/{find(db, 'Olga').id}"
    # This one owns all sections, too, but could not sign in.
    olga.post(ROOT, name="Ann", role="owner")
    for what, form in (("disable", {}), ("role", {"role": "viewer"}), ("role", {"role": "none"})):
        status, text = olga.post(f"{address}/{what}", **form)
        assert status == 409
        assert "owns all sections and has a password" in text
    assert find(db, "Olga").roles == {None: Role.OWNER}
    db.execute("UPDATE account SET password_hash = 'x' WHERE name = 'Ann'")
    olga.post(f"{address}/role", role="viewer")
    assert find(db, "Olga").roles == {None: Role.VIEWER}


def test_of_two_owners_who_shut_each_other_out_one_stays(
    settings: Settings, db: psycopg.Connection
) -> None:
    now = datetime.now(UTC)
    olga, otto = (changing.create(db, name, Role.OWNER, None, now) for name in ("Olga", "Otto"))
    db.execute("UPDATE account SET password_hash = 'x'")
    with database.connect(settings.database_url) as other, ThreadPoolExecutor(1) as thread:
        with db.transaction():
            changing.disable(db, otto, now)
            second = thread.submit(changing.disable, other, olga, now)
            until(lambda: is_waiting(settings))
        assert isinstance(second.exception(30), LastOwnerError)
    assert find(db, "Olga").disabled_at is None


def is_waiting(settings: Settings) -> bool:
    """Whether one connection to the database waits for another."""
    with database.connect(settings.database_url) as third:
        waiting = third.execute(
            "SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return waiting.rowcount == 1


def test_last_use_is_that_of_sessions_or_of_what_was_done(
    olga: Person, db: psycopg.Connection
) -> None:
    olga.post(ROOT, name="Ann", role="viewer")
    assert accounts.last_used(db).keys() == {find(db, "Olga").id}
    assert "never used" in olga.get(ROOT)[1]
    then = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    audit_log.add(db, "Ann", "did", "", then)
    assert accounts.last_used(db)[find(db, "Ann").id] == then
    assert "2020-01-02 03:04:05 UTC" in olga.get(ROOT)[1]


def test_what_is_no_account_is_not_found(olga: Person) -> None:
    for id_ in ("77", "x", "²", "9" * 19, "9" * 40):
        assert olga.get(f"{ROOT}/{id_}")[0] == 404


def test_names_are_shown_as_text(olga: Person, db: psycopg.Connection) -> None:
    olga.post(ROOT, name="<b onclick=x>", role="viewer")
    for address in (ROOT, f"{ROOT}/{find(db, '<b onclick=x>').id}", "/sections/shop/people"):
        text = olga.get(address)[1]
        assert "<b onclick" not in text
        assert "&lt;b onclick" in text
