"""Owners of a section give roles there to accounts that there are."""

import psycopg
import pytest

from tests.pages.conftest import Person, SignIn
from tests.pages.test_accounts import done, find
from tracker.rules.accounts import Role
from tracker.stores import sections

PEOPLE = "/sections/shop/people"


@pytest.fixture
def ann(sign_in: SignIn) -> Person:
    """A viewer of the hotel, for now."""
    return sign_in(Role.VIEWER, "hotel", name="Ann")


def test_a_role_is_given_changed_and_taken_away(
    owner: Person, ann: Person, db: psycopg.Connection
) -> None:
    assert "Ann" not in owner.get(PEOPLE)[1]
    shop, hotel = sections.choose(db, "shop").id, sections.choose(db, "hotel").id
    for role in ("editor", "owner"):
        _, text = owner.post(PEOPLE, name="Ann", role=role)
        assert f"Saved. Ann: {role}." in text
        assert find(db, "Ann").roles == {shop: role, hotel: "viewer"}
        assert done(db) == ("owner of shop", "gave a role to", f"Ann: {role}")
    owner.post(PEOPLE, name="Ann", role="none")
    assert find(db, "Ann").roles == {hotel: "viewer"}
    assert done(db) == ("owner of shop", "took a role from", "Ann: no role")


@pytest.mark.parametrize(
    ("name", "role", "says"),
    [
        ("Bob", "viewer", "There is no account"),
        ("\0", "viewer", "There is no account"),
        ("Ann", "king", "Choose a role."),
        ("owner of shop", "none", "Your own role is"),
    ],
)
def test_what_can_not_be_given_is_said(
    owner: Person, ann: Person, db: psycopg.Connection, name: str, role: str, says: str
) -> None:
    status, text = owner.post(PEOPLE, name=name, role=role)
    assert status == 422
    assert says in text
    assert f'value="{name}"' in text
    assert find(db, "owner of shop").roles == {sections.choose(db, "shop").id: Role.OWNER}


def test_who_has_a_role_in_all_sections_is_shown_but_not_changed(
    owner: Person, sign_in: SignIn
) -> None:
    sign_in(Role.EDITOR, None, name="Carl")
    _, text = owner.get(PEOPLE)
    assert "editor of all sections" in text
    assert 'aria-label="Role of Carl"' not in text
