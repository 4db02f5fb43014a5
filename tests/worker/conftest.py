import psycopg
import pytest
from redis import Redis

from tests.worker.cast import Harbour, track
from tracker.settings import Settings


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with its event Booking tracked."""
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)
