"""A hotel's section with web tracking on, and a collector on a real port and a real Valkey."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from redis import Redis

from tests.collector import house as houses
from tests.collector.house import Collector, House
from tracker.collector.app import make_app
from tracker.settings import Settings
from tracker.stores.definitions import Definition


@pytest.fixture
def house(db: psycopg.Connection, redis: Redis) -> House:
    return House(db, redis)


@pytest.fixture
def vote(house: House) -> Definition:
    """The event `Poll vote`, not tracked yet."""
    return house.save("Poll vote")


@pytest.fixture
def key(house: House, vote: Definition) -> str:
    """The key of `Poll vote`'s snippet, in a key table that is confirmed."""
    key = house.switch_on(vote)
    house.upkeep()
    return key


@pytest.fixture
def collector(settings: Settings, key: str) -> Iterator[Collector]:
    """One without backpressure: tests fill Redis to hear its own refusal."""
    with houses.running(make_app(replace(settings, queue_percent=0))) as collector:
        yield collector
