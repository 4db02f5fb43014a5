from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.definitions import (
    RESERVED_SLUGS,
    Category,
    check_prefix,
    current_version,
    discriminator,
    free_slug,
    premade_fields,
    random_base36,
    slugify,
)


@pytest.mark.parametrize(
    ("category", "keys"),
    [
        (Category.TRANSACTIONS, ["source", "reference", "amount", "currency"]),
        (Category.CONVERSIONS, ["source", "stage"]),
        (Category.SIGNALS, ["source", "subject"]),
    ],
)
def test_premade_fields(category: Category, keys: list[str]) -> None:
    fields = premade_fields(category)
    assert [field.key for field in fields] == keys
    assert [field.required for field in fields] == [True] + [False] * (len(keys) - 1)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Order placed", "order-placed"),
        ("  Räftegård & Søn!  ", "raftegard-sn"),
        ("--a__b--", "a-b"),
        ("Παραγγελία", "event"),
        ("", "event"),
        ("x" * 39 + " y", "x" * 39),
    ],
)
def test_slugify(name: str, slug: str) -> None:
    assert slugify(name) == slug


def test_slugify_falls_back_to_what_it_is_told() -> None:
    assert slugify("注文", Category.TRANSACTIONS.singular) == "transaction"


@settings(max_examples=200)
@given(st.text())
def test_every_slug_fits_a_discriminator(name: str) -> None:
    slug = slugify(name)
    assert 1 <= len(slug) <= 40
    assert slug.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
    assert slug == slug.strip("-") == slugify(slug)


@pytest.mark.parametrize(
    ("wanted", "taken", "slug"),
    [
        ("order", set(), "order"),
        ("order", {"order", "order-2"}, "order-3"),
        ("x" * 40, {"x" * 40}, "x" * 38 + "-2"),
        ("x" * 37 + "-yz", {"x" * 37 + "-yz"}, "x" * 37 + "-2"),
        *((reserved, set(), f"{reserved}-2") for reserved in sorted(RESERVED_SLUGS)),
    ],
)
def test_free_slug(wanted: str, taken: set[str], slug: str) -> None:
    assert free_slug(wanted, taken) == slug


def test_discriminator() -> None:
    made = discriminator("com.pintag", Category.TRANSACTIONS, "order", "0123456789")
    assert made == "com.pintag.events.transaction.custom-order-0123456789"


def test_random_base36_takes_its_randomness_as_an_argument() -> None:
    draws = iter([0, 9, 10, 35])
    assert random_base36(4, lambda below: next(draws) if below == 36 else -1) == "09az"


@pytest.mark.parametrize("prefix", ["com.pintag", "se.example.shop-2", "x.y"])
def test_a_reversed_domain_is_a_prefix(prefix: str) -> None:
    assert check_prefix(prefix) == []


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "com",
        "Com.pintag",
        "com..x",
        ".com.x",
        "com.x.",
        "com.-x",
        "com.x\n",
        "com.å",
        "a." * 60,
    ],
)
def test_anything_else_is_not(prefix: str) -> None:
    assert [(error.field, error.code) for error in check_prefix(prefix)] == [
        ("prefix", "bad_format")
    ]


class Version(msgspec.Struct):
    number: int
    usable_from: datetime


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "number"),
    [
        pytest.param(NOON - HOUR, None, id="none yet"),
        pytest.param(NOON, 1, id="from usable_from on"),
        pytest.param(NOON + 2 * HOUR - timedelta.resolution, 1, id="the new one not yet"),
        pytest.param(NOON + 2 * HOUR, 2, id="the highest usable"),
    ],
)
def test_current_version(now: datetime, number: int | None) -> None:
    versions = [Version(2, NOON + 2 * HOUR), Version(1, NOON), Version(3, NOON + 9 * HOUR)]
    current = current_version(versions, now)
    assert (current and current.number) == number
