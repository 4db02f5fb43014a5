"""`pintag section set` and `show`: a section's rules, changed and in plain words."""

import asyncio
import json

import psycopg
import pytest
from redis.asyncio import Redis as AsyncRedis

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.cli.test_commands import shop as shop
from tracker.settings import Settings
from tracker.stores import key_table, sections
from tracker.stores.sections import Section

DEFAULTS = {
    "slug": "shop",
    "name": "Shop",
    "allowed_origins": [],
    "strict_origin": False,
    "consent_required": False,
    "honour_signals": True,
    "visitor_days": 395,
    "addresses": "none",
    "signed_tags": False,
    "trusts_pages": False,
    "has_secret": False,
}


def rules(shop: Run) -> dict[str, object]:
    read: dict[str, object] = json.loads(shop("section", "show", "--json"))
    return read


def tracked(shop: Run, *names: str) -> None:
    for name in names:
        shop("event", "create", name)
        shop("event", "track", name)


def test_a_new_section(shop: Run) -> None:
    assert rules(shop) == DEFAULTS
    shown = shop("section", "show").splitlines()
    assert shown[0] == "shop: Shop"
    assert [line.split("  ")[1] for line in shown[1:]] == [
        "Origins",
        "Without Origin",
        "Consent",
        "Signals",
        "Visitor ids",
        "IP addresses",
        "Signed tags",
        "Signing secret",
        "Unsigned claims",
    ]


@pytest.mark.parametrize(
    ("options", "changed", "says"),
    [
        (
            ("--origin", "HTTPS://Shop.example/", "--origin", "https://*.shop.example"),
            {"allowed_origins": ["https://shop.example", "https://*.shop.example"]},
            "only from https://shop.example, https://*.shop.example",
        ),
        (("--strict",), {"strict_origin": True}, "are refused"),
        (("--consent",), {"consent_required": True}, "pintag('consent', true)"),
        (("--no-signals",), {"honour_signals": False}, "are ignored"),
        (("--visitor-days", "30"), {"visitor_days": 30}, "good for 30 days"),
        (("--addresses", "truncated"), {"addresses": "truncated"}, "of IPv4 24 bits stay"),
        (("--addresses", "whole"), {"addresses": "whole"}, "are kept with their hits"),
        (
            ("--strict", "--consent", "--visitor-days", "1"),
            {"strict_origin": True, "consent_required": True, "visitor_days": 1},
            "good for 1 day,",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_can_be_set(
    shop: Run, options: tuple[str, ...], changed: dict[str, object], says: str
) -> None:
    said = shop("section", "set", *options)
    assert "Changed the section 'shop'" in said
    assert says in said
    assert rules(shop) == DEFAULTS | changed
    assert says in shop("section", "show")
    assert "were so already" in shop("section", "set", *options)


def test_what_is_not_named_stays_as_it_is(shop: Run) -> None:
    shop("section", "set", "--strict", "--consent", "--origin", "https://a.example")
    shop("section", "set", "--no-consent", "--visitor-days", "7")
    shop("section", "set", "--origin", "https://b.example")
    kept = {"strict_origin": True, "visitor_days": 7}
    assert rules(shop) == DEFAULTS | kept | {"allowed_origins": ["https://b.example"]}
    shop("section", "set", "--any-origin", "--no-strict")
    assert rules(shop) == DEFAULTS | {"visitor_days": 7}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "--visitor-days N"),
        (("--any-origin", "--origin", "https://a.example"), "choose one"),
        (("--origin", "shop.example", "--origin", "*"), "origins[0]: 'shop.example' is no origin"),
        (("--origin", "shop.example", "--origin", "*"), "origins[1]: '*' is no origin"),
        (("--visitor-days", "0"), "visitor_days: A visitor id is good for 1 to"),
        (("--visitor-days", "3651"), "visitor_days: A visitor id is good for 1 to"),
        (("--addresses", "some"), "keep addresses whole, truncated, none"),
        (("--signed-tags", "--strict"), "pintag section new-secret --section shop"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_set_changes_nothing(shop: Run, options: tuple[str, ...], says: str) -> None:
    assert says in shop("section", "set", *options, code=2)
    assert rules(shop) == DEFAULTS


def test_signed_tags_need_a_secret(shop: Run) -> None:
    assert "there is none" in shop("section", "show")
    shop("section", "new-secret")
    assert "there is one" in shop("section", "show")
    assert "go to quarantine" in shop("section", "set", "--signed-tags")
    assert "are not needed" in shop("section", "set", "--no-signed-tags")


def test_snippets_must_be_pasted_again_if_they_are_rendered_from_it(shop: Run) -> None:
    tracked(shop, "Vote", "Booking")
    shop("event", "create", "Untracked")
    for options in (("--consent",), ("--no-signals",), ("--visitor-days", "30")):
        said = shop("section", "set", *options)
        assert "Paste them again" in said
        assert "  pintag snippet show vote\n" in said
        assert "  pintag snippet show booking\n" in said
        assert "untracked" not in said
    for options in (("--strict",), ("--addresses", "whole"), ("--consent",)):
        assert "again" not in shop("section", "set", *options)


def test_of_several_sections_one_is_named(shop: Run, db: psycopg.Connection) -> None:
    tracked(shop, "Vote")
    shop("section", "create", "Hotel")
    assert "Say which section you mean" in shop("section", "set", "--strict", code=2)
    assert "Say which section you mean" in shop("section", "show", code=2)
    assert "pintag snippet show vote --section shop" in shop("section", "set", "shop", "--consent")
    assert "again" not in shop("section", "set", "hotel", "--consent", "--visitor-days", "5")
    assert (of(db, "shop").visitor_days, of(db, "hotel").visitor_days) == (395, 5)
    assert "hotel: Hotel" in shop("section", "show", "hotel")


def of(db: psycopg.Connection, slug: str) -> Section:
    return sections.choose(db, slug)


def test_the_collectors_know_at_once(shop: Run, settings: Settings) -> None:
    async def entries() -> dict[str, key_table.KeyEntry]:
        async with AsyncRedis.from_url(settings.redis_url, legacy_responses=False) as client:
            return (await key_table.read_entries(client))[1]

    tracked(shop, "Vote")
    shop("section", "set", "--origin", "https://a.example", "--strict", "--addresses", "whole")
    [entry] = asyncio.run(entries()).values()
    assert (entry.origins, entry.strict, entry.addresses) == (["https://a.example"], True, "whole")


def test_what_a_stranger_could_name_a_section_does_no_harm(shop: Run) -> None:
    name = "[bold]x[/bold]"
    shop("section", "create", name)
    assert name in shop("section", "show", "bold-x-bold")
    shop("section", "create", "\x1b[31m", code=2)
