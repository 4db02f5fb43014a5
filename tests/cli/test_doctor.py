"""`pintag doctor`: what it finds, and what it says to do about it."""

import dataclasses
from collections.abc import Sequence

import psycopg
import pytest
from redis import Redis
from typer.testing import CliRunner

from tracker.cli import app, doctor
from tracker.cli.doctor import Finding
from tracker.settings import Settings
from tracker.stores import hit_queue

DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
CONFIG = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "maxmemory": "1000000",
}


def levels(findings: Sequence[Finding]) -> set[str]:
    return {finding.level for finding in findings}


def problems(findings: Sequence[Finding]) -> list[str]:
    assert all(finding.remedy for finding in findings if finding.level != "ok")
    return [finding.subject for finding in findings if finding.level == "problem"]


def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("PINTAG_SECRET_KEY", settings.secret_key)
    result = CliRunner().invoke(app, ["doctor"])
    return result.exit_code, result.output


def test_a_sound_installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(settings, monkeypatch)
    assert code == 0, output
    assert "problem" not in output
    assert "none yet: no worker ran so far" in output
    assert "ok       Redis maxmemory" in output


def test_a_problem_makes_the_exit_code_1(
    settings: Settings, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute("DELETE FROM hit_partition WHERE number = 3")
    code, output = run(settings, monkeypatch)
    assert code == 1
    assert "problem" in output
    assert "0 to 7 expected" in output


@pytest.mark.parametrize("key", ["", "k" * 31])
def test_a_secret_key_is_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    code, output = run(dataclasses.replace(settings, secret_key=key), monkeypatch)
    assert code == 1
    assert "PINTAG_SECRET_KEY must be set" in output
    assert "openssl rand" in output


def test_a_redis_that_lost_its_data(
    settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    db.execute("UPDATE installation SET queue_epoch = 'e1'")
    assert problems(doctor.examine(settings)) == ["Queue epoch"]
    hit_queue.begin_epoch(redis, "e1", range(8))
    assert problems(doctor.examine(settings)) == []


def test_servers_that_are_away(settings: Settings) -> None:
    away = dataclasses.replace(
        settings, database_url="postgresql://127.0.0.1:1/x", redis_url="redis://127.0.0.1:1"
    )
    assert problems(doctor.examine(away)) == ["PostgreSQL", "Redis"]


def test_one_server_away_does_not_hide_the_other(settings: Settings) -> None:
    away = dataclasses.replace(settings, redis_url="redis://127.0.0.1:1")
    findings = doctor.examine(away)
    assert problems(findings) == ["Redis"]
    assert "Schema" in {finding.subject for finding in findings}


def test_a_database_that_was_never_migrated(settings: Settings, db: psycopg.Connection) -> None:
    db.execute("DROP SCHEMA public CASCADE")
    assert problems(doctor.examine(settings)) == ["Schema"]


def test_python_and_packages() -> None:
    assert problems(doctor.check_python((3, 10))) == ["Python"]
    assert levels(doctor.check_python((3, 11))) == {"ok"}
    assert problems(doctor.check_packages({"rq": None, "redis": "8.0"})) == ["Packages"]


@pytest.mark.parametrize("setting", sorted(DURABLE))
def test_a_database_that_may_lose_commits(setting: str) -> None:
    findings = doctor.check_postgres(180006, {**DURABLE, setting: "off"})
    assert problems(findings) == [f"PostgreSQL {setting}"]


def test_server_versions() -> None:
    assert problems(doctor.check_postgres(140012, DURABLE)) == ["PostgreSQL"]
    assert levels(doctor.check_postgres(150000, DURABLE)) == {"ok"}
    for info, wanted in (
        ({"redis_version": "6.2.14"}, ["Redis"]),
        ({"redis_version": "7.0.0"}, []),
        ({"redis_version": "7.2.4", "valkey_version": "7.1.9"}, ["Valkey"]),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.0"}, []),
    ):
        assert problems(doctor.check_redis(info, CONFIG)) == wanted


def test_a_node_that_is_too_old_is_named() -> None:
    findings = doctor.check_redis({"redis_version": "6.2.14"}, CONFIG, "Queue 10.0.0.1:6379")
    assert problems(findings) == ["Queue 10.0.0.1:6379 Redis"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")],
)
def test_a_redis_that_may_lose_hits(setting: str, value: str) -> None:
    findings = doctor.check_redis({"redis_version": "7.4.0"}, {**CONFIG, setting: value})
    assert problems(findings) == [f"Redis {setting}"]


def test_a_redis_without_a_memory_limit_is_a_warning() -> None:
    findings = doctor.check_redis({"redis_version": "7.4.0"}, {**CONFIG, "maxmemory": "0"})
    [warning] = [finding for finding in findings if finding.level != "ok"]
    assert (warning.level, warning.subject) == ("warning", "Redis maxmemory")
    assert warning.remedy


def test_a_redis_that_hides_its_configuration_is_a_warning() -> None:
    findings = doctor.check_redis({"redis_version": "7.4.0"}, None)
    assert levels(findings) == {"ok", "warning"}
    assert problems(findings) == []


def test_clocks_schema_and_epoch() -> None:
    assert problems(doctor.check_clocks(100.0, 100.4, 99.6)) == []
    assert problems(doctor.check_clocks(100.0, 101.5, 100.0)) == ["Clocks"]
    assert problems(doctor.check_schema("0001", "0002")) == ["Schema"]
    assert problems(doctor.check_epoch("a", "b")) == ["Queue epoch"]
    assert problems(doctor.check_epoch("", "b")) == ["Queue epoch"]
    assert levels(doctor.check_epoch("", "")) == {"ok"}
