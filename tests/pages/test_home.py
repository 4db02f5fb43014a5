"""The first page: sections, and one more of them."""

import psycopg
import pytest

from tests.pages.conftest import Person, SignIn
from tests.pages.kept import HOSTILE, is_clean
from tests.pages.test_accounts import done
from tracker.stores import sections


@pytest.fixture
def boss(sign_in: SignIn) -> Person:
    """The owner of all sections."""
    return sign_in(section=None)


@pytest.mark.usefixtures("stranger", "booking")
def test_each_section_says_how_many_events_it_has(boss: Person) -> None:
    text = boss.get("/")[1]
    assert text.index("Hotel") < text.index("0 events") < text.index("Shop") < text.index("1 event")


def test_one_sees_only_ones_own(owner: Person) -> None:
    text = owner.get("/")[1]
    assert "Shop" in text
    assert "Hotel" not in text
    assert "Add a section" not in text


def test_a_new_section_is_there_at_once_and_noted(boss: Person, db: psycopg.Connection) -> None:
    origins = "https://spa.example\r\nHTTPS://*.Spa.example"
    status, text = boss.post("/", name=" Spa & Wellness ", origins=origins)
    assert (status, "The section Spa &amp; Wellness is made." in text) == (200, True)
    made = sections.choose(db, "spa-wellness")
    assert made.allowed_origins == ["https://spa.example", "https://*.spa.example"]
    assert done(db) == ("owner of None", "made the section", "Spa & Wellness")


@pytest.mark.parametrize(
    ("name", "origins", "says"),
    [
        ("", "", "This cannot be empty"),
        ("x" * 101, "", "At most 100 characters"),
        ("shop!", "", "There is a section &#39;shop&#39; already"),
        ("Spa", "https://spa.example/path", "has a path"),
        (HOSTILE, "*", "origin"),
    ],
)
def test_what_is_wrong_stands_beside_it_and_nothing_typed_is_lost(
    boss: Person, db: psycopg.Connection, name: str, origins: str, says: str
) -> None:
    status, text = boss.post("/", name=name, origins=origins)
    assert (status, says in text) == (422, True), text
    assert 'aria-invalid="true"' in text
    assert origins in text
    assert name != HOSTILE or is_clean(text)
    assert [one.slug for one in sections.every(db)] == ["hotel", "shop"]
