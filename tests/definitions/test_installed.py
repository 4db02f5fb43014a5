"""Which pages still send which version."""

import pytest

from tests.definitions.cast import EDIT, HOUR, SECOND, SOURCE, Inn
from tracker.actions import installed
from tracker.actions.installed import MOST_PAGES, WINDOW, PageUse
from tracker.rules.addresses import origin_and_path

HOME, OFFERS = "https://inn.example/", "https://inn.example/offers"


def test_pages_by_version(inn: Inn) -> None:
    inn.visit(EDIT, page=f"{OFFERS}?from=mail")
    inn.edit(EDIT, fields=[SOURCE])
    inn.visit(EDIT + HOUR, page=f"{OFFERS}#rooms", version=1)
    inn.visit(EDIT + HOUR, page="https://inn.example", version=2)
    inn.visit(EDIT + HOUR + SECOND, page=f"{HOME}?a#b", version=2)
    inn.visit(EDIT + HOUR + SECOND, version=1)
    found = installed.pages(inn.db, inn.stay, now=EDIT + 2 * HOUR)
    assert found.pages == [
        PageUse(2, HOME, 2, EDIT + HOUR + SECOND),
        PageUse(1, None, 1, EDIT + HOUR + SECOND),
        PageUse(1, OFFERS, 2, EDIT + HOUR),
    ]
    assert (found.since, found.whole, found.more) == (EDIT + 2 * HOUR - WINDOW, True, False)


def test_only_recent_events_count(inn: Inn) -> None:
    inn.visit(EDIT - WINDOW - SECOND, page=HOME)
    assert installed.pages(inn.db, inn.stay, now=EDIT).pages == []


def test_the_bound_is_admitted(inn: Inn) -> None:
    for number in range(3):
        inn.visit(EDIT - number * SECOND, page=f"{HOME}{number}")
    found = installed.pages(inn.db, inn.stay, now=EDIT, most=2)
    assert [use.page for use in found.pages] == [f"{HOME}0", f"{HOME}1"]
    assert (found.since, found.whole) == (EDIT - SECOND, False)


def test_a_flood_of_pages_is_cut_and_says_so(inn: Inn) -> None:
    inn.visit(EDIT)
    inn.rows(
        "INSERT INTO event SELECT overlay(gen_random_uuid()::text placing left(id::text, 8) from 1)"
        "::uuid, section_id, identifier_id, version_id, event_time, received_at, data,"
        " 'https://inn.example/' || n FROM event, generate_series(1, %s) AS n RETURNING id",
        MOST_PAGES,
    )
    found = installed.pages(inn.db, inn.stay, now=EDIT)
    assert (len(found.pages), found.more) == (MOST_PAGES, True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Inn.example:8443/A?b#c", "https://inn.example:8443/A"),
        ("http://inn.example#c?d", "http://inn.example/"),
        ("https://ann:secret@inn.example/", "https://inn.example/"),
        ("https://[::1]:80/x", "https://[::1]:80/x"),
        ("http://[broken/x?token=1", "http://[broken/x"),
        ("https://inn.example:port/?token=1", "https://inn.example:port/"),
        ("file:///home/ann/page.html?x", "file:///home/ann/page.html"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("", ""),
        ("https://inn.example/" + "x" * 900, "https://inn.example/" + "x" * 480),
    ],
)
def test_origin_and_path(url: str, shown: str) -> None:
    assert origin_and_path(url) == shown
