"""Hits over time: an event's chart and its numbers, and the spark lines of the data model."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape

import psycopg
import pytest

from tests.pages.conftest import Person, SignIn
from tracker.actions import saving
from tracker.rules.accounts import Role
from tracker.rules.charts import day_name
from tracker.rules.definitions import Category, Draft
from tracker.rules.states import Ended
from tracker.stores import hit_counts
from tracker.stores.definitions import Definition

PAGE = "/sections/shop/events/booking"
LIST = "/sections/shop/data-model"
EPOCH = date(1970, 1, 1)

Came = Callable[..., None]


@pytest.fixture
def came(db: psycopg.Connection, event: Definition) -> Came:
    """Count hits of Booking that came some days ago."""

    def count(ago: int, hits: int, outcome: str, reason: str = "", version: int = 0) -> None:
        day = (today() - EPOCH).days - ago
        end = Ended(0, version or event.versions[0].id, day, outcome, reason)
        hit_counts.add(db, {end: hits})

    return count


def today() -> date:
    return datetime.now(UTC).date()


def add_version(db: psycopg.Connection, event: Definition, number: int) -> int:
    row = db.execute(
        "INSERT INTO version (public_id, definition_id, number, fields, created_at, usable_from)"
        " SELECT %s, id, %s, '[]', created_at, created_at FROM definition WHERE id = %s"
        " RETURNING id",
        (f"v-{number}", number, event.id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def legend(text: str) -> list[tuple[str, str]]:
    """Names of series with their totals."""
    return re.findall(r"</svg> ([^<]*) <strong>([\d,]+)</strong></li>", text)


def bars(text: str) -> list[str]:
    """What bars say under the pointer, the oldest first."""
    return re.findall(r'<g class="bar"><title>(.*?)</title>', text)


def numbers(text: str) -> list[list[str]]:
    """The rows of the table, its head first."""
    table = text.split('<table class="numbers">')[1].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def test_what_became_of_hits_by_day(owner: Person, came: Came) -> None:
    came(0, 1_200, "stored")
    came(0, 3, "quarantined", "invalid_data")
    came(29, 40, "stored")
    came(30, 7, "stored")
    status, text = owner.get(PAGE)
    assert status == 200
    assert legend(text) == [("Stored", "1,240"), ("Quarantined", "3")]
    first, last = today() - timedelta(days=29), today()
    assert bars(text) == [
        f"{first:%a} {day_name(first)}: 40 stored",
        f"{last:%a} {day_name(last)}: 1,200 stored, 3 quarantined",
    ]
    assert 'aria-label="Hits of the last 30 days by outcome: 1,240 stored, 3 quarantined"' in text
    assert ">1.5k</text>" in text
    assert len(text.encode()) < 50_000


@pytest.mark.parametrize(
    ("span", "hits"), [("7", "1"), ("30", "11"), ("90", "111"), ("weeks", "1,111"), ("x", "11")]
)
def test_as_far_back_as_is_asked_for(owner: Person, came: Came, span: str, hits: str) -> None:
    for ago, count in ((6, 1), (29, 10), (89, 100), (390, 1_000), (400, 10_000)):
        came(ago, count, "stored")
    _, text = owner.get(f"{PAGE}?span={span}")
    assert legend(text) == [("Stored", hits)]


def test_weeks_are_added_up(owner: Person, came: Came) -> None:
    monday = today().weekday()
    came(monday, 2, "stored")
    came(0, 3, "stored")
    _, text = owner.get(f"{PAGE}?span=weeks&by=version")
    first = today() - timedelta(days=monday)
    assert bars(text) == [f"Week from {day_name(first)} {first.year}: 5 version 1"]
    assert 'href="?span=7&amp;by=version#hits"' in text.replace(PAGE, "")


def test_by_version_old_ones_are_one_series(
    owner: Person, came: Came, event: Definition, db: psycopg.Connection
) -> None:
    for number in range(2, 7):
        came(1, number, "stored", version=add_version(db, event, number))
    came(1, 100, "stored")
    came(1, 10, "quarantined", "bad_tag")
    _, text = owner.get(f"{PAGE}?by=version&numbers=1")
    assert legend(text) == [
        *((f"Version {number}", str(number)) for number in (6, 5, 4, 3)),
        ("Older versions", "112"),
    ]
    assert [row[1] for row in numbers(text)[1:]] == list("654321")


def test_the_numbers_have_reasons_and_leave_empty_days_out(owner: Person, came: Came) -> None:
    came(2, 12, "stored")
    came(2, 3, "quarantined", "invalid_data")
    came(5, 1, "quarantined", "bad_tag")
    came(5, 2, "dropped", "bot")
    came(5, 4, "held")
    head, newest, oldest = numbers(owner.get(f"{PAGE}?numbers=1")[1])
    assert head == [
        *("Day", "Version", "Stored", "Held"),
        *("Quarantined bad_tag", "Quarantined invalid_data", "Dropped bot"),
    ]
    assert newest[1:] == ["1", "12", "", "", "3", ""]
    assert oldest[1:] == ["1", "", "4", "1", "", "2"]


def test_tests_are_in_the_numbers_only(owner: Person, came: Came) -> None:
    came(0, 2, "dropped", "test")
    assert '?numbers=1#hits">The numbers</a>' in owner.get(PAGE)[1]
    _, text = owner.get(f"{PAGE}?numbers=1")
    assert "No hit in the last 30 days but for tests." in text
    assert "2 hits of test snippets are in the numbers only." in text
    assert bars(text) == []
    assert numbers(text)[0] == ["Day", "Version", "Dropped test"]
    came(0, 5, "dropped", "bot")
    assert legend(owner.get(PAGE)[1]) == [("Dropped", "5")]


def test_without_hits_the_page_says_what_to_do(
    owner: Person, sign_in: SignIn, event: Definition, db: psycopg.Connection
) -> None:
    _, text = owner.get(PAGE)
    assert "No hit in the last 30 days." in text
    assert 'Paste the <a href="#snippet">snippet</a> into a page' in text
    assert "The numbers" not in text
    db.execute("UPDATE definition SET web_tracking = false")
    assert "Switch web tracking on to get a snippet" in owner.get(PAGE)[1]
    assert "Web tracking is off." in sign_in(Role.VIEWER).get(PAGE)[1]


# -- the data model


def spark_lines(text: str) -> list[tuple[str, str]]:
    """What each says, and the number beside it."""
    found = re.findall(r"<title>([^<]*\d days[^<]*)</title>.*?>([\d,]+)</span>", text, re.DOTALL)
    return [(words, number) for words, number in found]


def test_each_event_has_a_line_of_what_was_stored(
    owner: Person, came: Came, event: Definition, db: psycopg.Connection
) -> None:
    saving.create(db, event.section_id, draft("Cancelled"), datetime.now(UTC))
    came(0, 400, "stored", version=add_version(db, event, 2))
    came(3, 1_000, "stored")
    came(3, 5_000, "quarantined", "invalid_data")
    came(30, 9_000, "stored")
    most = day_name(today() - timedelta(days=3))
    assert spark_lines(owner.get(LIST)[1]) == [
        (f"1,400 stored in 30 days, most on {most}", "1,400"),
        ("none stored in 30 days", "0"),
    ]


def test_a_long_list_goes_on(owner: Person, event: Definition, db: psycopg.Connection) -> None:
    db.execute(
        "WITH made AS (INSERT INTO definition (section_id, category, slug, name, discriminator,"
        " created_at) SELECT section_id, category, 'c-' || n, 'C&' || n, 'c-' || n, created_at"
        " FROM definition, generate_series(1000, 1200) n RETURNING *)"
        " INSERT INTO version (public_id, definition_id, number, fields, created_at, usable_from)"
        " SELECT slug, id, 1, '[]', created_at, created_at FROM made"
    )
    pages, address = [], LIST
    while address:
        _, text = owner.get(address)
        assert re.search(r'Transactions <span class="quiet">202<', text)
        pages.append(re.findall(r'<li id="event-([^"]+)"', text))
        more = re.search(r'href="(\?[^"]*)">Show more', text)
        address = LIST + unescape(more[1]) if more else ""
    assert [len(page) for page in pages] == [200, 2]
    assert pages[0][:2] == ["booking", "c-1000"]
    assert pages[1] == ["c-1199", "c-1200"]
    assert "Back to the first" in text
    assert "None further." in owner.get(f"{LIST}?after=zz%00")[1]


def draft(name: str) -> Draft:
    return Draft(category=Category.TRANSACTIONS, name=name)
