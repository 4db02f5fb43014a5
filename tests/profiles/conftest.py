import psycopg
import pytest
from redis import Redis

from tests.profiles.cast import Harbour, make_harbour
from tracker.settings import Settings


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with its events Booking and Poll."""
    return make_harbour(settings, db, redis)
