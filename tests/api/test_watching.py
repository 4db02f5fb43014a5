"""What machines ask: metrics, and health, while servers are there and while they are away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from starlette.testclient import TestClient

from tests.worker.cast import Harbour, drain, hit, track
from tracker.api import metrics
from tracker.api.app import make_app
from tracker.settings import Settings
from tracker.stores import jobs, key_table, losses, processes
from tracker.stores.database import newest_revision
from tracker.stores.reporting import Reporter

NO_DATABASE, NO_REDIS = "postgresql://127.0.0.1:1/none", "redis://127.0.0.1:1"
HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"


@pytest.fixture
def harbour(settings: Settings, db: psycopg.Connection, redis: Redis) -> Harbour:
    booking, key = track(db, redis, "harbour")
    return Harbour(settings, db, redis, booking, key)


@contextmanager
def serving(settings: Settings, caller: str = HERE, **changes: str) -> Iterator[TestClient]:
    """The web process with other settings, and who asks it."""
    app = make_app(replace(settings, **changes))  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1", client=(caller, 5000)) as client:
        yield client


def present(redis: Redis, kind: str) -> None:
    """A process of this kind has just reported."""
    reporter = Reporter(kind)
    reporter.send(redis, reporter.report({"hits": 7}, {"connected": 1, "partitions": 8}))


def scraped(client: TestClient) -> dict[tuple[str, ...], float]:
    """All samples by name and labels' values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_every_figure_of_an_installation_that_runs(harbour: Harbour) -> None:
    harbour.send(hit(), hit(data={}), hit(visitor=None))
    drain(harbour)
    harbour.send(hit(), hit(), to=5)
    harbour.redis.hset(key_table.REFUSALS, "origin", 4)
    harbour.redis.hset(losses.LOST, "key", 6)
    jobs.enqueue(harbour.redis, jobs.REPLAY, [1])
    present(harbour.redis, "worker")
    present(harbour.redis, "collector")
    with serving(harbour.settings) as client:
        found = scraped(client)
    assert {
        ("pintag_up", "postgresql"): 1,
        ("pintag_up", "redis"): 1,
        ("pintag_sink",): 1,
        ("pintag_hits_accepted_total",): 5,
        ("pintag_hits_total", "stored", ""): 1,
        ("pintag_hits_total", "quarantined", "invalid_data"): 1,
        ("pintag_hits_total", "dropped", "no_identifier"): 1,
        ("pintag_refused_total", "origin"): 4,
        ("pintag_lost_total",): 6,
        ("pintag_queue_hits", "0"): 0,
        ("pintag_queue_hits", "5"): 2,
        ("pintag_held_hits",): 0,
        ("pintag_quarantined_hits",): 1,
        ("pintag_collectors",): 1,
        ("pintag_workers",): 1,
        ("pintag_jobs", "waiting"): 2,  # the daily retention is one
        ("pintag_jobs", "failed"): 0,
    }.items() <= found.items()
    assert 0 <= found["pintag_queue_age_seconds",] < 60
    assert found["pintag_redis_memory_bytes",] > 1e5
    assert found["pintag_database_bytes",] > 1e6
    hits = [value for name, value in found.items() if name[0] == "pintag_process_hits_total"]
    assert sum(hits) == 14


def test_figures_of_a_server_that_is_away_are_left_out(settings: Settings) -> None:
    with serving(settings, database_url=NO_DATABASE) as client:
        found = scraped(client)
        assert (found["pintag_up", "postgresql"], found["pintag_up", "redis"]) == (0, 1)
        assert ("pintag_database_bytes",) not in found
        assert ("pintag_redis_memory_bytes",) in found
    with serving(settings, redis_url=NO_REDIS) as client:
        found = scraped(client)
        assert (found["pintag_up", "postgresql"], found["pintag_up", "redis"]) == (1, 0)
        assert ("pintag_queue_age_seconds",) not in found
        assert ("pintag_database_bytes",) in found


def test_a_queue_of_its_own_that_is_away_is_told(settings: Settings) -> None:
    with serving(settings) as client:
        assert scraped(client)["pintag_up", "queue"] == 1
    with serving(settings, queue_url=NO_REDIS) as client:
        found = scraped(client)
    assert (found["pintag_up", "redis"], found["pintag_up", "queue"]) == (1, 0)


def test_metrics_are_for_this_machine_or_for_who_has_the_token(settings: Settings) -> None:
    with serving(settings) as client:
        for name in metrics.FORWARDED:
            answer = client.get("/metrics", headers={name: HERE})
            assert (answer.status_code, "PINTAG_METRICS_TOKEN" in answer.text) == (403, True)
    with serving(settings, ELSEWHERE) as client:
        assert client.get("/metrics").status_code == 403
    with serving(settings, ELSEWHERE, metrics_token="s3cret") as client:
        for given, status in (("Bearer s3cret", 200), ("Bearer other", 401), ("s3cret", 401)):
            answer = client.get("/metrics", headers={"Authorization": given})
            assert answer.status_code == status
            assert "s3cret" not in answer.text
    with serving(settings, metrics_token="s3cret") as client:
        assert client.get("/metrics").status_code == 401


def test_a_storm_of_scrapes_asks_the_servers_once(settings: Settings) -> None:
    with serving(settings) as client:
        oversight = client.app.state.oversight  # type: ignore[attr-defined]
        seen = oversight.overview()
        began = time.monotonic()
        again = oversight.overview()
        assert again is seen or time.monotonic() - began > 1


def health(client: TestClient, what: str) -> tuple[int, str]:
    client.app.state.oversight._until = 0.0  # type: ignore[attr-defined]
    answer = client.get(f"/health/{what}")
    return answer.status_code, answer.text


def test_health_while_all_is_well(settings: Settings, redis: Redis) -> None:
    present(redis, "worker")
    with serving(settings) as client:
        assert [health(client, what) for what in ("alive", "ready", "sink")] == [(200, "ok")] * 3


def test_health_while_a_server_is_away(settings: Settings, redis: Redis) -> None:
    present(redis, "worker")
    with serving(settings, database_url=NO_DATABASE) as client:
        assert health(client, "alive") == (200, "ok")
        assert health(client, "ready") == (503, "PostgreSQL is away.")
        assert health(client, "sink") == (200, "ok")  # nothing waits so far
    with serving(settings, redis_url=NO_REDIS) as client:
        assert health(client, "alive") == (200, "ok")
        assert health(client, "ready") == (503, "Redis is away.")
        assert health(client, "sink")[0] == 503


def test_ready_takes_the_schema_of_this_release(settings: Settings, db: psycopg.Connection) -> None:
    db.execute("UPDATE alembic_version SET version_num = '0001'")
    try:
        with serving(settings) as client:
            status, text = health(client, "ready")
    finally:
        db.execute("UPDATE alembic_version SET version_num = %s", (newest_revision(),))
    assert (status, "pintag migrate" in text) == (503, True)


def test_the_sink_runs_full_without_a_worker_or_when_hits_wait(harbour: Harbour) -> None:
    redis = harbour.redis
    with serving(harbour.settings) as client:
        assert "No worker runs" in health(client, "sink")[1]
        present(redis, "worker")
        assert health(client, "sink") == (200, "ok")
        harbour.send(hit())
        assert health(client, "sink") == (200, "ok")
        redis.xadd("pintag:hits:{3}", {"h": "late"}, id=f"{int(time.time() * 1000) - 61_000}-0")
        status, text = health(client, "sink")
        assert (status, "Hits wait for more than a minute" in text) == (503, True)
        redis.delete("pintag:hits:{3}", processes.PROCESSES)
        assert health(client, "sink")[0] == 503


def test_no_secret_is_told(settings: Settings) -> None:
    secret = "postgresql://me:hush@127.0.0.1:1/none"
    with serving(settings, database_url=secret, redis_url="redis://:hush@127.0.0.1:1") as client:
        for what in ("/health", "/health/ready", "/health/sink", "/metrics"):
            assert "hush" not in client.get(what).text
