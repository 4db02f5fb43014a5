"""The harbour seen by people: its hits, its jobs run in this process, and who is signed in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rq import Queue, SimpleWorker

from tests.pages.conftest import Person
from tests.worker.cast import Harbour
from tracker.stores.jobs import QUEUE

ROOT = "/sections/harbour"
HOSTILE = '"><script>alert(1)</script>'
ESCAPED = "&gt;&lt;script&gt;alert(1)&lt;/script&gt;"


def run_jobs(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run all jobs that wait."""
    monkeypatch.setenv("DATABASE_URL", harbour.settings.database_url)
    monkeypatch.setenv("REDIS_URL", harbour.settings.redis_url)
    monkeypatch.setenv("PINTAG_SECRET_KEY", harbour.settings.secret_key)
    queue = Queue(QUEUE, connection=harbour.redis)
    SimpleWorker([queue], connection=harbour.redis).work(burst=True, logging_level="WARNING")


@contextmanager
def jobs_process(harbour: Harbour) -> Iterator[None]:
    """A jobs process that is there, and does nothing."""
    worker = SimpleWorker([QUEUE], connection=harbour.redis)
    worker.register_birth()  # type: ignore[no-untyped-call]
    yield
    worker.register_death()  # type: ignore[no-untyped-call]


def posted(person: Person, address: str, **form: str) -> str:
    """Send a form that leads elsewhere; returns where to."""
    data = {"csrf": person.csrf, **form}
    answer = person.client.post(address, data=data, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def choice(text: str) -> dict[str, str]:
    """What the first form of a page that names hits would send."""
    names = re.findall(r'name="(group|hit|job|up_to)" value="([^"]*)"', text)
    return dict(reversed(names))


def is_clean(text: str) -> bool:
    """Whether nothing of HOSTILE, which must be on the page, is HTML there."""
    return ESCAPED in text and "<script>" not in text and "alert(1)</" not in text
