"""A key that was replaced works until its grace period ends, to the second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette

from tests.collector import house as houses
from tests.collector.house import Collector, House
from tests.embedded.waiting import until
from tracker.actions import regenerating
from tracker.collector.app import make_app
from tracker.collector.intake import judge
from tracker.rules.refusals import Refusal
from tracker.settings import Settings
from tracker.stores.definitions import Definition
from tracker.stores.key_table import KeyEntry

GOOD = b'{"sent":7,"hits":[{"id":"a1","visitor":"anna"}]}'
NOON = datetime(2026, 12, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SHOP = "https://shop.example"


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("until_ms", "now", "expected"),
    [
        (ms(NOON), NOON - SECOND, None),
        (ms(NOON), NOON, Refusal.ROTATED),
        (ms(NOON), NOON + SECOND, Refusal.ROTATED),
        (0, NOON, None),
    ],
)
def test_the_second_at_which_a_key_ends(
    until_ms: int, now: datetime, expected: Refusal | None
) -> None:
    assert judge(KeyEntry("on", [SHOP], until=until_ms), SHOP, ms(now)) is expected


@pytest.mark.parametrize(
    ("state", "origin", "expected"),
    [
        ("hidden", SHOP, Refusal.HIDDEN),
        ("off", SHOP, Refusal.OFF),
        ("on", "https://other.example", Refusal.ROTATED),
    ],
)
def test_what_a_key_that_ended_is_told_first(state: str, origin: str, expected: Refusal) -> None:
    assert judge(KeyEntry(state, [SHOP], until=ms(NOON)), origin, ms(NOON)) is expected


class Clock:
    """The collector's, which a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(settings: Settings, clock: Clock, key: str) -> Iterator[Collector]:
    """A collector that goes by the test's clock."""
    app: Starlette = make_app(settings, clock=clock)
    with houses.running(app) as collector:
        yield collector


def rotate(house: House, definition: Definition, now: datetime, grace: timedelta) -> str:
    """Returns the new key."""
    made = regenerating.regenerate(house.db, house.redis, definition, now=now, grace=grace)
    house.upkeep()
    [new] = [one.key for one in made if one.retires_at is None]
    return new


def test_the_old_key_works_for_its_grace_period(
    timed: Collector, house: House, vote: Definition, key: str, clock: Clock
) -> None:
    new = rotate(house, vote, NOON, timedelta(days=30))
    assert new != key
    until(lambda: timed.post(new, GOOD).status_code == 204, "the collector knows")
    for later, status in (
        (timedelta(days=30) - SECOND, 204),
        (timedelta(days=30), 410),
        (timedelta(days=30) + SECOND, 410),
    ):
        clock.now = NOON + later
        assert timed.post(key, GOOD).status_code == status
        assert timed.post(new, GOOD).status_code == 204
    assert timed.post(key, GOOD).json()["reason"] == "rotated"


def test_a_later_rotation_ends_at_once_what_had_days_of_grace(
    timed: Collector, house: House, vote: Definition, key: str
) -> None:
    first = rotate(house, vote, NOON, timedelta(days=30))
    until(lambda: timed.post(first, GOOD).status_code == 204, "the collector knows")
    assert timed.post(key, GOOD).status_code == 204
    second = rotate(house, vote, NOON, timedelta(0))
    until(lambda: timed.post(second, GOOD).status_code == 204, "the collector knows")
    for ended in (key, first):
        assert timed.post(ended, GOOD).status_code == 410


def test_one_key_is_ended_alone(timed: Collector, house: House, vote: Definition, key: str) -> None:
    new = rotate(house, vote, NOON, timedelta(days=30))
    until(lambda: timed.post(new, GOOD).status_code == 204, "the collector knows")
    made = regenerating.regenerate(
        house.db, house.redis, vote, now=NOON, grace=timedelta(0), key=key
    )
    house.upkeep()
    assert {one.key for one in made} == {key, new}
    until(lambda: timed.post(key, GOOD).status_code == 410, "the collector knows")
    assert timed.post(new, GOOD).status_code == 204


def test_while_nobody_can_be_sure_an_ended_key_is_not_refused_for_good(
    timed: Collector, house: House, vote: Definition, key: str
) -> None:
    new = rotate(house, vote, NOON, timedelta(0))
    until(lambda: timed.post(new, GOOD).status_code == 204, "the collector knows")
    assert timed.post(key, GOOD).status_code == 410
    house.end_lease()
    assert timed.post(key, GOOD).status_code == 503
