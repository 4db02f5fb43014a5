"""The operations page: what it says, to whom, and while a server is away."""

from dataclasses import replace

import psycopg
import pytest
from redis import Redis
from starlette.testclient import TestClient

from tests.api.test_watching import NO_DATABASE, NO_REDIS, present
from tests.pages import signing
from tests.pages.conftest import Person, SignIn
from tracker.api.app import make_app
from tracker.logs import recent
from tracker.rules import trends
from tracker.rules.accounts import Role
from tracker.settings import Settings
from tracker.stores import jobs, processes


@pytest.fixture
def watcher(sign_in: SignIn) -> Person:
    return sign_in(Role.VIEWER, None)


def anew(client: TestClient) -> None:
    """What is asked next is not of the last second."""
    client.app.state.oversight._until = 0.0  # type: ignore[attr-defined]


def test_it_says_whether_hits_are_taken_and_stored(
    watcher: Person, stranger: TestClient, redis: Redis
) -> None:
    for kind in ("collector", "worker", "jobs"):
        present(redis, kind)
    anew(stranger)
    status, text = watcher.get("/operations")
    assert (status, "<strong>Hits are taken and stored.</strong>" in text) == (200, True)
    redis.delete(processes.PROCESSES)
    anew(stranger)
    text = watcher.get("/operations?part=figures")[1]
    assert "no collector runs" in text
    assert "<html" not in text


def test_what_processes_say_is_shown_as_text(
    watcher: Person, stranger: TestClient, redis: Redis
) -> None:
    recent.take()
    recent.note(None, "", {"level": "error", "event": "<b>bold</b>", "why": "<script>"})
    present(redis, "worker")
    jobs.enqueue(redis, jobs.REPLAY, [1])
    anew(stranger)
    text = watcher.get("/operations")[1]
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "<script>" not in text
    assert '<th scope="row">replay</th><td>waiting' in text


def test_who_sees_all_sections_finds_it(watcher: Person, sign_in: SignIn) -> None:
    assert 'href="/operations"' in watcher.get("/")[1]
    one = sign_in(Role.OWNER, "shop", "one")
    assert 'href="/operations"' not in one.get("/")[1]
    assert one.get("/operations")[0] == 403
    assert one.get("/operations?part=figures")[0] == 403


def test_the_audit_is_run_by_a_job(
    sign_in: SignIn, stranger: TestClient, redis: Redis, db: psycopg.Connection
) -> None:
    owner = sign_in(section=None)
    assert "None ran in the last day." in owner.get("/operations")[1]
    assert "The audit runs as soon as" in owner.post("/operations/audit")[1]
    owner.post("/operations/audit")
    assert [job.id for job in jobs.current(redis)] == ["audit"]
    anew(stranger)
    assert "It is waiting." in owner.get("/operations")[1]


def test_redis_is_away(settings: Settings, db: psycopg.Connection) -> None:
    with TestClient(make_app(replace(settings, redis_url=NO_REDIS))) as client:
        client.base_url = "http://127.0.0.1"
        signing.sign_in(db, client, Role.VIEWER)
        answer = client.get("/operations")
    assert answer.status_code == 200
    assert "Hits are refused: Redis is away." in answer.text
    assert "Largest tables" in answer.text


def test_postgresql_is_away_for_who_saw_the_page_before(
    settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    present(redis, "collector")
    with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
        signing.sign_in(db, client, Role.VIEWER)
        assert client.get("/operations").status_code == 200
        remembered = client.app.state.remembered  # type: ignore[attr-defined]
        cookies = dict(client.cookies)
    away = make_app(replace(settings, database_url=NO_DATABASE))
    with TestClient(away, base_url="http://127.0.0.1", cookies=cookies) as client:
        client.app.state.remembered = remembered  # type: ignore[attr-defined]
        for address in ("/operations", "/operations?part=figures"):
            answer = client.get(address)
            assert (answer.status_code, "PostgreSQL is away." in answer.text) == (200, True)
            assert "<h2>Processes</h2>" in answer.text


def test_nobody_else_sees_it_while_postgresql_is_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.pages.page.PATIENCE", 0.1)
    away = make_app(replace(settings, database_url=NO_DATABASE))
    cookies = {"pintag_session": "a-session-that-nobody-saw"}
    with TestClient(away, base_url="http://127.0.0.1", cookies=cookies) as client:
        answer = client.get("/operations")
    assert (answer.status_code, "Processes" in answer.text) == (503, False)


def test_lines_are_of_what_grew() -> None:
    assert trends.rates([0, 5000, 10000, 15000], [0, 50, 50, 5]) == [10, 0, 0]
    assert trends.path([1.0], 24, 20) == ""
    assert trends.path([0, 10, 0.01], 24, 20) == "M22.0 19.0L23.0 1.0L24.0 18.0"
    assert trends.path([1] * 49, 24, 20).startswith("M0.0 1.0L0.5 1.0L")
