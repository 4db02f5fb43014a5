import psycopg
import pytest
from redis import Redis

from tests.api.conftest import anonymous as anonymous
from tests.api.conftest import make_client as make_client
from tests.api.conftest import shop as shop
from tests.profiles.cast import Harbour, make_harbour
from tracker.settings import Settings


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    """The section Harbour, with its events Booking and Poll."""
    return make_harbour(settings, db, redis)
