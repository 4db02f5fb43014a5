"""The audit log of a section, and of the whole installation."""

import re
from datetime import UTC, datetime

import psycopg
import pytest

from tests.pages.conftest import Person, SignIn
from tracker.pages import log
from tracker.stores import audit_log, sections


@pytest.fixture
def past(owner: Person, db: psycopg.Connection) -> None:
    """Ann and Bob did 0 to 59 in turn in the shop; Mallory did something in the hotel."""
    shop, hotel, now = (
        sections.choose(db, "shop").id,
        sections.choose(db, "hotel").id,
        datetime.now(UTC),
    )
    for n in range(60):
        audit_log.add(db, "Bob" if n % 2 else "Ann", "did", f"no. {n}.", now, section_id=shop)
    audit_log.add(db, "Mallory", "did", "something", now, section_id=hotel)


def shown(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"did no\. (\d+)\.", text)]


def test_the_newest_come_first_and_older_ones_by_a_link(owner: Person, past: None) -> None:
    _, text = owner.get("/sections/shop/log")
    assert shown(text) == [*range(59, 59 - log.SHOWN, -1)]
    (older,) = re.findall(r'class="older"><a href="([^"]+)"', text)
    _, text = owner.get(older.replace("&amp;", "&"))
    assert shown(text) == [*range(59 - log.SHOWN, -1, -1)]
    assert "Show older" not in text


def test_it_is_shown_of_one_account(owner: Person, past: None) -> None:
    _, text = owner.get("/sections/shop/log?account=Bob")
    assert shown(text) == [*range(59, 0, -2)]
    assert '<option selected value="Bob">' in text


def test_of_other_sections_nothing_is_shown(owner: Person, sign_in: SignIn, past: None) -> None:
    assert "Mallory" not in owner.get("/sections/shop/log")[1]
    _, text = sign_in(section=None).get("/settings/log")
    assert "did something" in text
    assert "hotel" in text


def test_what_is_no_place_in_the_log_shows_the_newest(owner: Person, past: None) -> None:
    for before in ("x", "²", "9" * 30):
        assert shown(owner.get(f"/sections/shop/log?before={before}")[1])[0] == 59
    _, text = owner.get("/sections/shop/log?account=No%00body")
    assert len(shown(text)) == log.SHOWN
