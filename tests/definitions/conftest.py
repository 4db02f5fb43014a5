import psycopg
import pytest
from redis import Redis

from tests.definitions.cast import Inn, make_inn
from tracker.settings import Settings


@pytest.fixture
def inn(settings: Settings, db: psycopg.Connection, redis: Redis) -> Inn:
    """The section Inn with its event Stay, created on Monday at nine, not tracked."""
    return make_inn(settings, db, redis)
